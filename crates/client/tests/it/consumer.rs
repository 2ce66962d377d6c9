//! Reading: alone and in groups, from wherever, with whatever codec.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use client::{
    Assignor, Client, Codec, CommittedOffset, Consumer, ConsumerConfig, ErrorCode, Isolation, NewRecord,
    Offset, OffsetSpec, ProducerConfig, Reset, TopicPartition,
};

use crate::admin::serves;
use crate::support::{eventually, fresh, topic, with_broker};

const TURN: Duration = Duration::from_millis(200);

fn earliest() -> ConsumerConfig {
    ConsumerConfig {
        reset: Reset::Earliest,
        auto_commit: None,
        ..ConsumerConfig::default()
    }
}

fn member(group: &str, assignors: &[Assignor]) -> ConsumerConfig {
    ConsumerConfig {
        group: Some(group.to_owned()),
        assignors: assignors.to_vec(),
        session_timeout: Duration::from_secs(6),
        heartbeat_interval: Duration::from_millis(200),
        poll_interval_max: Duration::from_secs(20),
        ..earliest()
    }
}

/// Sends `count` numbered records, spread over partitions by their number, with timestamps 1000, 1010, ...
async fn fill(client: &Client, topic: &str, partitions: i32, count: i32, codec: Codec) {
    let config = ProducerConfig {
        codec,
        batch_bytes: 2 << 10,
        ..ProducerConfig::default()
    };
    let producer = client.producer(config).expect("legal");
    for n in 0..count {
        let value = n.to_string();
        let record = NewRecord::to(topic)
            .partition(n % partitions)
            .value(&value)
            .header("n", &value);
        let timestamp = 1000 + 10 * i64::from(n);
        producer.send(record.timestamp(timestamp)).await.expect("room");
    }
    producer
        .close(Duration::from_secs(20))
        .await
        .expect("all is sent");
}

/// Polls until `count` records came or nothing comes any more; gives values by partition.
async fn read(consumer: &mut Consumer, count: usize) -> BTreeMap<i32, Vec<String>> {
    let (mut got, mut idle) = (BTreeMap::<i32, Vec<String>>::new(), 0);
    let mut seen = 0;
    while seen < count && idle < 40 {
        let records = consumer.poll(TURN).await.expect("records");
        idle = if records.is_empty() { idle + 1 } else { 0 };
        for (partition, record) in records.iter() {
            let value = String::from_utf8_lossy(record.value.expect("a value")).into_owned();
            let header = record.headers.iter().next().expect("a header");
            assert_eq!(header, (&b"n"[..], Some(value.as_bytes())));
            got.entry(partition.partition).or_default().push(value);
            seen += 1;
        }
    }
    got
}

fn partitions(topic: &str, count: i32) -> Vec<TopicPartition> {
    (0..count)
        .map(|partition| TopicPartition::new(topic, partition))
        .collect()
}

#[test]
fn every_codec_is_read_in_order() {
    with_broker(|client| async move {
        for codec in Codec::ALL {
            let name = topic(&client, "read", 3, &[]).await;
            fill(&client, &name, 3, 3000, codec).await;
            let mut consumer = client.consumer(earliest()).expect("legal");
            consumer.assign(&partitions(&name, 3)).expect("free");
            let got = read(&mut consumer, 3000).await;
            for (partition, values) in got {
                let wanted: Vec<String> = (0..1000).map(|n| (3 * n + partition).to_string()).collect();
                assert_eq!(values, wanted, "{codec:?}");
            }
            eventually("no lag", || async {
                (consumer.lag(&TopicPartition::new(&*name, 0)) == Some(0)).then_some(())
            })
            .await;
        }
    });
}

