//! The fine index of sealed chunks: read from their footers when it is wanted, kept under a byte budget.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use types::{Offset, TopicIdPartition};

use super::Stream;
use crate::ReadError;
use crate::chunk::Chunk;
use crate::format::footer::{FineExtent, Footer, FooterRun, TRAILER_BYTES, Trailer};
use crate::log::{Extent, Run};

/// Where the batches of each log lie in a sealed chunk. A sorted chunk may hold several runs of a log.
#[derive(Debug, Default)]
pub(crate) struct Fine {
    /// By base.
    runs: FxHashMap<(TopicIdPartition, u32), SmallVec<[FooterRun; 1]>>,
    bytes: usize,
}

impl Fine {
    pub(crate) fn new(footer: Footer) -> Fine {
        let extents: usize = footer.runs.iter().map(|run| run.extents.len()).sum();
        let bytes = extents * size_of::<FineExtent>() + footer.runs.len() * 2 * size_of::<FooterRun>();
        let mut runs: FxHashMap<_, SmallVec<[FooterRun; 1]>> = FxHashMap::default();
        for run in footer.runs {
            runs.entry((run.target, run.incarnation)).or_default().push(run);
        }
        runs.values_mut()
            .for_each(|of_log| of_log.sort_by_key(|run| run.base));
        Fine { runs, bytes }
    }

    /// The logs with records in the chunk.
    pub(crate) fn logs(&self) -> Vec<(TopicIdPartition, u32)> {
        let mut logs: Vec<_> = self.runs.keys().copied().collect();
        logs.sort_unstable();
        logs
    }

    /// The extents of a log that reach beyond `from`, up to `end`, in the run that begins at or before `base`.
    pub(crate) fn extents(
        &self,
        log: (TopicIdPartition, u32),
        of: &Run,
        from: Offset,
        end: Offset,
    ) -> impl Iterator<Item = Extent> + '_ {
        // What lies before the run is served by another one.
        let from = from.max(of.base);
        let of_log = self.runs.get(&log).map_or(&[][..], |runs| runs);
        let after = of_log.partition_point(|run| run.base <= of.base);
        let run = after.checked_sub(1).and_then(|at| of_log.get(at));
        let (base, last) = run.map_or((Offset(0), Offset(0)), |run| (run.base, run.next.min(end)));
        let extents = run.map_or(&[][..], |run| &run.extents);
        let max_timestamp = run.map_or(-1, |run| run.max_timestamp);
        let first_after = extents.partition_point(|extent| base.plus(i64::from(extent.offset_delta)) <= from);
        let first = first_after.saturating_sub(1);
        let chunk = of.chunk;
        let extent_at = move |at: usize| {
            let extent = extents.get(at)?;
            let next = extents
                .get(at + 1)
                .map_or(last, |next| base.plus(i64::from(next.offset_delta)).min(last));
            let found = Extent {
                base: base.plus(i64::from(extent.offset_delta)),
                next,
                chunk,
                position: u64::from(extent.position),
                bytes: extent.bytes,
                max_timestamp: max_timestamp.saturating_sub(i64::from(extent.ts_delta)),
                cover_crc: extent.cover_crc,
            };
            (found.base < end).then_some(found)
        };
        (first..)
            .map_while(extent_at)
            .filter(move |extent| from < extent.next)
    }
}

/// A run as the footer has it; none if it does not fit the fields of the format.
pub(crate) fn footer_run(
    log: (TopicIdPartition, u32),
    run: &Run,
    next: Offset,
    extents: &[Extent],
) -> Option<FooterRun> {
    let fine = |extent: &Extent| {
        Some(FineExtent {
            offset_delta: u32::try_from(extent.base.0 - run.base.0).ok()?,
            position: u32::try_from(extent.position).ok()?,
            bytes: extent.bytes,
            ts_delta: u32::try_from(run.max_timestamp.saturating_sub(extent.max_timestamp))
                .unwrap_or(u32::MAX),
            cover_crc: extent.cover_crc,
        })
    };
    Some(FooterRun {
        target: log.0,
        incarnation: log.1,
        base: run.base,
        next,
        bytes: run.bytes,
        batches: u32::try_from(extents.len()).ok()?,
        max_timestamp: run.max_timestamp,
        max_wall_ms: 0,
        first_lsn: types::Lsn(0),
        last_lsn: types::Lsn(0),
        extents: extents.iter().map(fine).collect::<Option<Vec<_>>>()?,
    })
}

/// Where the footer of a chunk lies, if it has one of this life.
pub(crate) fn read_trailer(chunk: &Chunk) -> Result<Option<Trailer>, std::io::Error> {
    let Some(at) = chunk.bytes.checked_sub(TRAILER_BYTES as u64) else {
        return Ok(None);
    };
    let mut bytes = [0; TRAILER_BYTES];
    chunk.file.read_exact_at(&mut bytes, at)?;
    let inside = |trailer: &Trailer| {
        let end = trailer.position.checked_add(trailer.bytes);
        end.is_some_and(|end| end <= at)
    };
    Ok(Trailer::decode(chunk.life, &bytes).filter(inside))
}

