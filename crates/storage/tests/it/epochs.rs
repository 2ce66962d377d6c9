//! The history of leader epochs beside Kafka's (trap 57), step by step.
//!
//! The trace comes from Apache Kafka 4.3.1's own class (`tests/oracle/EpochOracle.java`). `OTTLA_EPOCH_TRACE` names a
//! longer one.

use storage::state::EpochHistory;
use types::{LeaderEpoch, Offset};

const TRACE: &str = include_str!("../golden/epochs.tsv");

/// Does what a step says; gives the answer in the trace's words.
fn step(history: &mut EpochHistory, step: &str) -> String {
    let words: Vec<&str> = step.split(' ').collect();
    let numbers: Vec<i64> = words
        .iter()
        .skip(1)
        .map(|word| word.parse().expect("a number"))
        .collect();
    match (words[0], numbers.as_slice()) {
        ("begin", []) => *history = EpochHistory::default(),
        ("push", [epoch, start]) => history.push(LeaderEpoch(*epoch as i32), Offset(*start)),
        ("truncate", [end]) => history.truncate_to(Offset(*end)),
        ("start", [start]) => history.drop_before(Offset(*start)),
        ("end_of", [epoch, log_end]) => {
            let (epoch, end) = history.end_of(LeaderEpoch(*epoch as i32), Offset(*log_end));
            return format!("{} {}", epoch.0, end.0);
        }
        ("epoch_of", [offset]) => return history.epoch_of(Offset(*offset)).0.to_string(),
        other => panic!("unknown step {other:?}"),
    }
    "ok".to_owned()
}

fn words(history: &EpochHistory) -> String {
    let rows: Vec<_> = history
        .entries()
        .iter()
        .map(|(epoch, start)| format!("{}@{}", epoch.0, start.0))
        .collect();
    rows.join(",")
}

fn compare(trace: &str) -> usize {
    let mut history = EpochHistory::default();
    let lines = trace
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#'));
    lines
        .map(|(at, line)| {
            let [asked, answer, after] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("line {at}")
            };
            assert_eq!(step(&mut history, asked), answer, "line {}: {asked}", at + 1);
            assert_eq!(words(&history), after, "line {}: {asked}", at + 1);
        })
        .count()
}

#[test]
fn every_answer_about_epochs_is_kafkas() {
    assert_eq!(compare(TRACE), 1500);
    if let Ok(path) = std::env::var("OTTLA_EPOCH_TRACE") {
        println!(
            "{} steps",
            compare(&std::fs::read_to_string(path).expect("a readable trace"))
        );
    }
}