#[test]
fn a_limit_of_records_a_poll_holds_and_loses_nothing() {
    with_broker(|client| async move {
        let name = topic(&client, "limited", 2, &[]).await;
        fill(&client, &name, 2, 1000, Codec::Zstd).await;
        let config = ConsumerConfig {
            poll_records_max: 7,
            ..earliest()
        };
        let mut consumer = client.consumer(config).expect("legal");
        consumer.assign(&partitions(&name, 2)).expect("free");
        let mut seen = BTreeMap::<i32, Vec<i64>>::new();
        for _ in 0..2000 {
            let records = consumer.poll(TURN).await.expect("records");
            assert!(records.count() <= 7);
            for (partition, record) in records.iter() {
                seen.entry(partition.partition).or_default().push(record.offset.0);
            }
            if seen.values().map(Vec::len).sum::<usize>() == 1000 {
                break;
            }
        }
        for offsets in seen.values() {
            assert_eq!(*offsets, (0..500).collect::<Vec<i64>>());
        }
    });
}

#[test]
fn positions_are_sought_by_offset_end_and_time() {
    with_broker(|client| async move {
        let name = topic(&client, "sought", 1, &[]).await;
        fill(&client, &name, 1, 1000, Codec::None).await;
        let partition = TopicPartition::new(&*name, 0);
        let mut consumer = client.consumer(earliest()).expect("legal");
        consumer.assign(std::slice::from_ref(&partition)).expect("free");
        let first = |records: client::Records| records.iter().next().map(|(_, record)| record.offset.0);
        consumer.seek(&partition, Offset(321)).expect("assigned");
        assert_eq!(first(consumer.poll(5 * TURN).await.expect("records")), Some(321));
        // Between two records: the later one.
        consumer
            .seek_to(&partition, OffsetSpec::At(1000 + 10 * 500 - 5))
            .expect("assigned");
        assert_eq!(first(consumer.poll(5 * TURN).await.expect("records")), Some(500));
        consumer
            .seek_to(&partition, OffsetSpec::Latest)
            .expect("assigned");
        assert_eq!(first(consumer.poll(TURN).await.expect("none")), None);
        assert_eq!(consumer.position(&partition), Some(Offset(1000)));
        consumer
            .seek_to(&partition, OffsetSpec::Earliest)
            .expect("assigned");
        assert_eq!(first(consumer.poll(5 * TURN).await.expect("records")), Some(0));
        consumer
            .pause(std::slice::from_ref(&partition))
            .expect("assigned");
        assert!(consumer.poll(TURN).await.expect("none").is_empty());
        consumer.seek(&partition, Offset(7)).expect("assigned");
        assert!(consumer.poll(TURN).await.expect("none").is_empty());
        consumer
            .resume(std::slice::from_ref(&partition))
            .expect("assigned");
        assert!(!consumer.poll(5 * TURN).await.expect("records").is_empty());
        assert!(consumer.seek(&TopicPartition::new(&*name, 9), Offset(0)).is_err());
    });
}

#[test]
fn deleted_records_reset_the_position_or_fail_the_poll() {
    with_broker(|client| async move {
        if !serves(&client, client::protocol::ApiKey::DeleteRecords).await {
            return;
        }
        let name = topic(&client, "cut", 1, &[]).await;
        fill(&client, &name, 1, 100, Codec::None).await;
        let partition = TopicPartition::new(&*name, 0);
        let below = [(partition.clone(), Some(Offset(40)))];
        let left = client.admin().delete_records(&below).await.expect("ok");
        assert_eq!(left[0].1.as_ref().expect("deleted"), &Offset(40));
        let mut consumer = client.consumer(earliest()).expect("legal");
        consumer.assign(std::slice::from_ref(&partition)).expect("free");
        consumer.seek(&partition, Offset(5)).expect("assigned");
        let records = consumer.poll(10 * TURN).await.expect("records");
        assert_eq!(records.iter().next().expect("records").1.offset, Offset(40));
        let config = ConsumerConfig {
            reset: Reset::Fail,
            ..earliest()
        };
        let mut strict = client.consumer(config).expect("legal");
        strict.assign(std::slice::from_ref(&partition)).expect("free");
        assert!(matches!(
            strict.poll(5 * TURN).await,
            Err(client::Error::NoOffset { .. })
        ));
        strict.seek(&partition, Offset(5)).expect("assigned");
        assert!(matches!(
            strict.poll(5 * TURN).await,
            Err(client::Error::NoOffset { .. })
        ));
    });
}