/// The footer of a chunk, if it has one of this life.
pub(crate) fn read_footer(chunk: &Chunk) -> Result<Option<Footer>, std::io::Error> {
    let Some(trailer) = read_trailer(chunk)? else {
        return Ok(None);
    };
    let mut blocks = vec![0; trailer.bytes as usize];
    chunk.file.read_exact_at(&mut blocks, trailer.position)?;
    match Footer::decode(chunk.life, &blocks) {
        Ok(footer) => Ok(Some(footer)),
        Err(error) => {
            tracing::warn!(chunk = chunk.id, %error, "a footer is damaged, the chunk is read instead");
            Ok(None)
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct FineCache(Mutex<Cached>);

#[derive(Debug, Default)]
struct Cached {
    by_chunk: FxHashMap<u64, (Arc<Fine>, u64)>,
    bytes: usize,
    now: u64,
}

impl FineCache {
    pub(crate) fn get(&self, chunk: u64) -> Option<Arc<Fine>> {
        let mut cached = self.0.lock();
        cached.now += 1;
        let now = cached.now;
        let (fine, used) = cached.by_chunk.get_mut(&chunk)?;
        *used = now;
        Some(fine.clone())
    }

    /// Keeps an index, and of the others those that were used last.
    pub(crate) fn put(&self, chunk: u64, fine: Arc<Fine>, bytes_max: usize) {
        let mut cached = self.0.lock();
        cached.now += 1;
        let now = cached.now;
        cached.bytes += fine.bytes;
        if let Some((old, _)) = cached.by_chunk.insert(chunk, (fine, now)) {
            cached.bytes -= old.bytes;
        }
        while bytes_max < cached.bytes && 1 < cached.by_chunk.len() {
            let oldest = cached
                .by_chunk
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(chunk, _)| *chunk);
            let Some((gone, _)) = oldest.and_then(|chunk| cached.by_chunk.remove(&chunk)) else {
                return;
            };
            cached.bytes -= gone.bytes;
        }
    }

    pub(crate) fn remove(&self, chunk: u64) {
        let mut cached = self.0.lock();
        if let Some((gone, _)) = cached.by_chunk.remove(&chunk) {
            cached.bytes -= gone.bytes;
        }
    }
}

impl Stream {
    pub(crate) fn fine_cached(&self, chunk: u64) -> Option<Arc<Fine>> {
        self.fine.get(chunk)
    }

    pub(crate) fn keep_fine(&self, chunk: u64, fine: Arc<Fine>) {
        self.fine.put(chunk, fine, self.options.fine_index_bytes);
    }

    /// The fine index of a sealed chunk. May wait for the disk.
    pub(crate) fn load_fine(&self, id: u64) -> Result<Arc<Fine>, ReadError> {
        if let Some(fine) = self.fine_cached(id) {
            return Ok(fine);
        }
        let chunk = self.chunk(id).ok_or(ReadError::Offline)?;
        let footer = match read_footer(&chunk)? {
            Some(footer) => footer,
            None if chunk.is_sorted() => {
                // Its runs are nowhere else.
                return Err(ReadError::Damaged {
                    chunk: id,
                    position: 0,
                    what: "its footer does not hold".to_owned(),
                });
            }
            None => crate::recovery::rebuild_footer(&chunk)?,
        };
        let fine = Arc::new(Fine::new(footer));
        self.keep_fine(id, fine.clone());
        Ok(fine)
    }
}

#[cfg(test)]
mod tests {
    use types::{PartitionIndex, Uuid};

    use super::*;

    #[test]
    fn extents_come_back_from_their_deltas() {
        let target = TopicIdPartition {
            topic_id: Uuid([1; 16]),
            partition: PartitionIndex(0),
        };
        let extent = |base: i64, timestamp| Extent {
            base: Offset(base),
            next: Offset(base + 10),
            chunk: 9,
            position: 4096 + base as u64,
            bytes: 50,
            max_timestamp: timestamp,
            cover_crc: 0,
        };
        let extents = [extent(100, 7), extent(110, 9), extent(120, 5)];
        let run = Run {
            chunk: 9,
            base: Offset(100),
            bytes: 150,
            max_timestamp: 9,
        };
        let in_footer = footer_run((target, 1), &run, Offset(130), &extents).expect("small");
        let fine = Fine::new(Footer {
            runs: vec![in_footer],
            states: Vec::new(),
        });
        let from = |from, end| {
            fine.extents((target, 1), &run, Offset(from), Offset(end))
                .collect::<Vec<_>>()
        };
        assert_eq!(from(0, 130), extents);
        assert_eq!(from(110, 130), extents[1..]);
        assert_eq!(from(119, 115), []);
        // A cut at 115: the piece is bounded, and the one behind it is gone.
        assert_eq!(
            from(110, 115),
            [Extent {
                next: Offset(115),
                ..extents[1]
            }]
        );
        assert_eq!(fine.extents((target, 2), &run, Offset(0), Offset(130)).count(), 0);
    }
}
