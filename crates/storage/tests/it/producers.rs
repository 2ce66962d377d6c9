//! Producer state beside Kafka's: every verdict and what is remembered behind it, step by step.
//!
//! The trace comes from Apache Kafka 4.3.1's own classes (`tests/oracle/ProducerOracle.java`).
//! `OTTLA_PRODUCER_TRACE` names a longer one.

use record::BatchHeader;
use storage::AppendError;
use storage::format::codec::Writer;
use storage::state::{Marker, PartitionState, Producer, Verdict};
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

const TRACE: &str = include_str!("../golden/producers.tsv");
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
const EXPIRATION_MS: i64 = 1000;

/// A log that keeps no records.
#[derive(Default)]
struct Model {
    state: PartitionState,
    end: Offset,
}

impl Model {
    /// Does what a step says; gives the verdict in the trace's words.
    fn step(&mut self, step: &str) -> String {
        let words: Vec<&str> = step.split(' ').collect();
        let numbers: Vec<i64> = words
            .iter()
            .skip(1)
            .map(|word| word.parse().expect("a number"))
            .collect();
        match (words[0], numbers.as_slice()) {
            ("begin", []) => *self = Model::default(),
            ("append" | "replicate", [id, epoch, sequence, count, transactional, now]) => {
                let attributes = if *transactional == 1 { TRANSACTIONAL } else { 0 };
                let header = self.header([*id, *epoch, *sequence, *count, *now], attributes);
                return self.take(&header, None, words[0] == "append");
            }
            ("marker" | "replicate_marker", [id, epoch, coordinator, aborts, version, now]) => {
                let header = self.header([*id, *epoch, -1, 1, *now], TRANSACTIONAL | CONTROL);
                let marker = Marker {
                    aborts: *aborts == 1,
                    coordinator_epoch: *coordinator as i32,
                    transaction_version: *version as i16,
                };
                return self.take(&header, Some(&marker), words[0] == "marker");
            }
            ("high_watermark", [offset]) => self.state.apply_high_watermark(Offset(*offset)),
            ("start", [offset]) => self.state.apply_start(Offset(*offset)),
            ("expire", [now]) => self.state.producers.expire(*now, EXPIRATION_MS),
            ("aborted", [from, until]) => {
                let found = self.state.aborted_between(Offset(*from), Offset(*until));
                let rows: Vec<_> = found
                    .iter()
                    .map(|(id, first)| format!("{}={}", first.0, id.0))
                    .collect();
                return format!("{{{}}}", rows.join(","));
            }
            other => panic!("unknown step {other:?}"),
        }
        "ok".to_owned()
    }

    fn header(&self, [id, epoch, sequence, count, now]: [i64; 5], attributes: i16) -> BatchHeader {
        BatchHeader {
            base_offset: self.end,
            batch_length: 49,
            leader_epoch: LeaderEpoch(0),
            magic: 2,
            crc: 0,
            attributes,
            last_offset_delta: count as i32 - 1,
            base_timestamp: now,
            max_timestamp: now,
            producer_id: ProducerId(id),
            producer_epoch: ProducerEpoch(epoch as i16),
            base_sequence: sequence as i32,
            records_count: count as i32,
        }
    }

    fn take(&mut self, header: &BatchHeader, marker: Option<&Marker>, checks: bool) -> String {
        if checks {
            match self.state.check(header, marker) {
                Ok(Verdict::New) => {}
                Ok(Verdict::Duplicate {
                    base_offset,
                    last_offset,
                    timestamp,
                }) => {
                    return format!("duplicate {} {} {timestamp}", base_offset.0, last_offset.0);
                }
                Err(error) => return word(&error).to_owned(),
            }
        }
        self.state.apply_batch(header, marker);
        self.end = header.next_offset();
        format!("new {}", header.base_offset.0)
    }

    /// The state in the trace's words.
    fn words(&self, step: &str) -> String {
        let unstable = self.state.first_unstable().map_or(-1, |offset| offset.0);
        let mut out = format!("{unstable} {}", self.state.producers.len());
        let touches = ["append", "replicate", "marker", "replicate_marker"];
        let mut words = step.split(' ');
        let id = words
            .next()
            .filter(|kind| touches.contains(kind))
            .and_then(|_| words.next()?.parse().ok());
        if let Some(id) = id
            && let Some(producer) = self.state.producers.get(ProducerId(id))
        {
            out += &format!(" {id}:{}", describe(producer));
        }
        out
    }
}

fn describe(producer: &Producer) -> String {
    let batch = |known: &storage::state::Known| {
        format!(
            "{}-{}@{}",
            known.first_sequence, known.last_sequence, known.base_offset.0
        )
    };
    let batches: Vec<_> = producer.batches.iter().map(batch).collect();
    let open = producer.open_since.map_or(-1, |open| open.0);
    format!(
        "{}:{}:{open}:{}",
        producer.epoch.0,
        producer.coordinator_epoch,
        batches.join(",")
    )
}

fn word(error: &AppendError) -> &'static str {
    match error {
        AppendError::ProducerEpoch { .. } => "INVALID_PRODUCER_EPOCH",
        AppendError::OutOfOrder { .. } => "OUT_OF_ORDER_SEQUENCE_NUMBER",
        AppendError::OpenTransaction => "INVALID_TXN_STATE",
        AppendError::CoordinatorEpoch { .. } => "TRANSACTION_COORDINATOR_FENCED",
        other => panic!("not of a producer: {other}"),
    }
}

fn bytes(state: &PartitionState) -> Vec<u8> {
    let mut out = Writer::default();
    state.encode(&mut out);
    out.0
}

/// Steps whose verdict was compared.
fn compare(trace: &str) -> usize {
    let mut model = Model::default();
    let mut compared = 0;
    for (at, line) in trace
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#'))
    {
        let [step, verdict, state] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("line {at}")
        };
        if step.starts_with("replicate ") && verdict == "INVALID_TXN_STATE" {
            // Kafka's follower fails here. Its leader refused the batch, so that it is in no log.
            continue;
        }
        assert_eq!(model.step(step), verdict, "line {}: {step}", at + 1);
        assert_eq!(model.words(step), state, "line {}: {step}", at + 1);
        // Whatever was checkpointed goes on as if nothing had happened.
        if at % 7 == 0 {
            model.state = PartitionState::decode(&bytes(&model.state)).expect("ours");
        }
        compared += 1;
    }
    compared
}

#[test]
fn every_verdict_is_kafkas() {
    assert!(2900 < compare(TRACE));
    if let Ok(path) = std::env::var("OTTLA_PRODUCER_TRACE") {
        let compared = compare(&std::fs::read_to_string(path).expect("a readable trace"));
        println!("{compared} steps");
    }
}
