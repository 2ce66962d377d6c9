//! `ottla consume --group`: commits what it wrote out, and goes on there.

use std::time::Duration;

use cli::{COMMANDS, Context, Failure, Report};
use client::{Client, ClientConfig, NewRecord, NewTopic, ProducerConfig, TopicPartition};
use testkit::TestNode;

const RECORDS: usize = 10;

fn node() -> TestNode {
    TestNode::start(&[("group.initial.rebalance.delay.ms", "0")])
}

fn run(node: &TestNode, words: &[&str]) -> Result<Report, Failure> {
    let found = COMMANDS
        .iter()
        .find(|command| words.starts_with(command.path))
        .expect("the command is there");
    let args = std::iter::once("ottla").chain(words[found.path.len()..].iter().copied());
    let matches = (found.arguments)(clap::Command::new("ottla"))
        .try_get_matches_from(args)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let context = Context {
        bootstrap: node.address.to_string(),
        timeout: Duration::from_secs(20),
        ..Context::default()
    };
    (found.run)(&context, &matches)
}

fn with_client<T>(node: &TestNode, work: impl AsyncFnOnce(Client) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let client = Client::new(ClientConfig::new(&node.address.to_string())).expect("legal settings");
    runtime.block_on(work(client))
}

/// A topic of one partition with records 0, 1, 2, ...
fn fill(node: &TestNode, topic: &str) {
    with_client(node, async |client| {
        let wanted = NewTopic::new(topic).partitions(1).replication_factor(1);
        client
            .admin()
            .create_topics(&[wanted])
            .await
            .expect("a controller");
        let producer = client.producer(ProducerConfig::default()).expect("legal");
        for n in 0..RECORDS {
            let value = n.to_string();
            producer
                .send(NewRecord::to(topic).value(&value))
                .await
                .expect("room");
        }
        producer
            .close(Duration::from_secs(20))
            .await
            .expect("all is sent");
    });
}

fn committed(node: &TestNode, group: &str, topic: &str) -> Option<i64> {
    with_client(node, async |client| {
        let all = client
            .admin()
            .committed_offsets(group, None)
            .await
            .expect("a coordinator");
        let wanted = TopicPartition::new(topic, 0);
        all.iter()
            .find(|(one, _)| *one == wanted)
            .map(|(_, committed)| committed.offset.0)
    })
}

#[test]
fn a_group_commits_what_it_wrote_and_not_what_it_fetched() {
    let node = node();
    fill(&node, "orders");
    assert_eq!(committed(&node, "billing", "orders"), None);
    run(&node, &["consume", "orders", "--group", "billing", "-c", "3"]).expect("three records");
    assert_eq!(committed(&node, "billing", "orders"), Some(3));
    // What a filter leaves out was read as well; the count is of what was written.
    run(
        &node,
        &["consume", "orders", "-g", "billing", "-c", "1", "--grep", "6"],
    )
    .expect("one record");
    assert_eq!(committed(&node, "billing", "orders"), Some(7));
    run(&node, &["consume", "orders", "--group", "billing", "-c", "3"]).expect("the rest");
    assert_eq!(committed(&node, "billing", "orders"), Some(RECORDS as i64));
}

#[test]
fn reading_without_a_group_commits_nothing_and_a_group_takes_no_place() {
    let node = node();
    fill(&node, "orders");
    run(&node, &["consume", "orders"]).expect("all records");
    assert_eq!(committed(&node, "billing", "orders"), None);
    let refused = run(&node, &["consume", "orders", "-g", "billing", "--from", "4"]);
    let refused = refused.expect_err("a group goes on where it is").to_string();
    assert!(refused.contains("what it has committed"), "{refused}");
}
