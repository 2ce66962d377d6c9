//! What a look at a record costs: `cargo run --release -p ottla-record --example walk [rounds]`. Prints nanoseconds a
//! record, the minimum of all rounds, for batches of small records.

use std::time::Instant;

use bytes::Bytes;
use record::{BatchBuilder, BatchOptions, Codec, HEADER_BYTES, Rules, TimestampRule, check_produced, walk};

const RECORDS: usize = 10_000;

fn batch(codec: Codec, value: usize) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        codec,
        ..BatchOptions::default()
    });
    let value = vec![b'v'; value];
    (0..RECORDS).for_each(|at| builder.push(1_000 + at as i64, Some(b"some-key"), Some(&value)));
    builder.build().expect("memory suffices")
}

/// Nanoseconds a record, at best.
fn best(rounds: usize, mut work: impl FnMut()) -> f64 {
    let round = |_| {
        let begun = Instant::now();
        work();
        begun.elapsed().as_nanos() as f64 / RECORDS as f64
    };
    (0..rounds).map(round).fold(f64::MAX, f64::min)
}

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(200);
    let rules = |earliest| Rules {
        bytes_max: 64 << 20,
        needs_keys: false,
        timestamps: TimestampRule::Between {
            earliest,
            latest: i64::MAX,
        },
        allows_zstd: true,
        decompressed_bytes_max: 64 << 20,
    };
    for value in [10, 100] {
        let plain = batch(Codec::None, value);
        let header = check_produced(&plain, &rules(i64::MIN)).expect("ours");
        let walked = best(rounds, || {
            let count = walk(&header, &plain[HEADER_BYTES..])
                .filter(Result::is_ok)
                .count();
            assert_eq!(std::hint::black_box(count), RECORDS);
        });
        let checked = best(rounds, || {
            std::hint::black_box(check_produced(&plain, &rules(i64::MIN)).is_ok());
        });
        let crc = best(rounds, || {
            std::hint::black_box(record::crc32c(&plain[21..]));
        });
        println!(
            "{value} B values: walk {walked:.1} ns, whole check {checked:.1} ns of which checksum {crc:.1} ns a record"
        );
        for codec in [Codec::Lz4, Codec::Zstd] {
            let packed = batch(codec, value);
            let scanned = best(rounds.min(50), || {
                std::hint::black_box(check_produced(&packed, &rules(1)).is_ok());
            });
            println!("{value} B values, {codec:?}: opened and checked {scanned:.1} ns a record");
        }
    }
}