#[test]
fn offsets_are_looked_up_listed_altered_and_deleted() {
    with_broker(|client| async move {
        let name = topic(&client, "offsets", 2, &[]).await;
        fill(&client, &name, 2, 20, Codec::None).await;
        let admin = client.admin();
        let p = |partition| TopicPartition::new(&*name, partition);
        let wanted = [
            (p(0), OffsetSpec::Earliest),
            (p(1), OffsetSpec::Latest),
            (p(0), OffsetSpec::MaxTimestamp),
            (p(0), OffsetSpec::At(i64::MAX)),
            (p(7), OffsetSpec::Latest),
        ];
        let found = admin
            .list_offsets(&wanted, Isolation::ReadUncommitted)
            .await
            .expect("ok");
        let offset = |place: usize| {
            found[place]
                .1
                .as_ref()
                .expect("found")
                .offset
                .map(|offset| offset.0)
        };
        assert_eq!(
            (offset(0), offset(1), offset(2), offset(3)),
            (Some(0), Some(10), Some(9), None)
        );
        assert!(matches!(found[4].1, Err(client::Error::NoPartition { .. })));
        if !serves(&client, client::protocol::ApiKey::OffsetCommit).await {
            return;
        }
        let group = fresh("group");
        let set = [(
            p(0),
            CommittedOffset {
                metadata: "note".into(),
                ..CommittedOffset::new(Offset(4))
            },
        )];
        assert!(admin.alter_offsets(&group, &set).await.expect("ok")[0].1.is_ok());
        let committed = admin.committed_offsets(&group, None).await.expect("ok");
        assert_eq!(committed, set);
        assert_eq!(
            admin.committed_offsets(&group, Some(&[p(1)])).await.expect("ok"),
            []
        );
        assert!(
            admin.delete_offsets(&group, &[p(0)]).await.expect("ok")[0]
                .1
                .is_ok()
        );
        assert_eq!(admin.committed_offsets(&group, None).await.expect("ok"), []);
        let deleted = admin.delete_groups(&[&group, "no such group"]).await.expect("ok");
        assert_eq!(
            deleted[1].1.as_ref().expect_err("none").code(),
            Some(ErrorCode::GroupIdNotFound)
        );
    });
}

#[test]
fn a_group_commits_and_goes_on_where_it_was() {
    with_broker(|client| async move {
        if !serves(&client, client::protocol::ApiKey::JoinGroup).await {
            return;
        }
        let name = topic(&client, "grouped", 4, &[]).await;
        let group = fresh("group");
        fill(&client, &name, 4, 400, Codec::Lz4).await;
        for assignor in [
            Assignor::Range,
            Assignor::RoundRobin,
            Assignor::Sticky,
            Assignor::CooperativeSticky,
        ] {
            let mut consumer = client
                .consumer(member(&format!("{group}-{}", assignor.name()), &[assignor]))
                .expect("ok");
            consumer.subscribe(&[&name]).expect("a group");
            let got = read(&mut consumer, 400).await;
            assert_eq!(
                got.values().map(Vec::len).collect::<Vec<_>>(),
                [100; 4],
                "{assignor:?}"
            );
            consumer.commit().await.expect("committed");
            consumer.close().await.expect("left");
        }
        fill(&client, &name, 4, 40, Codec::None).await;
        let again = format!("{group}-range");
        let described = client.admin().describe_groups(&[&again]).await.expect("ok");
        assert_eq!(described[0].1.as_ref().expect("known").state, "Empty");
        let mut consumer = client.consumer(member(&again, &[Assignor::Range])).expect("ok");
        consumer
            .subscribe_matching({
                let name = name.clone();
                move |topic| topic == name
            })
            .expect("a group");
        let got = read(&mut consumer, 40).await;
        assert_eq!(got.values().map(Vec::len).sum::<usize>(), 40);
        let described = client.admin().describe_groups(&[&again]).await.expect("ok");
        let described = described[0].1.as_ref().expect("known");
        assert_eq!(
            (described.state.as_str(), described.assignor.as_str()),
            ("Stable", "range")
        );
        assert_eq!(described.members[0].assignment.len(), 4);
        assert_eq!(described.members[0].member_id, consumer.member_id());
        let listed = client.admin().list_groups().await.expect("ok");
        assert!(listed.iter().any(|one| one.group == again));
        consumer.close().await.expect("left");
    });
}

