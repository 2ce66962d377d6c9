//! Brokers that are slow, stall and drop connections, seen through a bad network: what is acknowledged is there once and
//! in order, a group reads all of it, and calls end in time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use client::{Client, ConsumerConfig, NewRecord, ProducerConfig, Reset};
use os::Random;

use crate::admin::serves;
use crate::network::{Faults, Network};
use crate::producer::values;
use crate::support::{config, dialer, fresh, topic, with_broker};

const PARTITIONS: i32 = 3;
const RECORDS: usize = 1500;

/// A client that reaches the broker under test through a network with these faults.
fn through(faults: Faults, seed: u64) -> Client {
    let mut config = config();
    config.dialer = Arc::new(Network {
        inner: dialer(),
        random: Random::seeded(seed),
        faults,
    });
    config.request_timeout = Duration::from_millis(700);
    config.connect_timeout = Duration::from_millis(700);
    config.api_timeout = Duration::from_secs(60);
    Client::new(config).expect("legal settings")
}

const BAD: Faults = Faults {
    refused: 60,
    broken: 25,
    stalled: 12,
    delay_ms: 20,
};

#[test]
fn nothing_is_lost_or_doubled_behind_a_bad_network() {
    with_broker(|sound| async move {
        let name = topic(&sound, "slow", PARTITIONS, &[]).await;
        let client = through(BAD, 5);
        let config = ProducerConfig {
            batch_bytes: 700,
            linger: Duration::from_millis(2),
            ..ProducerConfig::default()
        };
        let producer = client.producer(config).expect("legal");
        let mut deliveries = Vec::new();
        for n in 0..RECORDS {
            let value = format!("{n:06}");
            let partition = n as i32 % PARTITIONS;
            let record = NewRecord::to(&name).partition(partition).value(&value);
            deliveries.push((partition, producer.send(record).await.expect("room")));
        }
        producer
            .close(Duration::from_secs(60))
            .await
            .expect("all is sent");
        let mut delivered = 0;
        for (partition, delivery) in deliveries {
            let landed = delivery.await.expect("it was sent again until it was there");
            assert_eq!(landed.partition, partition);
            delivered += 1;
        }
        assert_eq!(delivered, RECORDS);
        for partition in 0..PARTITIONS {
            let stored = values(&sound, &name, partition).await;
            let wanted: Vec<Vec<u8>> = (0..RECORDS)
                .filter(|n| *n as i32 % PARTITIONS == partition)
                .map(|n| format!("{n:06}").into_bytes())
                .collect();
            assert_eq!(stored, wanted, "each once, in order");
        }
        read_as_a_group(&through(BAD, 6), &name).await;
    });
}

/// Reads everything as a member of a group, commit by commit; a record may come again, none is passed over.
async fn read_as_a_group(client: &Client, name: &str) {
    if !serves(client, client::protocol::ApiKey::JoinGroup).await {
        return;
    }
    let config = ConsumerConfig {
        reset: Reset::Earliest,
        session_timeout: Duration::from_secs(6),
        heartbeat_interval: Duration::from_millis(300),
        auto_commit: Some(Duration::from_millis(300)),
        fetch_wait_max: Duration::from_millis(100),
        partition_bytes_max: 8 << 10,
        ..ConsumerConfig::group(&fresh("slow"))
    };
    let mut consumer = client.consumer(config).expect("legal");
    consumer.subscribe(&[name]).expect("a group");
    let mut next: BTreeMap<i32, i64> = BTreeMap::new();
    while next.values().sum::<i64>() < RECORDS as i64 {
        // Errors of calls that took too long: the next poll goes on.
        let Ok(records) = consumer.poll(Duration::from_millis(500)).await else {
            continue;
        };
        for (partition, record) in records.iter() {
            let expected = next.entry(partition.partition).or_default();
            assert!(
                record.offset.0 <= *expected,
                "{partition}: {expected} was passed over"
            );
            *expected = (*expected).max(record.offset.0 + 1);
        }
    }
    let _ = consumer.close().await;
}

#[test]
fn a_broker_that_says_nothing_ends_calls_in_time_and_names_itself() {
    with_broker(|sound| async move {
        let silent = Faults {
            refused: 0,
            broken: 0,
            stalled: 1000,
            delay_ms: 0,
        };
        let address = sound.config().bootstrap_servers[0].clone();
        let mut config = through(silent, 1).config().clone();
        config.api_timeout = Duration::from_secs(2);
        let client = Client::new(config).expect("legal");
        let started = std::time::Instant::now();
        let error = client.admin().list_topics().await.expect_err("nobody answers");
        assert!(
            started.elapsed() < Duration::from_secs(4),
            "{:?}",
            started.elapsed()
        );
        assert!(error.to_string().contains(&address), "{error}");
    });
}
