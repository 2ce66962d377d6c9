//! Prints batches of ours, a name and the bytes in hex a line, for `tests/fixtures/RecordBatches.java read`.

use record::{BatchBuilder, BatchOptions, Codec, with_log_append_time};

fn three(codec: Codec) -> std::io::Result<bytes::Bytes> {
    let mut builder = BatchBuilder::new(BatchOptions {
        codec,
        ..BatchOptions::default()
    });
    let headers = [("h", Some(&b"1"[..])), ("h", None)];
    builder.push_with_headers(1000, Some(b"k1"), Some(b"v1"), &headers);
    builder.push(3000, None, Some(b"v2"));
    builder.push(2000, Some(b"k3"), None);
    builder.build()
}

fn large(codec: Codec) -> std::io::Result<bytes::Bytes> {
    let value: Vec<u8> = (0..100_000u32).map(|index| ((index / 11) % 251) as u8).collect();
    let mut builder = BatchBuilder::new(BatchOptions {
        codec,
        ..BatchOptions::default()
    });
    builder.push(1000, Some(b"k"), Some(&value));
    builder.build()
}

fn print(name: &str, bytes: &[u8]) {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{name}\t{hex}");
}

fn main() -> std::io::Result<()> {
    for codec in Codec::ALL {
        print(&format!("three-{codec:?}"), &three(codec)?);
        print(&format!("large-{codec:?}"), &large(codec)?);
    }
    print(
        "append-time",
        &with_log_append_time(&three(Codec::Gzip)?, Some(5000)),
    );
    Ok(())
}
