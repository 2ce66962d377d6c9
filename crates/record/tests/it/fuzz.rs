//! Arbitrary batches and payloads: mostly ours with something changed. A few thousand in an ordinary run; `OTTLA_CASES`
//! asks for more, and `cargo bolero` goes on without end.

use bolero::TypeGenerator;
use bytes::Bytes;
use record::{
    BatchBuilder, BatchHeader, BatchOptions, Codec, HEADER_BYTES, Packing, Rules, TimestampRule,
    check_produced, compress, crc32c, decompress, first_at_or_after, of_max_timestamp, repack, walk,
};
use types::Offset;

const PLAIN_BYTES_MAX: usize = 256 << 10;

fn cases(ordinary: usize) -> usize {
    let said = std::env::var("OTTLA_CASES").ok();
    said.and_then(|text| text.parse().ok()).unwrap_or(ordinary)
}

/// What is done to bytes of ours.
#[derive(Debug, Clone, TypeGenerator)]
struct Change {
    original: u8,
    edits: [(u16, u8); 4],
    edited: u8,
    cut: u16,
    tail: [u8; 6],
    tails: u8,
    rules: u8,
}

impl Change {
    fn of(&self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for (at, value) in self.edits.iter().take(usize::from(self.edited % 5)) {
            let at = usize::from(*at) % bytes.len();
            bytes[at] = *value;
        }
        if self.cut.is_multiple_of(4) {
            bytes.truncate(usize::from(self.cut / 4) % (bytes.len() + 1));
        }
        bytes.extend(self.tail.iter().take(usize::from(self.tails % 7)));
        bytes
    }

    fn rules(&self) -> Rules {
        let timestamps = match self.rules % 3 {
            0 => TimestampRule::Replaced,
            1 => TimestampRule::Between {
                earliest: i64::MIN,
                latest: i64::MAX,
            },
            _ => TimestampRule::Between {
                earliest: 15,
                latest: 900,
            },
        };
        Rules {
            bytes_max: 64 << 10,
            needs_keys: self.rules & 4 != 0,
            timestamps,
            allows_zstd: self.rules & 8 == 0,
            decompressed_bytes_max: PLAIN_BYTES_MAX,
        }
    }
}

fn originals() -> Vec<Bytes> {
    let build = |codec, records: usize, value: &[u8]| {
        let mut builder = BatchBuilder::new(BatchOptions {
            codec,
            ..BatchOptions::default()
        });
        for index in 0..records {
            let key = (index % 3 != 0).then_some(&b"key"[..]);
            let headers = [("h", Some(&b"1"[..])), ("h", None)];
            builder.push_with_headers(10 * index as i64, key, Some(value), &headers);
        }
        builder.build().expect("small")
    };
    let every = Codec::ALL.into_iter();
    every
        .flat_map(|codec| {
            [
                build(codec, 1, b"v"),
                build(codec, 40, b"value"),
                build(codec, 3, &[7; 3000]),
            ]
        })
        .collect()
}

/// Mends length and checksum, so that what lies behind them is looked at.
fn mended(mut bytes: Vec<u8>) -> Bytes {
    if HEADER_BYTES <= bytes.len() {
        let length = (bytes.len() - 12) as i32;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes[16] = 2;
        let crc = crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    }
    bytes.into()
}

fn read_everything(bytes: &Bytes, rules: &Rules) {
    let Ok(header) = check_produced(bytes, rules) else {
        return;
    };
    let codec = header.codec().expect("checked");
    let payload = bytes.slice(HEADER_BYTES..);
    if let Ok(plain) = decompress(codec, &payload, PLAIN_BYTES_MAX) {
        for record in walk(&header, &plain).take_while(Result::is_ok).flatten() {
            record.headers.iter().for_each(drop);
        }
    }
    let found = first_at_or_after(bytes, Offset(0), 20, PLAIN_BYTES_MAX);
    let largest = of_max_timestamp(bytes, Offset(0), PLAIN_BYTES_MAX);
    assert!(found.is_ok() || largest.is_err(), "the same records, read twice");
    for target in Codec::ALL.into_iter().filter(|target| *target != codec) {
        let packing = Packing {
            codec: target,
            level: None,
        };
        if let Ok((packed, header)) = repack(bytes, &header, rules, packing) {
            record::check_crc(&header, &packed).expect("sealed");
            assert_eq!(header.codec(), Ok(target));
        }
    }
}

#[test]
fn any_batch_gets_an_answer() {
    let originals = originals();
    bolero::check!()
        .with_type::<Change>()
        .with_iterations(cases(3_000))
        .for_each(|change| {
            let original = &originals[usize::from(change.original) % originals.len()];
            let changed = change.of(original);
            let _ = BatchHeader::parse(&changed).is_ok();
            record::batches(&changed).for_each(drop);
            let _ = check_produced(&Bytes::copy_from_slice(&changed), &change.rules()).is_ok();
            read_everything(&mended(changed), &change.rules());
        });
}

#[test]
fn any_payload_opens_within_its_cap_or_not_at_all() {
    let plains: [Vec<u8>; 3] = [
        b"hello".to_vec(),
        (0..20_000u32).flat_map(|n| (n / 5).to_le_bytes()).collect(),
        vec![0; 400_000],
    ];
    let packed = |codec: Codec| {
        plains
            .iter()
            .map(move |plain| (codec, compress(codec, plain).expect("small")))
    };
    let mut originals: Vec<(Codec, Bytes)> =
        Codec::ALL[1..].iter().flat_map(|codec| packed(*codec)).collect();
    for plain in &plains {
        let raw = snap_raw(plain);
        originals.push((Codec::Snappy, raw));
    }
    bolero::check!()
        .with_type::<Change>()
        .with_iterations(cases(3_000))
        .for_each(|change| {
            let (codec, original) = &originals[usize::from(change.original) % originals.len()];
            let changed = Bytes::from(change.of(original));
            if let Ok(plain) = decompress(*codec, &changed, PLAIN_BYTES_MAX) {
                assert!(plain.len() <= PLAIN_BYTES_MAX);
            }
        });
}

fn snap_raw(plain: &[u8]) -> Bytes {
    snap::raw::Encoder::new()
        .compress_vec(plain)
        .expect("small")
        .into()
}
