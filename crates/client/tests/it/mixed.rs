//! Groups of members of several kinds: ours, librdkafka's (`kcat`) and Java's, while they come and go. Each kind leads
//! once. Runs where `kcat` is found; Java's members join if `CLIENT_TEST_JARS` names a directory with Apache
//! Kafka's jars.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use client::{Assignor, Client, Consumer, ConsumerConfig, Reset, TopicPartition};

use crate::admin::serves;
use crate::support::{bootstrap, fresh, topic, with_broker};

const PARTITIONS: usize = 6;

/// A member in a process of its own; it ends with this value.
struct Foreign(Child);

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(mut command: Command) -> Foreign {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Foreign(quiet.spawn().expect("the program starts"))
}

fn kcat(bootstrap: &str, group: &str, topic: &str, assignor: Assignor) -> Foreign {
    let mut command = Command::new("kcat");
    let strategy = format!("partition.assignment.strategy={}", assignor.name());
    command.args(["-b", bootstrap, "-X", &strategy, "-X", "session.timeout.ms=6000"]);
    command.args([
        "-X",
        "heartbeat.interval.ms=300",
        "-X",
        "topic.metadata.refresh.interval.ms=1000",
    ]);
    command.args(["-G", group, topic]);
    start(command)
}

fn java(home: &str, bootstrap: &str, group: &str, topic: &str, assignor: Assignor) -> Foreign {
    let class = match assignor {
        Assignor::Range => "RangeAssignor",
        Assignor::RoundRobin => "RoundRobinAssignor",
        Assignor::Sticky => "StickyAssignor",
        Assignor::CooperativeSticky => "CooperativeStickyAssignor",
    };
    let settings = std::env::temp_dir().join(format!("{group}.properties"));
    let text = format!(
        "partition.assignment.strategy=org.apache.kafka.clients.consumer.{class}\n\
         session.timeout.ms=6000\nheartbeat.interval.ms=300\n"
    );
    std::fs::write(&settings, text).expect("a temporary file");
    let mut command = Command::new("java");
    command.args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", &format!("{home}/*")]);
    command.arg("org.apache.kafka.tools.consumer.ConsoleConsumer");
    command.args([
        "--bootstrap-server",
        bootstrap,
        "--group",
        group,
        "--topic",
        topic,
    ]);
    command.arg("--command-config").arg(settings);
    start(command)
}

fn ours(client: &Client, group: &str, topic: &str, assignor: Assignor) -> Consumer {
    let config = ConsumerConfig {
        assignors: vec![assignor],
        reset: Reset::Earliest,
        session_timeout: Duration::from_secs(6),
        heartbeat_interval: Duration::from_millis(300),
        poll_interval_max: Duration::from_secs(20),
        ..ConsumerConfig::group(group)
    };
    let mut consumer = client.consumer(config).expect("legal");
    consumer.subscribe(&[topic]).expect("a group");
    consumer
}

/// Polls ours until the group has `size` members that have all partitions between them, each one owner, evenly.
async fn settle(client: &Client, members: &mut [Consumer], group: &str, size: usize, what: &str) {
    let mut last = String::new();
    for _ in 0..300 {
        for consumer in members.iter_mut() {
            let _ = consumer.poll(Duration::from_millis(30)).await.expect("a poll");
        }
        let described = client
            .admin()
            .describe_groups(&[group])
            .await
            .expect("a coordinator");
        let Ok(described) = &described[0].1 else { continue };
        let loads: Vec<usize> = described
            .members
            .iter()
            .map(|member| member.assignment.len())
            .collect();
        let all: BTreeSet<&TopicPartition> = described
            .members
            .iter()
            .flat_map(|member| &member.assignment)
            .collect();
        let even = loads.iter().max().unwrap_or(&0) - loads.iter().min().unwrap_or(&0) <= 1;
        let agree = members.iter().all(|consumer| {
            let known = described
                .members
                .iter()
                .find(|member| member.member_id == consumer.member_id());
            let mut assignment = known.map(|member| member.assignment.clone()).unwrap_or_default();
            assignment.sort();
            assignment == consumer.assignment()
        });
        let whole = all.len() == PARTITIONS && loads.iter().sum::<usize>() == PARTITIONS;
        if described.state == "Stable" && loads.len() == size && whole && even && agree {
            return;
        }
        last = format!("{} {loads:?} agree {agree}", described.state);
    }
    panic!("{what}: the group did not settle with {size} members: {last}");
}

fn has_kcat() -> bool {
    Command::new("kcat")
        .arg("-V")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// The same without librdkafka, which has no such assignor: ours and Java's, each leading once.
async fn story_with_java(client: &Client, home: &str, assignor: Assignor) {
    let bootstrap = bootstrap().expect("the test looked");
    let name = topic(client, "mixed", PARTITIONS as i32, &[]).await;
    let group = fresh("mixed");
    let mut members = vec![ours(client, &group, &name, assignor)];
    settle(client, &mut members, &group, 1, "ours alone").await;
    let first = java(home, &bootstrap, &group, &name, assignor);
    settle(client, &mut members, &group, 2, "ours and Java").await;
    members.push(ours(client, &group, &name, assignor));
    settle(client, &mut members, &group, 3, "two of ours and Java").await;
    members.remove(0).close().await.expect("left");
    settle(client, &mut members, &group, 2, "ours and Java, which leads").await;
    let second = java(home, &bootstrap, &group, &name, assignor);
    settle(client, &mut members, &group, 3, "ours and two of Java").await;
    drop(first);
    settle(client, &mut members, &group, 2, "the first of Java was killed").await;
    drop(second);
    settle(client, &mut members, &group, 1, "ours is the last").await;
}

async fn story(client: &Client, assignor: Assignor) {
    let bootstrap = bootstrap().expect("with_broker looked");
    let home = std::env::var("CLIENT_TEST_JARS").ok();
    let name = topic(client, "mixed", PARTITIONS as i32, &[]).await;
    // Ours leads, librdkafka joins and leaves, Java joins.
    let group = fresh("mixed");
    let mut members = vec![ours(client, &group, &name, assignor)];
    settle(client, &mut members, &group, 1, "ours alone").await;
    let foreign = kcat(&bootstrap, &group, &name, assignor);
    settle(client, &mut members, &group, 2, "ours and kcat").await;
    members.push(ours(client, &group, &name, assignor));
    settle(client, &mut members, &group, 3, "two of ours and kcat").await;
    members.remove(0).close().await.expect("left");
    settle(client, &mut members, &group, 2, "the first of ours left").await;
    if let Some(home) = &home {
        let third = java(home, &bootstrap, &group, &name, assignor);
        settle(client, &mut members, &group, 3, "ours, kcat and Java").await;
        drop(foreign);
        settle(client, &mut members, &group, 2, "kcat was killed").await;
        members.push(ours(client, &group, &name, assignor));
        settle(client, &mut members, &group, 3, "two of ours and Java").await;
        members.remove(0).close().await.expect("left");
        settle(client, &mut members, &group, 2, "ours and Java, which leads").await;
        drop(third);
    } else {
        drop(foreign);
    }
    settle(client, &mut members, &group, 1, "ours is the last").await;
}

#[test]
fn ours_rebalance_with_members_of_librdkafka_and_java() {
    if bootstrap().is_none() {
        return;
    }
    with_broker(|client| async move {
        if !has_kcat() || !serves(&client, client::protocol::ApiKey::JoinGroup).await {
            return;
        }
        for assignor in [Assignor::Range, Assignor::RoundRobin, Assignor::CooperativeSticky] {
            story(&client, assignor).await;
        }
        if let Ok(home) = std::env::var("CLIENT_TEST_JARS") {
            story_with_java(&client, &home, Assignor::Sticky).await;
        }
    });
}
