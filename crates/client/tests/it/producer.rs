//! What is produced is there, once, in order, where the key says.

use std::time::Duration;

use client::protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use client::{Acks, Client, Codec, ErrorCode, NewRecord, ProducerConfig, To, partition_of_key};

use crate::support::{eventually, fresh, topic, with_broker};

const WITHIN: Duration = Duration::from_secs(20);

/// Values in a partition, read by plain fetches from a place that no consumer touched.
pub async fn values(client: &Client, topic: &str, partition: i32) -> Vec<Vec<u8>> {
    let described = client.admin().describe_topics(&[topic]).await.expect("ok");
    let described = described[0].1.as_ref().expect("it is there").clone();
    let leader = described.partition(partition).expect("it is there").leader;
    let (mut offset, mut values, mut patience) = (0, Vec::new(), 100);
    loop {
        let request = FetchRequest {
            max_wait_ms: 0,
            max_bytes: 8 << 20,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: topic.into(),
                partitions: vec![FetchPartition {
                    partition,
                    fetch_offset: offset,
                    partition_max_bytes: 8 << 20,
                    ..FetchPartition::default()
                }],
                ..FetchTopic::default()
            }],
            ..FetchRequest::default()
        };
        let answer = client
            .call_within(To::Broker(leader), &request, &(4..=12))
            .await
            .expect("an answer");
        let one = &answer.responses[0].partitions[0];
        // A broker may learn a moment later than its clients that it leads a new partition.
        if one.error_code == ErrorCode::NotLeaderOrFollower.code() && patience != 0 {
            patience -= 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        assert_eq!(one.error_code, 0);
        let bytes = one.records.clone().expect("never null").to_bytes();
        let before = offset;
        for batch in record::batches(&bytes) {
            let Ok((header, batch)) = batch else { break };
            let payload = batch[record::HEADER_BYTES..].to_vec().into();
            let plain =
                record::decompress(header.codec().expect("known"), &payload, 64 << 20).expect("sound");
            for one in record::walk(&header, &plain) {
                let one = one.expect("sound");
                if header.base_offset.0 + i64::from(one.offset_delta) < offset {
                    continue;
                }
                values.push(one.value.unwrap_or_default().to_vec());
            }
            offset = header.next_offset().0;
        }
        if offset == before {
            return values;
        }
    }
}

#[test]
fn every_codec_and_acks_delivers_in_order() {
    with_broker(|client| async move {
        for codec in Codec::ALL {
            for acks in [Acks::None, Acks::Leader, Acks::All] {
                let name = topic(&client, "produced", 1, &[]).await;
                let config = ProducerConfig {
                    codec,
                    acks,
                    batch_bytes: 4 << 10,
                    ..ProducerConfig::default()
                };
                let producer = client.producer(config).expect("legal");
                let wanted: Vec<Vec<u8>> = (0..1000).map(|n| format!("value {n}").into_bytes()).collect();
                let mut deliveries = Vec::new();
                for value in &wanted {
                    let record = NewRecord::to(&name).key("k").value(value).header("h", "1");
                    deliveries.push(producer.send(record).await.expect("room"));
                }
                producer.close(WITHIN).await.expect("all is sent");
                for (index, delivery) in deliveries.into_iter().enumerate() {
                    let delivered = delivery.await.expect("delivered");
                    let offset = delivered.offset.map(|offset| offset.0);
                    assert_eq!(
                        offset,
                        (acks != Acks::None).then_some(index as i64),
                        "{codec:?} {acks:?}"
                    );
                }
                // Without acks=all nobody says when they can be read.
                let stored = eventually("all values", || async {
                    let stored = values(&client, &name, 0).await;
                    (stored.len() == wanted.len()).then_some(stored)
                })
                .await;
                assert_eq!(stored, wanted, "{codec:?} {acks:?}");
            }
        }
    });
}

#[test]
fn keys_go_to_the_partitions_of_java() {
    with_broker(|client| async move {
        let name = topic(&client, "keyed", 7, &[]).await;
        let producer = client.producer(ProducerConfig::default()).expect("legal");
        let mut deliveries = Vec::new();
        for n in 0..2000 {
            let key = format!("key-{n}");
            let delivery = producer
                .send(NewRecord::to(&name).key(&key).value("v"))
                .await
                .expect("room");
            deliveries.push((key, delivery));
        }
        producer.flush().await;
        for (key, delivery) in deliveries {
            let delivered = delivery.await.expect("delivered");
            assert_eq!(delivered.partition as usize, partition_of_key(key.as_bytes(), 7));
        }
    });
}

