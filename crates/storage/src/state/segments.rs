//! Virtual segments: where Kafka would begin a new file, how large each is and how new (`LogSegment`).

use record::BatchHeader;
use types::Offset;

use crate::format::codec::{CodecError, Reader, Writer};

/// One segment. Bytes and times are those of the batches that were appended to it, or that a compaction left in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentState {
    pub base: Offset,
    pub bytes: u64,
    /// The largest timestamp of the first batch: a segment's age counts from here (`rollingBasedTimestamp`). Negative
    /// where there is none; see [`SegmentState::written_ms`].
    pub first_timestamp: i64,
    /// -1 where no record has one.
    pub max_timestamp: i64,
}

impl SegmentState {
    pub fn empty(base: Offset) -> SegmentState {
        SegmentState {
            base,
            bytes: 0,
            first_timestamp: -1,
            max_timestamp: -1,
        }
    }

    /// When it was last written to, if no record in it has a time: Kafka takes that of the file (`LogSegment.largestTimestamp`).
    /// It is kept in the first timestamp, which has no other use then: two less than its opposite.
    pub fn written_ms(&self) -> Option<i64> {
        let noted = self.max_timestamp < 0 && self.first_timestamp < -1;
        (-2i64).checked_sub(self.first_timestamp).filter(|_| noted)
    }

    fn note_written(&mut self, wall_ms: i64) {
        if self.max_timestamp < 0 && self.bytes != 0 && 0 <= wall_ms {
            self.first_timestamp = self.first_timestamp.min((-2i64).saturating_sub(wall_ms));
        }
    }

    /// A batch is in it.
    pub fn count(&mut self, header: &BatchHeader) {
        if self.bytes == 0 {
            // Of what a client claims, any negative number is none.
            self.first_timestamp = header.max_timestamp.max(-1);
        }
        self.bytes = self.bytes.saturating_add(header.total_bytes() as u64);
        self.max_timestamp = self.max_timestamp.max(header.max_timestamp);
    }
}

/// Ascending, contiguous; the last is the active one. Empty in a log that never had a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segments(Vec<SegmentState>);

/// What one takes on disk.
const SEGMENT_BYTES: usize = 8 * 4;

impl Segments {
    pub fn list(&self) -> &[SegmentState] {
        &self.0
    }

    pub fn active(&self) -> Option<&SegmentState> {
        self.0.last()
    }

