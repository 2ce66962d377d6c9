//! Where the batches of a log lie: one run a sealed chunk, and every piece of the chunk that is being written.

use rustc_hash::FxHashMap;
use types::Offset;

/// A contiguous piece of a chunk that holds batches of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) base: Offset,
    /// Batches that end behind it were cut off: readers leave them out.
    pub(crate) next: Offset,
    pub(crate) chunk: u64,
    pub(crate) position: u64,
    pub(crate) bytes: u32,
    pub(crate) max_timestamp: i64,
    /// Of a sorted chunk: over the first 21 bytes of each batch. 0 where the chunk's entries have it.
    pub(crate) cover_crc: u32,
}

/// The batches of a log in one sealed chunk, up to where the next run or extent begins. 32 bytes: there is one for each
/// pair of partition and chunk. Its pieces are in the chunk's footer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) chunk: u64,
    pub(crate) base: Offset,
    pub(crate) bytes: u64,
    pub(crate) max_timestamp: i64,
}

impl Run {
    /// The extents of one chunk as one.
    pub(crate) fn of(extents: &[Extent]) -> Option<Run> {
        let first = extents.first()?;
        Some(Run {
            chunk: first.chunk,
            base: first.base,
            bytes: extents.iter().map(|extent| u64::from(extent.bytes)).sum(),
            max_timestamp: extents
                .iter()
                .map(|extent| extent.max_timestamp)
                .max()
                .unwrap_or(-1),
        })
    }
}

/// Runs, then extents, all ascending.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    runs: Vec<Run>,
    open: Vec<Extent>,
    /// After the last batch.
    end: Offset,
    bytes: u64,
}

/// A run, where it ends, and the extents that it was made of.
pub(crate) type SealedRun = (Run, Offset, Vec<Extent>);

/// A run, and where it ends.
pub(crate) type BoundedRun = (Run, Offset);

impl Index {
    pub(crate) fn new(runs: Vec<Run>, open: Vec<Extent>, end: Offset) -> Index {
        let bytes = runs.iter().map(|run| run.bytes).sum::<u64>()
            + open.iter().map(|extent| u64::from(extent.bytes)).sum::<u64>();
        Index {
            runs,
            open,
            end,
            bytes,
        }
    }

    pub(crate) fn push(&mut self, extent: Extent) {
        self.bytes += u64::from(extent.bytes);
        self.end = extent.next;
        self.open.push(extent);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn end(&self) -> Offset {
        self.end
    }

    /// How many bytes lie in which chunk.
    pub(crate) fn bytes_by_chunk(&self) -> FxHashMap<u64, u64> {
        let mut found = FxHashMap::default();
        let runs = self.runs.iter().map(|run| (run.chunk, run.bytes));
        let open = self
            .open
            .iter()
            .map(|extent| (extent.chunk, u64::from(extent.bytes)));
        for (chunk, bytes) in runs.chain(open) {
            *found.entry(chunk).or_default() += bytes;
        }
        found
    }

    pub(crate) fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(crate) fn open(&self) -> &[Extent] {
        &self.open
    }

    fn run_end(&self, at: usize) -> Offset {
        let next = self.runs.get(at + 1).map(|run| run.base);
        next.or_else(|| self.open.first().map(|extent| extent.base))
            .unwrap_or(self.end)
    }

    /// The runs that reach beyond `offset`.
    pub(crate) fn runs_from(&self, offset: Offset) -> impl Iterator<Item = BoundedRun> + '_ {
        // The last run that begins at or below the offset may hold it.
        let after = self.runs.partition_point(|run| run.base <= offset);
        let first = after.saturating_sub(1);
        let bounded = self
            .runs
            .iter()
            .enumerate()
            .skip(first)
            .map(|(at, run)| (*run, self.run_end(at)));
        bounded.filter(move |(_, end)| offset < *end)
    }

