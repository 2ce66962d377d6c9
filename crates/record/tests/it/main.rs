//! Batches built, checked, walked and searched.

mod golden;
mod hostile;

use bytes::Bytes;
use proptest::prelude::*;
use record::{
    BatchBuilder, BatchError, BatchHeader, BatchOptions, Codec, HEADER_BYTES, Rules, TimestampRule,
    check_produced, decompress, first_at_or_after, of_max_timestamp, walk, with_log_append_time,
};
use types::{ErrorCode, Offset};

const RULES: Rules = Rules {
    bytes_max: 1 << 20,
    needs_keys: false,
    timestamps: TimestampRule::Between {
        earliest: 0,
        latest: i64::MAX,
    },
    allows_zstd: true,
    decompressed_bytes_max: 16 << 20,
};

/// Timestamp, key, value.
type Sent<'a> = (i64, Option<&'a [u8]>, Option<&'a [u8]>);

fn batch(codec: Codec, records: &[Sent<'_>]) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        codec,
        ..BatchOptions::default()
    });
    for (timestamp, key, value) in records {
        let headers = [("h", Some(&b"1"[..])), ("h", None)];
        builder.push_with_headers(*timestamp, *key, *value, &headers);
    }
    builder.build().expect("memory suffices")
}

fn sample(codec: Codec) -> Bytes {
    batch(
        codec,
        &[
            (10, Some(b"a"), Some(b"1")),
            (30, None, Some(b"2")),
            (20, Some(b"c"), None),
        ],
    )
}

