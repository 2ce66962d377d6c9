//! A compacted topic, read while and after the broker compacts: the last value of each key, at its own offset. Takes the
//! time of a broker's cleaner, so it runs only where a broker is named.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use client::{Client, ConsumerConfig, NewRecord, ProducerConfig, Reset, TopicPartition};

use crate::support::{bootstrap, topic, with_broker};

const KEYS: usize = 20;
const ROUNDS: usize = 400;
const PATIENCE: Duration = Duration::from_secs(90);

const SETTINGS: [(&str, &str); 6] = [
    ("cleanup.policy", "compact"),
    ("segment.bytes", "1048576"),
    ("segment.ms", "1000"),
    ("min.cleanable.dirty.ratio", "0.01"),
    ("max.compaction.lag.ms", "1000"),
    ("delete.retention.ms", "100"),
];

/// Every record that is there: offset, key and value.
async fn read(client: &Client, name: &str) -> Vec<(i64, String, Option<String>)> {
    let config = ConsumerConfig {
        reset: Reset::Earliest,
        auto_commit: None,
        ..ConsumerConfig::default()
    };
    let mut consumer = client.consumer(config).expect("legal");
    let partition = TopicPartition::new(name, 0);
    consumer.assign(std::slice::from_ref(&partition)).expect("free");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut all = Vec::new();
    loop {
        let records = consumer.poll(Duration::from_secs(1)).await.expect("records");
        for (_, record) in records.iter() {
            let key = text(record.key.expect("a key"));
            all.push((record.offset.0, key, record.value.map(text)));
        }
        if records.is_empty() && consumer.lag(&partition) == Some(0) {
            return all;
        }
    }
}

#[test]
fn a_compacted_topic_gives_the_last_value_of_each_key_at_its_offset() {
    if bootstrap().is_none() {
        return;
    }
    with_broker(|client| async move {
        let name = topic(&client, "compact", 1, &SETTINGS).await;
        let producer = client.producer(ProducerConfig::default()).expect("legal");
        let mut newest: BTreeMap<String, (i64, String)> = BTreeMap::new();
        let filler = "x".repeat(100);
        for round in 0..ROUNDS {
            let mut deliveries = Vec::new();
            for key in 0..KEYS {
                let (key, value) = (format!("k{key}"), format!("{round} {filler}"));
                let record = NewRecord::to(&name).key(&key).value(&value);
                let delivery = producer.send(record).await.expect("room");
                deliveries.push((key, value, delivery));
            }
            producer.flush().await;
            for (key, value, delivery) in deliveries {
                let offset = delivery.await.expect("delivered").offset.expect("acks=all").0;
                newest.insert(key, (offset, value));
            }
        }
        let until = Instant::now() + PATIENCE;
        loop {
            // A segment that is written to is never compacted: this one closes it in time.
            let nudge = NewRecord::to(&name).key("nudge").value("n");
            let nudged = producer
                .send(nudge)
                .await
                .expect("room")
                .await
                .expect("delivered");
            let records = read(&client, &name).await;
            check(&records, &newest);
            assert_eq!(
                records.last().map(|last| last.0),
                nudged.offset.map(|offset| offset.0)
            );
            if records.len() < KEYS * ROUNDS / 4 {
                println!("{} of {} records are left", records.len(), KEYS * ROUNDS);
                return;
            }
            assert!(Instant::now() < until, "{} records are left", records.len());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
}

/// Offsets ascend, and the newest value of each key is where it was written.
fn check(records: &[(i64, String, Option<String>)], newest: &BTreeMap<String, (i64, String)>) {
    assert!(records.windows(2).all(|two| two[0].0 < two[1].0));
    let mut last: BTreeMap<&str, (i64, Option<&String>)> = BTreeMap::new();
    for (offset, key, value) in records {
        last.insert(key, (*offset, value.as_ref()));
    }
    for (key, (offset, value)) in newest {
        assert_eq!(last.get(key.as_str()), Some(&(*offset, Some(value))), "{key}");
    }
}