    /// The extents that reach beyond `offset`.
    pub(crate) fn open_from(&self, offset: Offset) -> &[Extent] {
        let at = self.open.partition_point(|extent| extent.next <= offset);
        self.open.get(at..).unwrap_or_default()
    }

    /// The chunk is sealed: what lies in it becomes a run; its extents go to the footer. Extents of earlier chunks,
    /// whose SEAL was lost, become runs as well.
    pub(crate) fn seal(&mut self, chunk: u64) -> Option<SealedRun> {
        let count = self.open.partition_point(|extent| extent.chunk <= chunk);
        let sealed: Vec<Extent> = self.open.drain(..count).collect();
        if self.open.is_empty() {
            self.open = Vec::new();
        }
        let pieces = sealed.chunk_by(|one, other| one.chunk == other.chunk);
        self.runs.extend(pieces.filter_map(Run::of));
        let run = self
            .runs
            .last()
            .copied()
            .filter(|run| run.chunk == chunk && !sealed.is_empty())?;
        let next = self.run_end(self.runs.len() - 1);
        Some((
            run,
            next,
            sealed
                .into_iter()
                .filter(|extent| extent.chunk == chunk)
                .collect(),
        ))
    }

    /// Whether a run of a chunk that was sealed, which serves offsets up to `next`, goes on where this index ends, or is
    /// a part of it already.
    pub(crate) fn joins(&self, run: &Run, next: Offset, log_start: Offset) -> bool {
        let known = self.open.iter().find(|extent| extent.chunk == run.chunk);
        let from = known.map_or(self.end, |extent| extent.base);
        // A START in the chunk drops what was between.
        self.has_all_of(run, next) || from == run.base || (from < run.base && run.base <= log_start)
    }

    /// The index is that of a later time: the run is in it, or was moved or dropped since.
    fn has_all_of(&self, run: &Run, next: Offset) -> bool {
        let is_open = self.open.iter().any(|extent| extent.chunk == run.chunk);
        next <= self.end && !is_open
    }

    /// Pieces of a sealed chunk become this run of it.
    pub(crate) fn join(&mut self, chunk: u64, run: Option<(Run, Offset)>, end: Offset) {
        let run = match run {
            Some((run, next)) if self.has_all_of(&run, next) => return,
            Some((run, _)) => Some(run),
            None => None,
        };
        let mut open = std::mem::take(&mut self.open);
        open.retain(|extent| extent.chunk != chunk);
        self.runs.extend(run);
        *self = Index::new(std::mem::take(&mut self.runs), open, self.end.max(end));
    }

    /// Drops everything from `end` on.
    pub(crate) fn truncate(&mut self, end: Offset) {
        self.open.retain(|extent| extent.base < end);
        if let Some(last) = self.open.last_mut() {
            last.next = last.next.min(end);
        }
        self.runs.retain(|run| run.base < end);
        self.end = end;
        *self = Index::new(
            std::mem::take(&mut self.runs),
            std::mem::take(&mut self.open),
            end,
        );
    }

    /// A run of a sorted chunk serves `base..next` from now on, or nothing does if all of it was compacted away. Of the
    /// run that the range ends in, `rest_bytes` stay. Twice is as once.
    pub(crate) fn replace(&mut self, base: Offset, next: Offset, run: Option<Run>, rest_bytes: u64) {
        let first = self.runs.partition_point(|known| known.base < base);
        let after = self.runs.partition_point(|known| known.base < next);
        let rest = self.rest_of(after, next, rest_bytes);
        let put = run.into_iter().chain(rest);
        self.runs.splice(first..after, put);
        let replaced = self.open.partition_point(|extent| extent.next <= next);
        self.open.drain(..replaced);
        if self.open.is_empty() {
            self.open = Vec::new();
        }
        let (runs, open) = (std::mem::take(&mut self.runs), std::mem::take(&mut self.open));
        *self = Index::new(runs, open, self.end);
    }

