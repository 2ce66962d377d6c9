//! When clients should be sent elsewhere: what a health check asks the broker.

use std::time::{Duration, Instant};

use os::disk::Fault;
use testkit::{TestNode, batch};

use crate::{node_with, produce};

/// Waits for what other threads do.
/// The state is a look, not an event: nobody could wake this.
fn eventually(node: &TestNode, holds: impl Fn(&[String]) -> bool) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let reasons = node.broker.not_ready();
        if holds(&reasons) || deadline < Instant::now() {
            return reasons;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_full_disk_is_a_reason_until_there_is_room() {
    let (node, mut client) = node_with("t", &[]);
    assert_eq!(node.broker.not_ready(), Vec::<String>::new());
    let used: usize = node.disk.files().iter().map(|(_, bytes)| bytes).sum();
    node.disk.set_capacity(Some(used as u64 + (300 << 10)));
    let mut produces = 0..400;
    assert!(
        produces.any(|_| produce(&mut client, "t", 9, batch(2_000)).error_code != 0),
        "the disk is never full"
    );
    let reasons = eventually(&node, |reasons| !reasons.is_empty());
    assert!(
        reasons.len() == 1 && reasons[0].contains("is full"),
        "{reasons:?}"
    );
    node.disk.set_capacity(None);
    assert_eq!(
        eventually(&node, |reasons| reasons.is_empty()),
        Vec::<String>::new()
    );
    assert_eq!(produce(&mut client, "t", 9, batch(1)).error_code, 0);
}

#[test]
fn a_fenced_directory_is_a_reason_for_good() {
    let (node, mut client) = node_with("t", &[]);
    node.disk.fail(Fault::Sync(1));
    produce(&mut client, "t", 9, batch(1));
    let reasons = eventually(&node, |reasons| !reasons.is_empty());
    assert!(
        reasons.len() == 1 && reasons[0].contains("is fenced"),
        "{reasons:?}"
    );
    node.disk.heal();
    assert_eq!(node.broker.not_ready(), reasons, "until it is started anew");
}
