//! Batches built, checked, walked and searched.

mod bombs;
mod fuzz;
mod golden;
mod hostile;

use bytes::Bytes;
use proptest::prelude::*;
use record::{
    BAD_RECORDS_MAX, BadRecord, BatchBuilder, BatchError, BatchHeader, BatchOptions, Codec, HEADER_BYTES,
    Packing, Rules, TimestampRule, Why, check_produced, compress, decompress, first_at_or_after,
    of_max_timestamp, repack, walk, with_log_append_time,
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

fn bad(records: &[(i32, Why)]) -> BatchError {
    BatchError::BadRecords(
        records
            .iter()
            .map(|(index, why)| BadRecord {
                index: *index,
                why: *why,
            })
            .collect(),
    )
}

/// Keys at 1 and 3, times 10, 30, 20, 40.
fn spotty(codec: Codec) -> Bytes {
    let (key, value) = (Some(&b"k"[..]), Some(&b"v"[..]));
    batch(
        codec,
        &[
            (10, None, value),
            (30, key, value),
            (20, None, value),
            (40, key, value),
        ],
    )
}

#[test]
fn every_keyless_record_is_named_on_a_compacted_topic() {
    let rules = Rules {
        needs_keys: true,
        ..RULES
    };
    for codec in Codec::ALL {
        let error = bad(&[(0, Why::NoKey), (2, Why::NoKey)]);
        assert_eq!(error.error_code(), ErrorCode::InvalidRecord);
        assert_eq!(check_produced(&spotty(codec), &rules), Err(error), "{codec:?}");
    }
}

#[test]
fn every_record_out_of_the_range_of_times_is_named() {
    let rules = |earliest, latest| Rules {
        timestamps: TimestampRule::Between { earliest, latest },
        ..RULES
    };
    for codec in Codec::ALL {
        let late = bad(&[(1, Why::Timestamp(30)), (3, Why::Timestamp(40))]);
        assert_eq!(late.error_code(), ErrorCode::InvalidTimestamp);
        assert_eq!(
            check_produced(&spotty(codec), &rules(i64::MIN, 25)),
            Err(late),
            "{codec:?}"
        );
        let early = bad(&[(0, Why::Timestamp(10)), (2, Why::Timestamp(20))]);
        assert_eq!(
            check_produced(&spotty(codec), &rules(21, 99)),
            Err(early),
            "{codec:?}"
        );
        assert!(
            check_produced(&spotty(codec), &rules(10, 40)).is_ok(),
            "both ends belong to it"
        );
    }
    // A missing key is looked for first, and one bad time makes the batch a matter of times.
    let both = Rules {
        needs_keys: true,
        ..rules(0, 35)
    };
    let error = bad(&[(0, Why::NoKey), (2, Why::NoKey), (3, Why::Timestamp(40))]);
    assert_eq!(error.error_code(), ErrorCode::InvalidTimestamp);
    assert_eq!(check_produced(&spotty(Codec::Gzip), &both), Err(error));
}

#[test]
fn no_more_records_are_named_than_an_answer_holds() {
    let mut builder = BatchBuilder::new(BatchOptions {
        codec: Codec::Zstd,
        ..BatchOptions::default()
    });
    (0..BAD_RECORDS_MAX + 9).for_each(|_| builder.push(1, None, None));
    let rules = Rules {
        needs_keys: true,
        ..RULES
    };
    let error = check_produced(&builder.build().expect("memory suffices"), &rules).expect_err("no keys");
    assert_eq!(error.bad_records().len(), BAD_RECORDS_MAX);
}

#[test]
fn a_batch_is_packed_as_the_topic_wants_it() {
    for from in Codec::ALL {
        for to in Codec::ALL {
            let sent = spotty(from);
            let header = check_produced(&sent, &RULES).expect("ours");
            let packing = Packing {
                codec: to,
                level: None,
            };
            let (packed, header) = repack(&sent, &header, &RULES, packing).expect("sound");
            assert_eq!(header.codec(), Ok(to), "{from:?} to {to:?}");
            let checked = check_produced(&packed, &RULES).expect("sealed");
            assert_eq!((checked.records_count, checked.max_timestamp), (4, 40));
            let plain = |batch: &Bytes, codec| decompress(codec, &batch.slice(HEADER_BYTES..), 1 << 20);
            assert_eq!(plain(&packed, to), plain(&sent, from), "{from:?} to {to:?}");
        }
    }
}

#[test]
fn packing_again_meets_the_same_rules_and_the_same_limit() {
    let rules = Rules {
        needs_keys: true,
        ..RULES
    };
    let sent = spotty(Codec::Gzip);
    let header = check_produced(&sent, &RULES).expect("without the rule");
    let packing = Packing {
        codec: Codec::Zstd,
        level: Some(9),
    };
    let refused = repack(&sent, &header, &rules, packing);
    assert_eq!(refused, Err(bad(&[(0, Why::NoKey), (2, Why::NoKey)])));
    let zeros = vec![0; 100_000];
    let sent = batch(Codec::Gzip, &[(1, None, Some(&zeros))]);
    let small = Rules {
        bytes_max: 50_000,
        ..RULES
    };
    let header = check_produced(&sent, &small).expect("small as it comes");
    let plain = Packing {
        codec: Codec::None,
        level: None,
    };
    let refused = repack(&sent, &header, &small, plain);
    assert_eq!(
        refused.expect_err("large").error_code(),
        ErrorCode::MessageTooLarge
    );
    let garbage: Bytes = [&sent[..HEADER_BYTES], &[0xff; 30]].concat().into();
    assert!(repack(&garbage, &header, &RULES, plain).is_err());
}

#[test]
fn what_lies_below_a_log_start_is_not_found() {
    for codec in Codec::ALL {
        let find = |from, timestamp| {
            first_at_or_after(&sample(codec), Offset(from), timestamp, 1 << 20).expect("sound")
        };
        assert_eq!(find(1, 5), Some((Offset(1), 30)), "{codec:?}");
        assert_eq!(find(2, 5), Some((Offset(2), 20)), "{codec:?}");
        assert_eq!(find(3, 5), None, "{codec:?}");
    }
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
    let every = [0, 1, 2].map(|index| (index, Why::TimestampType));
    assert_eq!(check_produced(&stamped, &replaced), Err(bad(&every)));
    assert_eq!(with_log_append_time(&stamped, None).slice(21..23)[..], [0, 0]);
}

#[test]
fn records_are_found_by_time_inside_the_batch() {
    for codec in Codec::ALL {
        let batch = sample(codec);
        let find = |timestamp| first_at_or_after(&batch, Offset(0), timestamp, 1 << 20).expect("sound");
        assert_eq!(find(5), Some((Offset(0), 10)));
        assert_eq!(find(11), Some((Offset(1), 30)));
        assert_eq!(find(31), None);
        assert_eq!(
            of_max_timestamp(&batch, Offset(0), 1 << 20),
            Ok(Some((Offset(1), 30)))
        );
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
    fn compressed_records_are_judged_as_the_same_uncompressed(
        sizes in prop::collection::vec((0usize..40_000, 0usize..300), 1..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        codec in prop::sample::select(&Codec::ALL[1..]),
    ) {
        let records: Vec<_> = sizes.iter().map(|(value, key)| (vec![7u8; *value], vec![1u8; *key])).collect();
        let borrowed: Vec<_> = records.iter().enumerate().map(|(at, (v, k))| (at as i64, Some(&k[..]), Some(&v[..]))).collect();
        let mut plain = batch(Codec::None, &borrowed).to_vec();
        for (at, byte) in changes {
            let at = HEADER_BYTES + at.index(plain.len() - HEADER_BYTES);
            plain[at] = byte;
        }
        let packed = compress(codec, &plain[HEADER_BYTES..]).expect("memory suffices");
        let mut other = [&plain[..HEADER_BYTES], &packed].concat();
        other[22] |= codec.attributes() as u8;
        let seal = |mut bytes: Vec<u8>| -> Bytes {
            let length = (bytes.len() - 12) as i32;
            bytes[8..12].copy_from_slice(&length.to_be_bytes());
            let crc = record::crc32c(&bytes[21..]);
            bytes[17..21].copy_from_slice(&crc.to_be_bytes());
            bytes.into()
        };
        let rules = Rules { needs_keys: true, ..RULES };
        let (plain, other) = (check_produced(&seal(plain), &rules), check_produced(&seal(other), &rules));
        prop_assert_eq!(plain.as_ref().map(|h| h.max_timestamp).ok(), other.as_ref().map(|h| h.max_timestamp).ok(), "{:?} {:?}", plain, other);
        prop_assert_eq!(plain.err().map(|e| e.error_code()), other.err().map(|e| e.error_code()));
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