    /// Bytes that stay of the run that `next` lies inside, when so many of each chunk's are taken.
    pub(crate) fn rest_bytes(&self, next: Offset, taken: &[(u64, u64)]) -> u64 {
        let after = self.runs.partition_point(|known| known.base < next);
        let cut = after.checked_sub(1).and_then(|at| Some((at, self.runs.get(at)?)));
        cut.filter(|(at, _)| next < self.run_end(*at))
            .map_or(0, |(_, run)| {
                let of_chunk = taken.iter().filter(|(chunk, _)| *chunk == run.chunk);
                // Something is left, or it would not reach so far.
                run.bytes
                    .saturating_sub(of_chunk.map(|(_, bytes)| bytes).sum())
                    .max(1)
            })
    }

    /// The run that `offset` lies inside, not at its begin.
    pub(crate) fn run_across(&self, offset: Offset) -> Option<BoundedRun> {
        let at = self
            .runs
            .partition_point(|known| known.base < offset)
            .checked_sub(1)?;
        let run = self.runs.get(at)?;
        let end = self.run_end(at);
        (offset < end).then_some((*run, end))
    }

    /// Puts a run where none is.
    pub(crate) fn insert(&mut self, run: Run) {
        let at = self.runs.partition_point(|known| known.base < run.base);
        self.runs.insert(at, run);
        self.bytes += run.bytes;
    }

    /// Forgets runs whose chunks are not there. Gives what they served.
    pub(crate) fn drop_missing(&mut self, is_there: impl Fn(u64) -> bool) -> Vec<(Offset, Offset)> {
        let missing = |at: &usize| self.runs.get(*at).is_some_and(|run| !is_there(run.chunk));
        let gone: Vec<(Offset, Offset)> = (0..self.runs.len())
            .filter(missing)
            .filter_map(|at| Some((self.runs.get(at)?.base, self.run_end(at))))
            .collect();
        self.runs.retain(|run| is_there(run.chunk));
        let (runs, open) = (std::mem::take(&mut self.runs), std::mem::take(&mut self.open));
        *self = Index::new(runs, open, self.end);
        gone
    }

    /// Where the first batch may be.
    pub(crate) fn first_base(&self) -> Option<Offset> {
        let run = self.runs.first().map(|run| run.base);
        run.or_else(|| self.open.first().map(|extent| extent.base))
    }

    pub(crate) fn end_at_least(&mut self, end: Offset) {
        self.end = self.end.max(end);
    }

    /// What is left behind `next` of the run before `after`, if it reaches beyond.
    fn rest_of(&self, after: usize, next: Offset, bytes: u64) -> Option<Run> {
        let at = after.checked_sub(1)?;
        let cut = self.runs.get(at)?;
        (bytes != 0 && next < self.run_end(at)).then_some(Run {
            base: next,
            bytes,
            ..*cut
        })
    }