#[test]
fn members_come_and_go_and_every_partition_has_one_owner() {
    with_broker(|client| async move {
        if !serves(&client, client::protocol::ApiKey::JoinGroup).await {
            return;
        }
        for assignor in [Assignor::Range, Assignor::Sticky, Assignor::CooperativeSticky] {
            let name = topic(&client, "rebalanced", 6, &[]).await;
            let group = fresh("group");
            let mut members: Vec<Consumer> = Vec::new();
            for size in [1usize, 2, 3, 2, 4, 1] {
                while members.len() < size {
                    let mut consumer = client.consumer(member(&group, &[assignor])).expect("ok");
                    consumer.subscribe(&[&name]).expect("a group");
                    members.push(consumer);
                }
                while size < members.len() {
                    members.remove(0).close().await.expect("left");
                }
                settle(&mut members, 6).await;
            }
        }
    });
}

/// Polls all members until they have the partitions between them, as evenly as can be.
async fn settle(members: &mut [Consumer], partitions: usize) {
    // A fresh cluster takes seconds to make its topic of offsets.
    for _ in 0..1000 {
        for consumer in members.iter_mut() {
            let _ = consumer.poll(Duration::from_millis(20)).await.expect("a poll");
        }
        let loads: Vec<usize> = members
            .iter()
            .map(|consumer| consumer.assignment().len())
            .collect();
        let all: BTreeSet<TopicPartition> = members.iter().flat_map(Consumer::assignment).collect();
        let even = loads.iter().max().unwrap_or(&0) - loads.iter().min().unwrap_or(&0) <= 1;
        if all.len() == partitions && loads.iter().sum::<usize>() == partitions && even {
            return;
        }
    }
    let loads: Vec<usize> = members
        .iter()
        .map(|consumer| consumer.assignment().len())
        .collect();
    panic!("the group did not settle: {loads:?}");
}

#[test]
fn a_static_member_comes_back_to_its_partitions_without_a_rebalance() {
    with_broker(|client| async move {
        if !serves(&client, client::protocol::ApiKey::JoinGroup).await {
            return;
        }
        let name = topic(&client, "static", 4, &[]).await;
        let group = fresh("group");
        let fixed = |instance: &str| ConsumerConfig {
            instance_id: Some(instance.to_owned()),
            ..member(&group, &[Assignor::Range])
        };
        let mut members = Vec::new();
        for instance in ["a", "b"] {
            let mut consumer = client.consumer(fixed(instance)).expect("ok");
            consumer.subscribe(&[&name]).expect("a group");
            members.push(consumer);
        }
        settle(&mut members, 4).await;
        let (had, other_had) = (members[0].assignment(), members[1].assignment());
        members.remove(0).close().await.expect("ended");
        let mut back = client.consumer(fixed("a")).expect("ok");
        back.subscribe(&[&name]).expect("a group");
        for _ in 0..100 {
            let _ = back.poll(Duration::from_millis(50)).await.expect("a poll");
            let _ = members[0].poll(Duration::from_millis(10)).await.expect("a poll");
            assert_eq!(members[0].assignment(), other_had, "nobody else moves");
            if back.assignment() == had {
                return;
            }
        }
        panic!("it has {:?} and had {had:?}", back.assignment());
    });
}