#[test]
fn records_without_a_key_reach_every_partition() {
    with_broker(|client| async move {
        let name = topic(&client, "spread", 4, &[]).await;
        let config = ProducerConfig {
            batch_bytes: 1 << 10,
            ..ProducerConfig::default()
        };
        let producer = client.producer(config).expect("legal");
        for _ in 0..4000 {
            producer
                .send(NewRecord::to(&name).value(&[7; 50]))
                .await
                .expect("room");
        }
        producer.close(WITHIN).await.expect("all is sent");
        let mut all = 0;
        for partition in 0..4 {
            let count = values(&client, &name, partition).await.len();
            assert!(200 < count, "partition {partition} has {count}");
            all += count;
        }
        assert_eq!(all, 4000);
    });
}

#[test]
fn what_cannot_be_delivered_says_why() {
    with_broker(|client| async move {
        let name = topic(
            &client,
            "compacted",
            1,
            &[("cleanup.policy", "compact"), ("max.message.bytes", "2000")],
        )
        .await;
        let producer = client.producer(ProducerConfig::default()).expect("legal");
        let refused = producer
            .send(NewRecord::to(&name).value("no key"))
            .await
            .expect("room")
            .await;
        assert_eq!(
            refused.expect_err("a key is needed").code(),
            Some(ErrorCode::InvalidRecord)
        );
        let large = vec![1; 5000];
        let refused = producer
            .send(NewRecord::to(&name).key("k").value(&large))
            .await
            .expect("room")
            .await;
        assert_eq!(
            refused.expect_err("too large").code(),
            Some(ErrorCode::MessageTooLarge)
        );
        // The epoch after a batch that was given up begins anew, and the broker takes it.
        let taken = producer
            .send(NewRecord::to(&name).key("k").value("v"))
            .await
            .expect("room")
            .await;
        assert_eq!(taken.expect("delivered").offset.map(|offset| offset.0), Some(0));
        assert!(
            producer
                .send(NewRecord::to(&name).partition(9).value("v"))
                .await
                .is_err()
        );
        assert!(
            producer
                .send(NewRecord::to(&name).key("k").value(&vec![0; 2 << 20]))
                .await
                .is_err()
        );
    });
}

#[test]
fn a_topic_that_is_not_there_is_an_error_in_time() {
    with_broker(|client| async move {
        let config = ProducerConfig {
            block_max: Duration::from_millis(700),
            create_topics: false,
            ..ProducerConfig::default()
        };
        let producer = client.producer(config).expect("legal");
        let name = fresh("nowhere");
        let error = producer
            .send(NewRecord::to(&name).value("v"))
            .await
            .expect_err("no such topic");
        assert!(matches!(error, client::Error::TimedOut { .. }), "{error}");
    });
}

#[test]
fn a_full_buffer_makes_senders_wait_and_nothing_is_lost() {
    with_broker(|client| async move {
        let name = topic(&client, "pressed", 3, &[]).await;
        let config = ProducerConfig {
            buffer_bytes: 64 << 10,
            request_bytes: 64 << 10,
            batch_bytes: 8 << 10,
            ..ProducerConfig::default()
        };
        let producer = client.producer(config).expect("legal");
        for n in 0..20_000u32 {
            producer
                .send(NewRecord::to(&name).key(&n.to_be_bytes()).value(&[1; 60]))
                .await
                .expect("room");
        }
        producer.close(WITHIN).await.expect("all is sent");
        let mut all = 0;
        for partition in 0..3 {
            all += values(&client, &name, partition).await.len();
        }
        assert_eq!(all, 20_000);
    });
}

#[test]
fn batches_that_a_topic_finds_too_large_are_cut_and_every_record_arrives_in_order() {
    with_broker(|client| async move {
        let name = topic(&client, "small", 1, &[("max.message.bytes", "3000")]).await;
        let mut before = 0;
        for codec in [Codec::None, Codec::Lz4, Codec::Zstd] {
            let config = ProducerConfig {
                codec,
                batch_bytes: 64 << 10,
                linger: Duration::from_millis(50),
                ..ProducerConfig::default()
            };
            let producer = client.producer(config).expect("legal");
            // Bytes that no codec makes smaller, so that every batch is too large.
            let random = os::Random::real();
            let wanted: Vec<Vec<u8>> = (0..1500u32)
                .map(|n| {
                    let noise = (0..9).flat_map(|_| random.u64().to_be_bytes());
                    n.to_be_bytes().into_iter().chain(noise).collect()
                })
                .collect();
            let mut deliveries = Vec::new();
            for value in &wanted {
                deliveries.push(
                    producer
                        .send(NewRecord::to(&name).value(value))
                        .await
                        .expect("room"),
                );
            }
            producer.flush().await;
            for (n, delivery) in deliveries.into_iter().enumerate() {
                let delivered = delivery.await.expect("delivered");
                let offset = delivered.offset.map(|offset| offset.0 as usize);
                assert_eq!(offset, Some(before + n), "{codec:?}");
            }
            assert_eq!(values(&client, &name, 0).await[before..], wanted, "{codec:?}");
            before += wanted.len();
        }
    });
}