    /// Forgets what lies wholly below the start; gives the bytes that this frees.
    pub(crate) fn drop_before(&mut self, start: Offset) -> u64 {
        let runs = (0..self.runs.len())
            .take_while(|at| self.run_end(*at) <= start)
            .count();
        let freed: u64 = self.runs.drain(..runs).map(|run| run.bytes).sum();
        let extents = self.open.partition_point(|extent| extent.next <= start);
        let freed = freed
            + self
                .open
                .drain(..extents)
                .map(|extent| u64::from(extent.bytes))
                .sum::<u64>();
        self.bytes -= freed;
        self.end = self.end.max(start);
        freed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(chunk: u64, base: i64) -> Extent {
        let (base, next) = (Offset(base), Offset(base + 10));
        Extent {
            base,
            next,
            chunk,
            position: 0,
            bytes: 100,
            max_timestamp: base.0,
            cover_crc: 0,
        }
    }

    fn index() -> Index {
        let mut index = Index::default();
        [extent(1, 0), extent(1, 10), extent(2, 20), extent(2, 30)]
            .into_iter()
            .for_each(|extent| index.push(extent));
        index
    }

    #[test]
    fn a_sealed_chunk_leaves_a_run_up_to_the_next_extent() {
        let mut index = index();
        let (run, next, extents) = index.seal(1).expect("batches");
        assert_eq!(
            (run.base, run.bytes, run.max_timestamp, next),
            (Offset(0), 200, 10, Offset(20))
        );
        assert_eq!(extents.len(), 2);
        assert_eq!(index.runs_from(Offset(19)).count(), 1);
        assert_eq!(index.runs_from(Offset(20)).count(), 0);
        assert_eq!(index.open_from(Offset(20)).len(), 2);
        assert_eq!(index.seal(2).map(|(_, next, _)| next), Some(Offset(40)));
        assert_eq!(index.bytes(), 400);
    }

    #[test]
    fn a_cut_inside_a_run_bounds_it() {
        let mut index = index();
        index.seal(1);
        index.seal(2);
        index.truncate(Offset(25));
        let runs: Vec<_> = index
            .runs_from(Offset(0))
            .map(|(run, end)| (run.base.0, end.0))
            .collect();
        assert_eq!(runs, [(0, 20), (20, 25)]);
        index.push(extent(3, 25));
        assert_eq!(
            index
                .runs_from(Offset(21))
                .map(|(_, end)| end)
                .collect::<Vec<_>>(),
            [Offset(25)]
        );
    }

    #[test]
    fn a_new_start_frees_whole_runs() {
        let mut index = index();
        index.seal(1);
        assert_eq!(index.drop_before(Offset(19)), 0);
        assert_eq!(index.drop_before(Offset(30)), 300);
        assert_eq!(index.bytes(), 100);
        assert_eq!(index.drop_before(Offset(40)), 100);
        assert_eq!(index.end(), Offset(40));
    }

    fn sorted(base: i64, bytes: u64) -> Run {
        Run {
            chunk: 9,
            base: Offset(base),
            bytes,
            max_timestamp: 5,
        }
    }

    fn bounded(index: &Index) -> Vec<(u64, i64, i64)> {
        index
            .runs_from(Offset(0))
            .map(|(run, end)| (run.chunk, run.base.0, end.0))
            .collect()
    }

    #[test]
    fn a_range_is_served_by_another_run_and_twice_is_as_once() {
        let mut index = index();
        index.seal(1);
        index.seal(2);
        for _ in 0..2 {
            index.replace(Offset(0), Offset(20), Some(sorted(0, 50)), 0);
            assert_eq!(bounded(&index), [(9, 0, 20), (2, 20, 40)]);
            assert_eq!(index.bytes(), 250);
        }
        for _ in 0..2 {
            index.replace(Offset(0), Offset(30), Some(sorted(0, 60)), 100);
            assert_eq!(bounded(&index), [(9, 0, 30), (2, 30, 40)]);
            assert_eq!(index.bytes(), 160);
        }
    }

    #[test]
    fn what_is_not_sealed_can_be_replaced_as_well() {
        let mut index = index();
        index.seal(1);
        index.replace(Offset(0), Offset(30), Some(sorted(0, 10)), 0);
        assert_eq!(bounded(&index), [(9, 0, 30)]);
        assert_eq!(index.open().len(), 1);
        assert_eq!(
            index.seal(2).map(|(run, next, _)| (run.base.0, next.0)),
            Some((30, 40))
        );
    }

    #[test]
    fn of_a_range_that_was_compacted_away_nothing_is_left() {
        let mut index = index();
        index.seal(1);
        index.replace(Offset(0), Offset(20), None, 0);
        assert_eq!(bounded(&index), []);
        assert_eq!((index.bytes(), index.end()), (200, Offset(40)));
    }

    #[test]
    fn a_run_is_32_bytes() {
        assert_eq!(size_of::<Run>(), 32);
    }
}
