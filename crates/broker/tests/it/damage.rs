//! Damage is its partition's: named in a log line and in the answer, and nobody else's business.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use protocol::ApiKey;
use protocol::messages::fetch_response::FetchResponse;
use record::{BatchBuilder, BatchOptions};
use testkit::{Client, TestNode};
use types::{ErrorCode, Offset};

use crate::{create, fetch_request, produce};

const STORAGE_ERROR: i16 = ErrorCode::KafkaStorageError as i16;

fn one(value: &str) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.push(1000, Some(b"k"), Some(value.as_bytes()));
    builder.build().expect("memory suffices")
}

/// The code and how many bytes come.
fn fetch(client: &mut Client, topic: &str, offset: i64) -> (i16, usize) {
    let mut response: FetchResponse = client.ask(ApiKey::Fetch, 12, &fetch_request(topic, offset));
    let row = response.responses.remove(0).partitions.remove(0);
    (
        row.error_code,
        row.records.map_or(0, |records| records.to_bytes().len()),
    )
}

/// Keeps what is logged, as `name=value` words.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Heard {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        struct Words(String);
        impl tracing::field::Visit for Words {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{}={value:?} ", field.name());
            }
        }
        let mut words = Words(format!("{} ", event.metadata().level()));
        event.record(&mut words);
        self.0.lock().expect("no panic").push(words.0);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// A node whose disk lost a bit of the second record of topic `hurt`.
fn damaged() -> (TestNode, Client, Vec<String>) {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    for topic in ["hurt", "sound"] {
        create(&mut client, topic, 1, &[]);
    }
    for number in 0..3 {
        for topic in ["hurt", "sound"] {
            let value = format!("{topic}-value-{number}");
            assert_eq!(produce(&mut client, topic, 9, one(&value)).error_code, 0);
        }
    }
    drop(client);
    let disk = node.power_loss(1);
    let wanted = b"hurt-value-1";
    let mut hits = 0;
    for (path, _) in disk.files() {
        if path.starts_with("/data/chunks") {
            disk.damage(&path, |bytes| {
                let found = bytes.windows(wanted.len()).position(|window| window == wanted);
                hits += found.iter().count();
                found.into_iter().for_each(|at| bytes[at] ^= 1);
            });
        }
    }
    assert_eq!(hits, 1, "the record lies in one place");
    let heard = Heard::default();
    let node = tracing::subscriber::with_default(heard.clone(), || TestNode::on(disk, &[]));
    let client = Client::connect(node.address);
    let lines = heard.0.lock().expect("no panic").clone();
    (node, client, lines)
}

#[test]
fn a_start_names_the_damage_and_serves_all_others() {
    let (_node, mut client, lines) = damaged();
    let named: Vec<&String> = lines.iter().filter(|line| line.starts_with("ERROR")).collect();
    let [line] = named[..] else {
        panic!("one line: {named:?}")
    };
    assert!(line.contains("hurt-0 ("), "{line}");
    assert!(
        line.contains("its records 1 to 1 do not hold, in chunk "),
        "{line}"
    );
    assert!(line.contains("action="), "{line}");
    // The sound one takes and gives records; of the other what is whole is read, and nothing is taken.
    assert_eq!(produce(&mut client, "sound", 9, one("more")).error_code, 0);
    for offset in 0..4 {
        let (code, bytes) = fetch(&mut client, "sound", offset);
        assert!(code == 0 && 0 < bytes, "{offset}");
    }
    assert_eq!(
        produce(&mut client, "hurt", 9, one("more")).error_code,
        STORAGE_ERROR
    );
    assert_eq!(fetch(&mut client, "hurt", 1), (STORAGE_ERROR, 0));
    assert!(matches!(fetch(&mut client, "hurt", 2), (0, 1..)));
}

#[test]
fn a_read_of_damage_names_the_partition_and_the_place() {
    let (node, _client, _) = damaged();
    let topic = node.broker.topics.by_name("hurt").expect("it is known");
    let partition = topic.partition(0).expect("it is served");
    let heard = Heard::default();
    let code = tracing::subscriber::with_default(heard.clone(), || {
        match partition.read(Offset(1), Offset(3), 1 << 20, true) {
            Ok(storage::ReadOutcome::Cold(cold)) => partition.read_failed(cold.run().expect_err("damaged")),
            Ok(storage::ReadOutcome::Ready(_)) => panic!("what is damaged is not served"),
            Err(code) => code,
        }
    });
    assert_eq!(code, ErrorCode::KafkaStorageError);
    let lines = heard.0.lock().expect("no panic").clone();
    let line = lines
        .iter()
        .find(|line| line.contains("read failed"))
        .expect("said");
    for word in [
        "ERROR",
        "topic=hurt",
        "partition=0",
        "is damaged at byte",
        "action=",
    ] {
        assert!(line.contains(word), "{word} in {line}");
    }
}
