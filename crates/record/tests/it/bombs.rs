//! A mebibyte of input that opens to as much as its codec can: refused, with at most 8 MiB of memory on the way
//! (`security.md` S4). Memory is looked at from outside, as the codecs' own libraries see none of our allocator: the
//! test runs itself again in a process of its own.

use std::io::Write;
use std::process::Command;

use bytes::{Bytes, BytesMut};
use record::{BatchBuilder, BatchOptions, Codec, HEADER_BYTES, Rules, TimestampRule, check_produced, crc32c};

const INPUT_BYTES: usize = 1 << 20;
const EXTRA_KIB_MAX: u64 = 8 << 10;
const CHILD: &str = "OTTLA_BOMB";

const RULES: Rules = Rules {
    bytes_max: 2 << 20,
    needs_keys: true,
    timestamps: TimestampRule::Replaced,
    allows_zstd: true,
    // As a topic of the usual max.message.bytes has it.
    decompressed_bytes_max: 100 << 20,
};

/// What the bomb opens to: one record, as long as the batch, of zeros that are a value.
fn plain_head(bytes: usize) -> Vec<u8> {
    // Length, attributes, deltas, a key of 1 byte, and the length of the value.
    let varint = |value: usize| {
        let (mut rest, mut out) = (value << 1, Vec::new());
        while 0x80 <= rest {
            out.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
        out
    };
    let inside = [&[0, 0, 0, 2, b'k'][..], &varint(bytes)].concat();
    [varint(inside.len() + bytes + 1), inside].concat()
}

/// Stops to take output at `INPUT_BYTES`.
struct Full<'a>(&'a mut Vec<u8>);

impl Write for Full<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A payload of about a mebibyte that opens to `opens` bytes.
fn bomb(kind: &str, opens: usize) -> (Codec, Vec<u8>) {
    let zeros = vec![0; 1 << 20];
    let mut packed = Vec::new();
    let fill = |encoder: &mut dyn Write| {
        encoder.write_all(&plain_head(opens)).expect("memory suffices");
        for _ in 0..opens >> 20 {
            encoder.write_all(&zeros).expect("memory suffices");
        }
        // No headers.
        encoder.write_all(&[0]).expect("memory suffices");
    };
    let codec = match kind {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(
                Full(&mut packed),
                flate2::Compression::new(if 200 << 20 < opens { 9 } else { 1 }),
            );
            fill(&mut encoder);
            encoder.finish().expect("memory suffices");
            Codec::Gzip
        }
        "lz4" => {
            let mut encoder = lz4::EncoderBuilder::new()
                .block_size(lz4::BlockSize::Max4MB)
                .build(Full(&mut packed))
                .expect("memory suffices");
            fill(&mut encoder);
            encoder.finish().1.expect("memory suffices");
            Codec::Lz4
        }
        "zstd" | "zstd-wide" => {
            let level = if kind == "zstd" { 3 } else { 22 };
            let mut encoder =
                zstd::stream::write::Encoder::new(Full(&mut packed), level).expect("memory suffices");
            fill(&mut encoder);
            encoder.finish().expect("memory suffices");
            Codec::Zstd
        }
        _ => {
            let mut plain = Vec::new();
            fill(&mut plain);
            packed = snap::raw::Encoder::new()
                .compress_vec(&plain)
                .expect("memory suffices");
            Codec::Snappy
        }
    };
    (codec, packed)
}

fn batch(codec: Codec, payload: &[u8]) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.push(1, Some(b"k"), None);
    let head = builder.build().expect("small");
    let mut out = BytesMut::from(&head[..HEADER_BYTES]);
    out.extend_from_slice(payload);
    let length = (out.len() - 12) as i32;
    out[8..12].copy_from_slice(&length.to_be_bytes());
    out[22] = codec.attributes() as u8;
    let crc = crc32c(&out[21..]);
    out[17..21].copy_from_slice(&crc.to_be_bytes());
    out.freeze()
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .expect("a field of Linux");
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("KiB")
}

/// In a process of its own: opens the batch in the file, and prints what memory that took.
fn child(path: &str) {
    let bytes = Bytes::from(std::fs::read(path).expect("written by the parent"));
    // What the process itself is made of, once.
    let _ = check_produced(&batch(Codec::None, &[]), &RULES).is_ok();
    let before = status("VmRSS");
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
    let answer = check_produced(&bytes, &RULES);
    let extra = status("VmHWM").saturating_sub(before);
    println!(
        "{} extra {extra}",
        if answer.is_err() { "refused" } else { "taken" }
    );
}

#[test]
fn bombs_are_refused_with_little_memory() {
    if let Ok(path) = std::env::var(CHILD) {
        return child(&path);
    }
    // Snappy grows by 21 at most; the others are made large enough for their caps, and a gigabyte when asked for.
    let large = if std::env::var_os("OTTLA_CASES").is_some() {
        1000 << 20
    } else {
        110 << 20
    };
    for (kind, opens) in [
        ("gzip", large),
        ("lz4", large.min(200 << 20)),
        ("zstd", large),
        ("zstd-wide", 16 << 20),
        ("snappy", 20 << 20),
    ] {
        let (codec, packed) = bomb(kind, opens);
        assert!(
            packed.len() < INPUT_BYTES + (128 << 10),
            "{kind}: {} bytes",
            packed.len()
        );
        let path = std::env::temp_dir().join(format!("ottla-bomb-{kind}-{}", std::process::id()));
        std::fs::write(&path, batch(codec, &packed)).expect("a temporary file");
        let output = Command::new(std::env::current_exe().expect("a test binary"))
            .args([
                "--exact",
                "bombs::bombs_are_refused_with_little_memory",
                "--nocapture",
            ])
            .env(CHILD, &path)
            .output()
            .expect("this test again");
        std::fs::remove_file(&path).expect("ours");
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text
            .lines()
            .find(|line| line.contains(" extra "))
            .expect("the child's line");
        let extra: u64 = line
            .split_whitespace()
            .last()
            .and_then(|kib| kib.parse().ok())
            .expect("KiB");
        assert!(extra <= EXTRA_KIB_MAX, "{kind}: {line} KiB");
        // 20 MiB of snappy are within the cap of an honest topic, and pass in little memory.
        assert_eq!(line.contains("refused"), kind != "snappy", "{kind}: {line}");
    }
}
