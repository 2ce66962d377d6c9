//! Payloads of clients that are wrong, or mean it.

use std::io::Write;

use bytes::{BufMut, Bytes, BytesMut};
use record::{
    BatchBuilder, BatchError, BatchOptions, Codec, HEADER_BYTES, Rules, TimestampRule, check_produced,
    compress, decompress,
};

const RULES: Rules = Rules {
    bytes_max: 1 << 20,
    needs_keys: true,
    timestamps: TimestampRule::Between {
        earliest: 0,
        latest: i64::MAX,
    },
    allows_zstd: true,
    decompressed_bytes_max: 16 << 20,
};

#[test]
fn a_cut_payload_is_not_a_shorter_one() {
    let plain = vec![7u8; 300_000];
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let packed = compress(codec, &plain).expect("memory suffices");
        for length in [packed.len() / 2, packed.len() - 1] {
            let cut = decompress(codec, &packed.slice(..length), 1 << 20);
            assert!(
                cut.is_err(),
                "{codec:?} cut at {length} gives {:?}",
                cut.map(|plain| plain.len())
            );
        }
    }
}

#[test]
fn gzip_of_two_members_is_read_to_its_end() {
    // Java's GZIPInputStream does, so a consumer would see both.
    let mut packed = compress(Codec::Gzip, b"one").expect("small").to_vec();
    packed.extend_from_slice(&compress(Codec::Gzip, b"two").expect("small"));
    assert_eq!(
        decompress(Codec::Gzip, &packed.into(), 100).as_deref(),
        Ok(&b"onetwo"[..])
    );
}

#[test]
fn a_varint_of_six_bytes_is_refused() {
    // Java's ByteUtils.readVarint ends at five bytes: no Java consumer could read this batch.
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.push(5, Some(b"k"), Some(b"v"));
    let sound = builder.build().expect("small");
    let mut long = BytesMut::from(&sound[..HEADER_BYTES]);
    let body = sound.get(HEADER_BYTES + 1..).expect("one record");
    long.put_u8(((body.len() as u8) << 1) | 0x80);
    long.extend_from_slice(&[0x80, 0x80, 0x80, 0x80, 0]);
    long.extend_from_slice(body);
    let length = (long.len() - 12) as i32;
    long[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = record::crc32c(&long[21..]);
    long[17..21].copy_from_slice(&crc.to_be_bytes());
    let answer = check_produced(&long.freeze(), &RULES);
    assert!(
        matches!(answer, Err(BatchError::Malformed { index: 0, .. })),
        "{answer:?}"
    );
}

#[test]
fn bombs_of_every_codec_are_refused() {
    let zeros = vec![0u8; 1 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut zstd = zstd::stream::Encoder::new(Vec::new(), 3).expect("memory suffices");
    for _ in 0..6 {
        gzip.write_all(&zeros).expect("memory suffices");
        zstd.write_all(&zeros).expect("memory suffices");
    }
    let bombs = [
        (Codec::Gzip, gzip.finish().expect("memory suffices")),
        (Codec::Zstd, zstd.finish().expect("memory suffices")),
    ];
    for (codec, packed) in bombs {
        let answer = decompress(codec, &packed.into(), 4 << 20);
        assert_eq!(answer, Err(BatchError::Bomb { max: 4 << 20 }), "{codec:?}");
    }
}

#[test]
fn forged_lengths_buy_nothing() {
    // Raw snappy that claims 4 GiB, and a xerial block that does.
    let raw = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, b'x']);
    assert!(decompress(Codec::Snappy, &raw, usize::MAX).is_err());
    let mut framed = BytesMut::from(&b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0\x07"[..]);
    framed.extend_from_slice(&raw);
    assert!(decompress(Codec::Snappy, &framed.freeze(), usize::MAX).is_err());
}