/// Changes a byte and mends the checksum.
fn forged(at: usize, value: u8) -> Bytes {
    let mut bytes = sample(Codec::None).to_vec();
    bytes[at] = value;
    let crc = record::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

fn code(bytes: &Bytes, rules: &Rules) -> ErrorCode {
    check_produced(bytes, rules).map_or_else(|error| error.error_code(), |_| ErrorCode::None)
}

#[test]
fn every_codec_is_accepted() {
    for codec in Codec::ALL {
        assert_eq!(code(&sample(codec), &RULES), ErrorCode::None, "{codec:?}");
    }
}

#[test]
fn kafkas_errors_are_ours() {
    let twice: Bytes = [sample(Codec::None), sample(Codec::None)].concat().into();
    assert_eq!(code(&twice, &RULES), ErrorCode::InvalidRecord);
    assert_eq!(code(&Bytes::new(), &RULES), ErrorCode::InvalidRecord);
    assert_eq!(
        code(&sample(Codec::None).slice(..70), &RULES),
        ErrorCode::InvalidRecord
    );
    let mut flipped = sample(Codec::None).to_vec();
    *flipped.last_mut().expect("not empty") ^= 1;
    assert_eq!(code(&flipped.into(), &RULES), ErrorCode::CorruptMessage);
    assert_eq!(code(&forged(16, 1), &RULES), ErrorCode::InvalidRecord);
    assert_eq!(code(&forged(16, 3), &RULES), ErrorCode::CorruptMessage);
    assert_eq!(
        code(&forged(7, 5), &RULES),
        ErrorCode::InvalidRecord,
        "base offset"
    );
    assert_eq!(
        code(&forged(22, 0x20), &RULES),
        ErrorCode::InvalidRecord,
        "control bit"
    );
    assert_eq!(
        code(&forged(22, 7), &RULES),
        ErrorCode::InvalidRecord,
        "codec bits"
    );
    assert_eq!(
        code(&forged(26, 9), &RULES),
        ErrorCode::InvalidRecord,
        "last offset delta"
    );
    assert_eq!(
        code(&forged(HEADER_BYTES, 0x7f), &RULES),
        ErrorCode::InvalidRecord,
        "record length"
    );
    let small = Rules {
        bytes_max: 60,
        ..RULES
    };
    assert_eq!(code(&sample(Codec::None), &small), ErrorCode::MessageTooLarge);
    let old = Rules {
        allows_zstd: false,
        ..RULES
    };
    assert_eq!(
        code(&sample(Codec::Zstd), &old),
        ErrorCode::UnsupportedCompressionType
    );
}

#[test]
fn a_keyless_record_is_named_on_a_compacted_topic() {
    let rules = Rules {
        needs_keys: true,
        ..RULES
    };
    for codec in Codec::ALL {
        assert_eq!(
            check_produced(&sample(codec), &rules),
            Err(BatchError::NoKey { index: 1 }),
            "{codec:?}"
        );
    }
}

#[test]
fn timestamps_outside_the_range_are_named() {
    let rules = Rules {
        timestamps: TimestampRule::Between {
            earliest: 0,
            latest: 25,
        },
        ..RULES
    };
    let error = BatchError::Timestamp {
        index: 1,
        timestamp: 30,
    };
    assert_eq!(check_produced(&sample(Codec::None), &rules), Err(error.clone()));
    assert_eq!(
        (error.error_code(), error.record_index()),
        (ErrorCode::InvalidTimestamp, Some(1))
    );
}

#[test]
fn log_append_time_is_stamped_and_checked() {
    let stamped = with_log_append_time(&sample(Codec::None), Some(99));
    assert_eq!(code(&stamped, &RULES), ErrorCode::None);
    let header = BatchHeader::parse(&stamped).expect("whole");
    assert_eq!(
        (header.max_timestamp, header.timestamp_type()),
        (99, record::TimestampType::LogAppendTime)
    );
    let replaced = Rules {
        timestamps: TimestampRule::Replaced,
        ..RULES
    };
    assert_eq!(code(&stamped, &replaced), ErrorCode::InvalidTimestamp);
    assert_eq!(with_log_append_time(&stamped, None).slice(21..23)[..], [0, 0]);
}

#[test]
fn records_are_found_by_time_inside_the_batch() {
    for codec in Codec::ALL {
        let batch = sample(codec);
        let find = |timestamp| first_at_or_after(&batch, timestamp, 1 << 20).expect("sound");
        assert_eq!(find(5), Some((Offset(0), 10)));
        assert_eq!(find(11), Some((Offset(1), 30)));
        assert_eq!(find(31), None);
        assert_eq!(of_max_timestamp(&batch, 1 << 20), Ok(Some((Offset(1), 30))));
    }
}

proptest! {
    #[test]
    fn what_is_built_is_what_is_walked(
        records in prop::collection::vec((0i64..1 << 40, prop::option::of(prop::collection::vec(any::<u8>(), 0..40)), prop::option::of(prop::collection::vec(any::<u8>(), 0..200))), 1..40),
        codec in prop::sample::select(&Codec::ALL[..]),
    ) {
        let borrowed: Vec<_> = records.iter().map(|(t, k, v)| (*t, k.as_deref(), v.as_deref())).collect();
        let batch = batch(codec, &borrowed);
        let header = check_produced(&batch, &RULES).expect("ours");
        let plain = decompress(codec, &batch.slice(HEADER_BYTES..), 1 << 20).expect("ours");
        let walked: Vec<_> = walk(&header, &plain).map(|record| record.expect("ours")).collect();
        prop_assert_eq!(walked.len(), records.len());
        for (walked, (timestamp, key, value)) in walked.iter().zip(&borrowed) {
            prop_assert_eq!((walked.timestamp, walked.key, walked.value), (*timestamp, *key, *value));
            let headers: Vec<_> = walked.headers.iter().collect();
            prop_assert_eq!(headers, vec![(&b"h"[..], Some(&b"1"[..])), (&b"h"[..], None)]);
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let bytes = Bytes::from(bytes);
        let _ = check_produced(&bytes, &RULES).is_ok();
        for codec in Codec::ALL {
            let _ = decompress(codec, &bytes, 1 << 16).is_ok();
        }
    }
}