    /// Kafka's size of the log: whole segments, also where the log starts inside the first.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|segment| segment.bytes).sum()
    }

    /// A batch was appended to the active one. The first of a log begins at its start.
    pub(super) fn append(&mut self, log_start: Offset, header: &BatchHeader) {
        if self.0.is_empty() {
            let base = log_start.min(header.base_offset);
            self.0.push(SegmentState::empty(base));
        }
        if let Some(active) = self.0.last_mut() {
            active.count(header);
        }
    }

    /// A batch without a time, which begins at `offset`, was written at this wall clock.
    pub(crate) fn note_written(&mut self, offset: Offset, wall_ms: i64) {
        let after = self.0.partition_point(|segment| segment.base <= offset);
        let holder = after.checked_sub(1).and_then(|at| self.0.get_mut(at));
        if let Some(segment) = holder {
            segment.note_written(wall_ms);
        }
    }

    /// A segment begins.
    pub(super) fn roll(&mut self, log_start: Offset, base: Offset) {
        if self.0.is_empty() && log_start < base {
            self.0.push(SegmentState::empty(log_start));
        }
        if self.0.last().is_none_or(|active| active.base < base) {
            self.0.push(SegmentState::empty(base));
        }
    }

    /// Those that end at or below the start are gone.
    pub(super) fn drop_before(&mut self, start: Offset) {
        let after = self.0.partition_point(|segment| segment.base <= start);
        self.0.drain(..after.saturating_sub(1));
    }

    /// The log ends at `end`. How much of the last one is left is measured by the owner.
    pub(super) fn cut(&self, end: Offset) -> Segments {
        Segments(
            self.0
                .iter()
                .copied()
                .filter(|segment| segment.base <= end)
                .collect(),
        )
    }

    pub(crate) fn active_mut(&mut self) -> Option<&mut SegmentState> {
        self.0.last_mut()
    }

    /// A compaction made other segments of those in `base..next`.
    pub(super) fn replace(&mut self, base: Offset, next: Offset, with: &[SegmentState]) {
        // The one that the range begins in is replaced whole: a range begins at the start of the log or of a segment.
        let first = self
            .0
            .partition_point(|segment| segment.base <= base)
            .saturating_sub(1);
        let after = self.0.partition_point(|segment| segment.base < next);
        if first <= after {
            let replaced = self.0.get(first..after).unwrap_or_default();
            let written_ms = replaced.iter().filter_map(SegmentState::written_ms).max();
            let with = with.iter().copied().map(|mut segment| {
                written_ms.into_iter().for_each(|at| segment.note_written(at));
                segment
            });
            let with: Vec<SegmentState> = with.collect();
            self.0.splice(first..after, with);
        }
    }

    /// Those of a log's later part follow.
    pub(crate) fn extend(&mut self, later: &Segments) {
        let last = self.0.last().map(|last| last.base);
        let behind = later
            .0
            .iter()
            .filter(|segment| last.is_none_or(|last| last < segment.base));
        self.0.extend(behind.copied());
    }

    /// Where the segment that holds `offset` ends; none for the active one.
    pub fn end_of(&self, offset: Offset) -> Option<Offset> {
        let after = self.0.partition_point(|segment| segment.base <= offset);
        self.0.get(after).map(|segment| segment.base)
    }

    pub(super) fn encode(&self, out: &mut Writer) {
        out.count(self.0.len());
        for segment in &self.0 {
            out.i64(segment.base.0);
            out.u64(segment.bytes);
            out.i64(segment.first_timestamp);
            out.i64(segment.max_timestamp);
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Segments, CodecError> {
        let mut segments = Segments::default();
        for _ in 0..reader.count(SEGMENT_BYTES)? {
            segments.add(SegmentState {
                base: Offset(reader.i64()?),
                bytes: reader.u64()?,
                first_timestamp: reader.i64()?,
                max_timestamp: reader.i64()?,
            })?;
        }
        Ok(segments)
    }

    /// Version 1 had where they begin, after the first; how large they are is not known.
    pub(super) fn decode_bases(reader: &mut Reader<'_>, log_start: Offset) -> Result<Segments, CodecError> {
        // Not empty, and never too old.
        let unknown = |base| SegmentState {
            bytes: 1,
            max_timestamp: i64::MAX,
            ..SegmentState::empty(base)
        };
        let mut segments = Segments::default();
        let bases = reader.count(8)?;
        if bases != 0 {
            segments.add(unknown(log_start))?;
        }
        for _ in 0..bases {
            segments.add(unknown(Offset(reader.i64()?)))?;
        }
        Ok(segments)
    }

    fn add(&mut self, segment: SegmentState) -> Result<(), CodecError> {
        if self.0.last().is_some_and(|last| segment.base <= last.base) {
            return Err(CodecError::Value);
        }
        self.0.push(segment);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(bases: &[i64]) -> Segments {
        Segments(
            bases
                .iter()
                .map(|base| SegmentState::empty(Offset(*base)))
                .collect(),
        )
    }

    fn bases(segments: &Segments) -> Vec<i64> {
        segments.list().iter().map(|segment| segment.base.0).collect()
    }

    #[test]
    fn the_segment_that_holds_the_start_stays() {
        let mut of = segments(&[0, 10, 20]);
        of.drop_before(Offset(15));
        assert_eq!(bases(&of), [10, 20]);
        of.drop_before(Offset(20));
        assert_eq!(bases(&of), [20]);
        of.drop_before(Offset(99));
        assert_eq!(bases(&of), [20]);
    }

    #[test]
    fn compacted_segments_are_merged() {
        let mut of = segments(&[0, 10, 20, 30]);
        of.replace(Offset(5), Offset(30), &[SegmentState::empty(Offset(0))]);
        assert_eq!(bases(&of), [0, 30]);
        let mut of = segments(&[0, 10, 20, 30]);
        of.replace(Offset(10), Offset(20), &[SegmentState::empty(Offset(10))]);
        assert_eq!(bases(&of), [0, 10, 20, 30]);
    }

    #[test]
    fn a_segment_without_times_remembers_when_it_was_written() {
        let mut of = segments(&[0, 10]);
        of.note_written(Offset(3), 500);
        assert_eq!(of.0[0].written_ms(), None, "nothing is in it");
        of.0[0].bytes = 70;
        of.note_written(Offset(3), 500);
        of.note_written(Offset(9), 700);
        of.note_written(Offset(4), 600);
        assert_eq!(of.0[0].written_ms(), Some(700));
        assert_eq!(of.0[1].written_ms(), None);
        let left = SegmentState {
            bytes: 70,
            ..SegmentState::empty(Offset(0))
        };
        of.replace(Offset(0), Offset(10), &[left]);
        assert_eq!(
            of.0[0].written_ms(),
            Some(700),
            "a compaction does not make it young"
        );
        of.0[0].max_timestamp = 5;
        assert_eq!(of.0[0].written_ms(), None, "a record tells");
    }

    #[test]
    fn a_time_before_1970_is_no_time() {
        for timestamp in [-1, -5, i64::MIN] {
            let mut builder = record::BatchBuilder::new(record::BatchOptions::default());
            builder.push(timestamp, None, Some(b"v"));
            let batch = builder.build().expect("memory suffices");
            let header = BatchHeader::parse(&batch).expect("ours");
            let mut of = SegmentState::empty(Offset(0));
            of.count(&header);
            assert_eq!((of.first_timestamp, of.written_ms()), (-1, None), "{timestamp}");
            of.note_written(i64::MAX);
            assert!(
                of.written_ms().is_some_and(|at| i64::MAX - 2 <= at),
                "{timestamp}"
            );
        }
    }

    #[test]
    fn a_read_ends_with_its_segment() {
        let of = segments(&[0, 10]);
        assert_eq!(of.end_of(Offset(9)), Some(Offset(10)));
        assert_eq!(of.end_of(Offset(10)), None);
    }
}
