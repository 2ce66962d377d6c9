//! Batches that Apache Kafka's own classes wrote (`tests/fixtures/RecordBatches.java`): read as they were meant, and
//! where nothing is compressed written again byte for byte.

use bytes::Bytes;
use record::{
    BatchBuilder, BatchHeader, BatchOptions, Codec, ControlType, HEADER_BYTES, Rules, TimestampRule,
    TimestampType, batches, check_crc, check_produced, decompress, walk, with_log_append_time,
};
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

const FIXTURE: &str = include_str!("../fixtures/java-4.3.1.tsv");
const PLAIN_BYTES_MAX: usize = 1 << 20;

fn unhex(hex: &str) -> Bytes {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).expect("hex") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn java(name: &str) -> Bytes {
    FIXTURE
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .find(|(found, _)| *found == name)
        .map(|(_, hex)| unhex(hex))
        .expect("the fixture has it")
}

fn large() -> Vec<u8> {
    (0..100_000u32).map(|index| ((index / 11) % 251) as u8).collect()
}

/// The three records of the fixture, by our builder.
fn three(options: BatchOptions) -> Bytes {
    let mut builder = BatchBuilder::new(options);
    let headers = [("h", Some(&b"1"[..])), ("h", None)];
    builder.push_with_headers(1000, Some(b"k1"), Some(b"v1"), &headers);
    builder.push(3000, None, Some(b"v2"));
    builder.push(2000, Some(b"k3"), None);
    builder.build().expect("memory suffices")
}

fn rules(needs_keys: bool) -> Rules {
    Rules {
        bytes_max: 1 << 20,
        needs_keys,
        timestamps: TimestampRule::Between {
            earliest: 0,
            latest: i64::MAX,
        },
        allows_zstd: true,
        decompressed_bytes_max: PLAIN_BYTES_MAX,
    }
}

const CODECS: [(&str, Codec); 6] = [
    ("none", Codec::None),
    ("gzip", Codec::Gzip),
    ("snappy", Codec::Snappy),
    ("lz4", Codec::Lz4),
    ("zstd", Codec::Zstd),
    // Level 22 asks for a window of 128 MiB.
    ("zstd22", Codec::Zstd),
];

#[test]
fn javas_records_are_read_from_every_codec() {
    for (name, codec) in CODECS {
        let batch = java(&format!("three-{name}"));
        let header = check_produced(&batch, &rules(false)).expect(name);
        assert_eq!(header.codec(), Ok(codec));
        let plain = decompress(codec, &batch.slice(HEADER_BYTES..), PLAIN_BYTES_MAX).expect(name);
        let records: Vec<_> = walk(&header, &plain).map(|record| record.expect(name)).collect();
        let read: Vec<_> = records
            .iter()
            .map(|r| (r.offset_delta, r.timestamp, r.key, r.value))
            .collect();
        let wanted = [
            (0, 1000, Some(&b"k1"[..]), Some(&b"v1"[..])),
            (1, 3000, None, Some(&b"v2"[..])),
            (2, 2000, Some(&b"k3"[..]), None),
        ];
        assert_eq!(read, wanted, "{name}");
        let headers: Vec<_> = records[0].headers.iter().collect();
        assert_eq!(
            headers,
            [(&b"h"[..], Some(&b"1"[..])), (&b"h"[..], None)],
            "{name}"
        );
    }
}

#[test]
fn a_payload_of_many_blocks_is_read_from_every_codec() {
    for (name, codec) in CODECS.iter().filter(|(_, codec)| *codec != Codec::None) {
        let batch = java(&format!("large-{name}"));
        let header = check_produced(&batch, &rules(true)).expect(name);
        let plain = decompress(*codec, &batch.slice(HEADER_BYTES..), PLAIN_BYTES_MAX).expect(name);
        let record = walk(&header, &plain).next().expect("one").expect(name);
        assert_eq!(record.value, Some(&large()[..]), "{name}");
    }
}

#[test]
fn uncompressed_batches_are_javas_byte_for_byte() {
    assert_eq!(three(BatchOptions::default()), java("three-none"));
    let transactional = BatchOptions {
        producer_id: ProducerId(77),
        producer_epoch: ProducerEpoch(3),
        base_sequence: i32::MAX - 1,
        is_transactional: true,
        ..BatchOptions::default()
    };
    assert_eq!(three(transactional), java("transactional"));
    let header = BatchHeader::parse(&java("transactional")).expect("whole");
    assert_eq!(header.last_sequence(), 0, "sequences wrap");
}

#[test]
fn log_append_time_is_javas_byte_for_byte() {
    let stamped = with_log_append_time(&three(BatchOptions::default()), Some(5000));
    assert_eq!(stamped, java("append-time"));
    let header = BatchHeader::parse(&stamped).expect("whole");
    assert_eq!(
        (header.timestamp_type(), header.max_timestamp),
        (TimestampType::LogAppendTime, 5000)
    );
}

#[test]
fn transaction_markers_are_javas_byte_for_byte() {
    for (name, kind) in [("commit", ControlType::Commit), ("abort", ControlType::Abort)] {
        let mut builder = BatchBuilder::new(BatchOptions {
            base_offset: Offset(42),
            leader_epoch: LeaderEpoch(6),
            producer_id: ProducerId(77),
            producer_epoch: ProducerEpoch(3),
            is_transactional: true,
            is_control: true,
            ..BatchOptions::default()
        });
        // Version 0 and the coordinator's epoch.
        builder.push(1000, Some(&kind.key()), Some(&[0, 0, 0, 0, 0, 9]));
        assert_eq!(builder.build().expect("small"), java(name), "{name}");
    }
}

#[test]
fn every_cut_and_every_flipped_bit_of_javas_batches_is_noticed() {
    for (name, _) in CODECS {
        let batch = java(&format!("three-{name}"));
        for length in 1..batch.len() {
            assert!(
                check_produced(&batch.slice(..length), &rules(true)).is_err(),
                "{name} cut at {length}"
            );
            let last = batches(&batch[..length]).last().expect("one answer");
            assert!(last.is_err(), "{name} cut at {length}");
        }
        // The leader epoch is the broker's to write; all else is under the checksum or checked by itself.
        for bit in (0..8 * batch.len()).filter(|bit| !(12..16).contains(&(bit / 8))) {
            let mut flipped = batch.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(
                check_produced(&flipped.into(), &rules(false)).is_err(),
                "{name} bit {bit}"
            );
        }
        let header = BatchHeader::parse(&batch).expect("whole");
        assert_eq!(check_crc(&header, &batch), Ok(()), "{name}");
    }
}
