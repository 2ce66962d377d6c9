//! Kafka's files of one log segment: batches, offset index, time index (`LogSegment`, `OffsetIndex`, `TimeIndex`), and the
//! small files of a partition's folder. Pure: batches in, bytes out.

use record::BatchHeader;
use types::{LeaderEpoch, Offset, Uuid};

/// `log.index.interval.bytes`: an index has an entry for each so many bytes at most.
const INDEX_INTERVAL_BYTES: u64 = 4096;
/// Positions and relative offsets have 32 bits.
const POSITION_MAX: u64 = i32::MAX as u64;

/// The indexes of a segment in the making.
#[derive(Debug)]
pub struct Indexes {
    base: Offset,
    position: u64,
    since_entry: u64,
    /// The largest timestamp so far, and the last offset of the batch that bears it.
    newest: Option<(i64, Offset)>,
    offsets: Vec<u8>,
    times: Vec<u8>,
    last_time: Option<i64>,
}

impl Indexes {
    pub fn new(base: Offset) -> Indexes {
        Indexes {
            base,
            position: 0,
            since_entry: 0,
            newest: None,
            offsets: Vec::new(),
            times: Vec::new(),
            last_time: None,
        }
    }

    /// Whether the batch still goes into this segment's file.
    pub fn takes(&self, header: &BatchHeader) -> bool {
        let end = self.position + header.total_bytes() as u64;
        end <= POSITION_MAX && header.last_offset().0 - self.base.0 <= i64::from(i32::MAX)
    }

    /// A batch is appended to the file.
    pub fn append(&mut self, header: &BatchHeader) {
        let last = header.last_offset();
        if self
            .newest
            .is_none_or(|(timestamp, _)| timestamp < header.max_timestamp)
        {
            self.newest = Some((header.max_timestamp, last));
        }
        if INDEX_INTERVAL_BYTES < self.since_entry {
            self.offsets.extend_from_slice(&self.relative(last).to_be_bytes());
            self.offsets
                .extend_from_slice(&(self.position as u32).to_be_bytes());
            self.time_entry();
            self.since_entry = 0;
        }
        self.position += header.total_bytes() as u64;
        self.since_entry += header.total_bytes() as u64;
    }

    fn relative(&self, offset: Offset) -> u32 {
        u32::try_from(offset.0 - self.base.0).unwrap_or(u32::MAX)
    }

    /// Times in the index ascend.
    fn time_entry(&mut self) {
        let Some((timestamp, offset)) = self.newest else {
            return;
        };
        if 0 <= timestamp && self.last_time.is_none_or(|last| last < timestamp) {
            self.times.extend_from_slice(&timestamp.to_be_bytes());
            self.times.extend_from_slice(&self.relative(offset).to_be_bytes());
            self.last_time = Some(timestamp);
        }
    }

    /// The bytes of `.index` and `.timeindex`.
    pub fn finish(mut self) -> (Vec<u8>, Vec<u8>) {
        self.time_entry();
        (self.offsets, self.times)
    }
}

/// The file `leader-epoch-checkpoint`.
pub fn epoch_checkpoint(epochs: &[(LeaderEpoch, Offset)]) -> String {
    let rows: String = epochs
        .iter()
        .map(|(epoch, start)| format!("{} {}\n", epoch.0, start.0))
        .collect();
    format!("0\n{}\n{rows}", epochs.len())
}

/// The file `partition.metadata`.
pub fn partition_metadata(topic_id: Uuid) -> String {
    format!("version: 0\ntopic_id: {topic_id}")
}

/// Whether a topic's name may name a folder (`Topic.validate`).
pub fn is_folder_name(topic: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !topic.is_empty() && topic.len() <= 249 && topic != "." && topic != ".." && topic.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use record::{BatchBuilder, BatchOptions};

    use super::*;

    fn header(base: i64, timestamp: i64, bytes: usize) -> BatchHeader {
        let mut builder = BatchBuilder::new(BatchOptions {
            base_offset: Offset(base),
            ..BatchOptions::default()
        });
        builder.push(timestamp, None, Some(&vec![0; bytes]));
        builder.push(timestamp - 5, None, None);
        BatchHeader::parse(&builder.build().expect("memory suffices")).expect("ours")
    }

    #[test]
    fn an_index_has_an_entry_where_more_than_4096_bytes_went_before() {
        let mut indexes = Indexes::new(Offset(100));
        let headers: Vec<BatchHeader> = (0..10).map(|at| header(100 + 2 * at, 1000 + at, 1500)).collect();
        headers.iter().for_each(|header| indexes.append(header));
        let bytes = headers[0].total_bytes() as u32;
        let (offsets, times) = indexes.finish();
        // The fourth batch is the first with three before it; its last offset and its position.
        assert_eq!(
            offsets[..8],
            [7u32.to_be_bytes(), (3 * bytes).to_be_bytes()].concat()
        );
        assert_eq!(offsets.len(), 3 * 8);
        // The same rows, each with the newest time so far, and one at the end; here that is the last row's.
        assert_eq!(
            times[..12],
            [&1003i64.to_be_bytes()[..], &7u32.to_be_bytes()[..]].concat()
        );
        assert_eq!(times.len(), 3 * 12);
    }

    #[test]
    fn small_files_are_kafkas() {
        assert_eq!(
            epoch_checkpoint(&[(LeaderEpoch(0), Offset(0)), (LeaderEpoch(3), Offset(9))]),
            "0\n2\n0 0\n3 9\n"
        );
        assert!(is_folder_name("orders.v1") && !is_folder_name("../x") && !is_folder_name(".."));
    }
}
