//! Snapshots of the metadata: written as it grows, the log before them dropped, and what a restart makes of them.

use metadata::ResourceKind;
use os::disk::SimDisk;
use testkit::{Client, TestNode};

use crate::create;

const SETTINGS: &[(&str, &str)] = &[("metadata.log.max.record.bytes.between.snapshots", "3000")];

fn snapshots(disk: &SimDisk) -> Vec<std::path::PathBuf> {
    let files = disk.files().into_iter().map(|(path, _)| path);
    files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "checkpoint")
        })
        .collect()
}

fn names(node: &TestNode) -> Vec<String> {
    let image = node.broker.image();
    let mut names: Vec<String> = image
        .topics()
        .map(|topic| topic.name.as_str().to_owned())
        .collect();
    names.sort();
    names
}

/// Thirty topics with a setting, in a node that writes a snapshot each few of them.
fn with_topics() -> (TestNode, Vec<String>) {
    let node = TestNode::start(SETTINGS);
    let mut client = Client::connect(node.address);
    for topic in 0..30 {
        create(
            &mut client,
            &format!("t{topic:02}"),
            4,
            &[("retention.ms", "600000")],
        );
    }
    let expected = (0..30).map(|topic| format!("t{topic:02}")).collect();
    (node, expected)
}

#[test]
fn metadata_is_written_as_snapshots_and_its_log_does_not_grow_for_ever() {
    let (node, expected) = with_topics();
    let log = node.broker.directory.metadata_log();
    let found = snapshots(&node.disk);
    assert_eq!(found.len(), 2, "{found:?}");
    let starts_with = format!("{:020}-", log.log_start().0);
    let oldest = found[0]
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    assert!(
        0 < log.log_start().0 && oldest.starts_with(&starts_with),
        "{oldest} {starts_with}"
    );
    assert_eq!(names(&node), expected);
    let before = node.broker.image();
    let again = TestNode::on(node.disk.copy(), SETTINGS);
    assert_eq!(names(&again), expected);
    let after = again.broker.image();
    for (one, other) in before.topics().zip(after.topics()) {
        assert_eq!(one, other);
    }
    let kept = before.configs(ResourceKind::Topic, "t07");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept, after.configs(ResourceKind::Topic, "t07"));
    // And it goes on: a topic more, and the whole once more.
    create(&mut Client::connect(again.address), "u", 1, &[]);
    assert_eq!(names(&TestNode::on(again.disk.copy(), SETTINGS)).len(), 31);
}

#[test]
fn a_damaged_snapshot_is_passed_over_for_the_older_one() {
    let (node, expected) = with_topics();
    let disk = node.disk.copy();
    let newest = snapshots(&disk).pop().expect("written");
    disk.damage(&newest, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    assert_eq!(names(&TestNode::on(disk, SETTINGS)), expected);
}

#[test]
fn a_power_loss_at_any_time_keeps_every_topic_that_was_answered() {
    let (node, expected) = with_topics();
    for seed in 0..20 {
        let disk = node.disk.crash(&os::Random::seeded(seed));
        assert_eq!(names(&TestNode::on(disk, SETTINGS)), expected, "seed {seed}");
    }
}
