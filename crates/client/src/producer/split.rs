//! A batch that is larger than its topic allows, cut in two. Pure: bytes in, bytes out.

use bytes::Bytes;
use record::{
    BatchError, BatchHeader, BatchOptions, BatchWriter, HEADER_BYTES, HeaderRef, Record, decompress, walk,
};
use smallvec::SmallVec;

/// What a batch of ours may decompress to: far above what `batch.size` allows.
const PLAIN_BYTES_MAX: usize = i32::MAX as usize;

/// One of the two.
#[derive(Debug)]
pub(super) struct Half {
    pub(super) bytes: Bytes,
    pub(super) count: i32,
    /// Before compression.
    pub(super) plain_bytes: usize,
}

/// Cuts a batch of at least two records where about half of its bytes are on each side. Codec, producer and sequences
/// stay what they were, so that both are to the broker what the one was. `None` if it has one record, or is not ours.
pub(super) fn halves(batch: &Bytes) -> Option<[Half; 2]> {
    let header = BatchHeader::parse(batch).ok()?;
    let payload = batch.slice(HEADER_BYTES..);
    let plain = match header.codec().ok()? {
        record::Codec::None => payload,
        codec => decompress(codec, &payload, PLAIN_BYTES_MAX).ok()?,
    };
    let records: Vec<Record<'_>> = walk(&header, &plain).collect::<Result<_, BatchError>>().ok()?;
    let at = middle(&records)?;
    let (first, second) = records.split_at_checked(at)?;
    Some([pack(&header, first, 0)?, pack(&header, second, at as i32)?])
}

/// Behind how many records about half of the bytes are; at least one is on each side.
fn middle(records: &[Record<'_>]) -> Option<usize> {
    let size = |one: &Record<'_>| one.key.map_or(0, <[u8]>::len) + one.value.map_or(0, <[u8]>::len) + 10;
    let most = records.len().checked_sub(1).filter(|most| 1 <= *most)?;
    let all: usize = records.iter().map(size).sum();
    let mut before = 0;
    let within = records.iter().take_while(|one| {
        before += size(one);
        before <= all / 2
    });
    Some(within.count().clamp(1, most))
}

fn pack(header: &BatchHeader, records: &[Record<'_>], from: i32) -> Option<Half> {
    let mut writer = BatchWriter::with_capacity(header.total_bytes());
    for one in records {
        let headers: SmallVec<[HeaderRef<'_>; 4]> = one
            .headers
            .iter()
            .map(|(name, value)| Some((std::str::from_utf8(name).ok()?, value)))
            .collect::<Option<_>>()?;
        writer.push(one.timestamp, one.key, one.value, &headers);
    }
    let (count, plain_bytes) = (writer.count(), writer.bytes());
    let options = BatchOptions {
        codec: header.codec().ok()?,
        producer_id: header.producer_id,
        producer_epoch: header.producer_epoch,
        base_sequence: match header.base_sequence {
            0.. => super::queue::plus(header.base_sequence, from),
            none => none,
        },
        ..BatchOptions::default()
    };
    let bytes = writer.finish(&options).ok()?;
    Some(Half {
        bytes,
        count,
        plain_bytes,
    })
}

#[cfg(test)]
mod tests {
    use record::{Codec, check_crc};
    use types::{ProducerEpoch, ProducerId};

    use super::*;

    fn batch(codec: Codec, base_sequence: i32, values: &[&[u8]]) -> Bytes {
        let mut writer = BatchWriter::with_capacity(100);
        for (n, value) in (0..).zip(values) {
            writer.push(
                1000 - n,
                Some(b"k"),
                Some(value),
                &[("h", Some(b"1")), ("n", None)],
            );
        }
        let options = BatchOptions {
            codec,
            producer_id: ProducerId(7),
            producer_epoch: ProducerEpoch(3),
            base_sequence,
            ..BatchOptions::default()
        };
        writer.finish(&options).expect("memory suffices")
    }

    fn read(half: &Half) -> (BatchHeader, Vec<String>) {
        let header = BatchHeader::parse(&half.bytes).expect("whole");
        check_crc(&header, &half.bytes).expect("sound");
        let payload = half.bytes.slice(HEADER_BYTES..);
        let plain = match header.codec().expect("known") {
            Codec::None => payload,
            codec => decompress(codec, &payload, 1 << 20).expect("sound"),
        };
        let each = walk(&header, &plain).map(|one| {
            let one = one.expect("sound");
            let value = String::from_utf8_lossy(one.value.unwrap_or_default()).into_owned();
            let headers: Vec<_> = one.headers.iter().collect();
            assert_eq!(headers, [(&b"h"[..], Some(&b"1"[..])), (&b"n"[..], None)]);
            format!("{} {value}", one.timestamp)
        });
        (header, each.collect())
    }

    #[test]
    fn halves_hold_the_same_records_with_the_sequences_they_had() {
        for codec in Codec::ALL {
            let whole = batch(codec, i32::MAX - 1, &[b"a", b"b", b"c", b"d", b"e"]);
            let [first, second] = halves(&whole).expect("five records");
            let (header, records) = read(&first);
            assert_eq!(records, ["1000 a", "999 b"]);
            assert_eq!((header.base_sequence, header.producer_id.0), (i32::MAX - 1, 7));
            let (header, records) = read(&second);
            assert_eq!(records, ["998 c", "997 d", "996 e"]);
            assert_eq!(
                (header.base_sequence, header.producer_epoch.0),
                (0, 3),
                "it wraps"
            );
            assert_eq!((first.count, second.count), (2, 3));
        }
    }

    #[test]
    fn bytes_count_and_not_records() {
        let large = [b'x'; 500];
        let [first, second] = halves(&batch(Codec::None, 0, &[&large, b"b", b"c"])).expect("three");
        assert_eq!((first.count, second.count), (1, 2));
        let [first, second] = halves(&batch(Codec::None, 0, &[b"a", b"b", &large])).expect("three");
        assert_eq!((first.count, second.count), (2, 1));
    }

    #[test]
    fn one_record_is_not_cut() {
        assert!(halves(&batch(Codec::None, 0, &[b"a"])).is_none());
        assert!(halves(&Bytes::from_static(b"rubbish")).is_none());
    }

    #[test]
    fn a_batch_without_a_producer_stays_without_one() {
        let [_, second] = halves(&batch(Codec::Zstd, -1, &[b"a", b"b"])).expect("two");
        assert_eq!(read(&second).0.base_sequence, -1);
    }
}
