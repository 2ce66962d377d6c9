//! Compaction: of each key the last record, as Kafka's cleaner leaves it (`LogCleaner`, `Cleaner`).

mod filter;
mod hash;
mod map;
mod marks;
mod plan;
mod transactions;

use std::sync::Arc;

use record::{BatchError, BatchHeader, HEADER_BYTES, ReusedPacker, ReusedUnpacker, sketches};
use rustc_hash::FxHashMap;
use types::{Offset, ProducerId};

use crate::clean::{Cleaner, Copier};
use crate::format::Compaction;
use crate::log::Segment;
use crate::sorted::{Source, SourceError};
use crate::state::SegmentState;
use crate::{Error, Log, ReadError};

use filter::{Filter, LastBatch, Left};
use hash::Secret;
use map::{Hash, OffsetMap};
use marks::Marks;
use transactions::CleanedTransactions;

pub use plan::{Cleanable, CompactionSettings};

/// The memory for keys gives up one part of so many for the bits of offsets.
const MARKS_PART: usize = 16;

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    pub bytes_read: u64,
    pub bytes_left: u64,
    /// Below it every key is there once.
    pub cleaned_to: Offset,
}

impl Log {
    /// Below it every key is there once: a compaction was there.
    pub fn cleaned_to(&self) -> Offset {
        self.inner.lock().state.cleaned_to
    }

    /// Whether the log is worth a compaction now, and how much.
    pub fn cleanable(&self, settings: &CompactionSettings) -> Option<Cleanable> {
        if self.is_offline() {
            return None;
        }
        let segments = self.segments();
        let inner = self.inner.lock();
        let dirty_from = inner.state.cleaned_to.max(inner.state.log_start);
        plan::cleanable(&segments, inner.state.segments.list(), dirty_from, settings)
    }
}

impl Cleaner {
    /// Compacts a log, if it is worth it. Blocks. None if there was nothing to do, or the log cannot be read: it is
    /// named then, and not tried again while the process lives.
    pub(crate) fn compact(
        &self,
        log: &Arc<Log>,
        settings: &CompactionSettings,
    ) -> Result<Option<Compacted>, Error> {
        let mut state = self.alone.lock();
        let key = (log.target, log.incarnation);
        if state.unreadable.contains(&key) || self.stream.shared.is_fenced() {
            return Ok(None);
        }
        let Some(plan) = log.cleanable(settings) else {
            return Ok(None);
        };
        match self.compact_range(log, &plan, settings) {
            Ok(done) => Ok(Some(done)),
            Err(SourceError::Write(error)) => Err(error),
            // Its start has moved meanwhile, or it is gone: another round looks again.
            Err(SourceError::Read(ReadError::Offline)) => Ok(None),
            Err(SourceError::Read(error)) => {
                tracing::error!(topic = log.topic_name(), log = %log.target, %error, action = "check the disk, then restart; `ottla log dump` shows the damaged chunk", "records cannot be read: the partition is not compacted any more until a restart");
                state.unreadable.insert(key);
                Ok(None)
            }
        }
    }

    fn compact_range(
        &self,
        log: &Arc<Log>,
        plan: &Cleanable,
        settings: &CompactionSettings,
    ) -> Result<Compacted, SourceError> {
        let keys = self.keys(log, plan, settings)?;
        let end = keys.map.latest().plus(1);
        // A segment that was not read to its end is compacted as far as it was.
        let all = log.segments();
        let closed = all
            .iter()
            .take_while(|segment| segment.base < end && segment.next <= plan.until);
        let segments: Vec<Segment> = closed.copied().collect();
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
            return Ok(Compacted::default());
        };
        let range = {
            let inner = log.inner.lock();
            let begins = inner.index.first_base().unwrap_or(first.base);
            (begins.min(first.base), last.next)
        };
        let source = Source::of(log, range.0, range.1)?;
        let mut filter = filter(log, &keys, plan, settings);
        let mut groups = Groups::new(&segments, settings.segment_bytes, range.0, end);
        self.make_room(source.bytes);
        let mut copier = Copier::new(&self.stream);
        groups.begin(&mut copier, &source)?;
        source.each(|header, batch| {
            while groups.ends_before(header) {
                let gone = std::mem::take(&mut filter.markers_gone);
                groups.end(&mut copier, &source, gone)?;
                groups.begin(&mut copier, &source)?;
            }
            match filter.batch(header, batch).map_err(ReadError::Batch)? {
                Left::Nothing => Ok(()),
                Left::Whole => groups.keep(&mut copier, batch),
                Left::Rewritten(bytes) => groups.keep(&mut copier, &bytes),
            }
        })?;
        while groups.is_open() {
            let gone = std::mem::take(&mut filter.markers_gone);
            groups.end(&mut copier, &source, gone)?;
            groups.begin(&mut copier, &source)?;
        }
        let bytes_left = copier.finish()?;
        Ok(Compacted {
            bytes_read: source.bytes,
            bytes_left,
            cleaned_to: end,
        })
    }

    /// The newest offset of each key of the part that was not compacted yet, as far as the memory reaches.
    fn keys(
        &self,
        log: &Arc<Log>,
        plan: &Cleanable,
        settings: &CompactionSettings,
    ) -> Result<Keys, SourceError> {
        let random = &self.stream.os.random;
        let secret = Secret([random.u64(), random.u64()]);
        let mut keys = Keys::new(secret, plan.dirty_from, settings);
        let source = Source::of(log, plan.dirty_from, plan.until)?;
        let mut transactions = transactions(log);
        let mut full = false;
        source.each(|header, batch| {
            if full || plan.until < header.next_offset() {
                full = true;
                return Ok(());
            }
            let ignored = if header.is_control() {
                transactions.is_marker_of_nothing(header, batch);
                true
            } else {
                transactions.is_aborted(header)
            };
            if !ignored {
                let bytes_max = self.stream.options.batch_bytes_max;
                full = !keys.put(header, batch, bytes_max).map_err(ReadError::Batch)?;
            }
            if !full && plan.dirty_from <= header.last_offset() {
                keys.map.saw(header.last_offset());
            }
            Ok(())
        })?;
        if !full {
            // What is missing at the end was looked at as well.
            keys.map.saw(Offset(plan.until.0 - 1));
        }
        Ok(keys)
    }
}

/// What the first pass gathers.
struct Keys {
    from: Offset,
    map: OffsetMap,
    marks: Marks,
    unpacker: ReusedUnpacker,
    /// Of one batch.
    hashes: Vec<(Hash, Offset)>,
}

impl Keys {
    fn new(secret: Secret, from: Offset, settings: &CompactionSettings) -> Keys {
        let of_marks = settings.buffer_bytes / MARKS_PART;
        let of_map = settings.buffer_bytes - of_marks;
        Keys {
            from,
            map: OffsetMap::new(secret, of_map, settings.load_factor, from),
            marks: Marks::new(from, of_marks),
            unpacker: ReusedUnpacker::default(),
            hashes: Vec::new(),
        }
    }

    /// False if the map is full.
    fn put(&mut self, header: &BatchHeader, batch: &[u8], bytes_max: usize) -> Result<bool, BatchError> {
        let payload = self
            .unpacker
            .open(header.codec()?, payload_of(batch), bytes_max)?;
        self.hashes.clear();
        for record in sketches(header, payload) {
            let record = record?;
            let offset = header.base_offset.plus(i64::from(record.offset_delta));
            if offset < self.from {
                continue;
            }
            if !record.has_value {
                self.marks.tombstone(offset);
            }
            match record.key {
                Some(key) => self.hashes.push((self.map.hash(key), offset)),
                None => self.marks.supersede(offset),
            }
        }
        // Only now: so the places that they lead to come from memory side by side.
        for (hash, offset) in &self.hashes {
            match self.map.put(*hash, *offset) {
                Some(before) => self.marks.supersede(before),
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// The records of a batch, packed or not.
fn payload_of(batch: &[u8]) -> &[u8] {
    batch.get(HEADER_BYTES..).unwrap_or_default()
}

fn transactions(log: &Log) -> CleanedTransactions {
    CleanedTransactions::new(&log.inner.lock().state.aborted)
}

fn filter<'a>(log: &Log, keys: &'a Keys, plan: &Cleanable, settings: &CompactionSettings) -> Filter<'a> {
    Filter {
        map: &keys.map,
        marks: &keys.marks,
        now_ms: settings.now_ms,
        delete_retention_ms: settings.delete_retention_ms,
        round_end: plan.until,
        last_batches: last_batches(log),
        transactions: transactions(log),
        bytes_max: log.stream.options.batch_bytes_max,
        markers_gone: Vec::new(),
        unpacker: ReusedUnpacker::default(),
        packer: ReusedPacker::default(),
    }
}

fn last_batches(log: &Log) -> FxHashMap<ProducerId, LastBatch> {
    let inner = log.inner.lock();
    let of = inner.state.producers.iter().map(|(id, producer)| {
        let last = producer.batches.back();
        let last = last.map_or(LastBatch::Marker(producer.epoch), |batch| {
            LastBatch::Data(batch.last_offset)
        });
        (id, last)
    });
    of.collect()
}

/// Goes through the segments by groups: each group becomes one segment, and a range of its own.
struct Groups {
    /// In order.
    ranges: std::vec::IntoIter<Range>,
    left: usize,
    cleaned_to: Offset,
    open: Option<Group>,
}

struct Range {
    base: Offset,
    segment_base: Offset,
    next: Offset,
}

struct Group {
    part: crate::clean::Part,
    next: Offset,
    segment: SegmentState,
}

impl Groups {
    fn new(segments: &[Segment], bytes_max: u64, base: Offset, cleaned_to: Offset) -> Groups {
        let ranges = plan::groups(segments, bytes_max).into_iter();
        let range = |(first, last): (usize, usize)| {
            let segment_base = segments.get(first)?.base;
            Some(Range {
                base: segment_base,
                segment_base,
                next: segments.get(last)?.next,
            })
        };
        let mut ranges: Vec<Range> = ranges.filter_map(range).collect();
        // The first begins with the run that the log starts in.
        ranges
            .iter_mut()
            .take(1)
            .for_each(|first| first.base = first.base.min(base));
        Groups {
            left: ranges.len(),
            ranges: ranges.into_iter(),
            cleaned_to,
            open: None,
        }
    }

    fn is_open(&self) -> bool {
        self.open.is_some()
    }

    fn begin(&mut self, copier: &mut Copier<'_>, source: &Source) -> Result<(), Error> {
        if let Some(range) = self.ranges.next() {
            self.open = Some(Group {
                part: copier.begin(&source.log, range.base, source.bytes)?,
                next: range.next,
                segment: SegmentState::empty(range.segment_base),
            });
        }
        Ok(())
    }

    fn ends_before(&self, header: &BatchHeader) -> bool {
        self.open
            .as_ref()
            .is_some_and(|group| group.next <= header.base_offset)
    }

    fn keep(&mut self, copier: &mut Copier<'_>, batch: &[u8]) -> Result<(), SourceError> {
        let Some(group) = &mut self.open else {
            return Ok(());
        };
        let header = BatchHeader::parse(batch).map_err(ReadError::Batch)?;
        group.segment.count(&header);
        copier.write(&mut group.part, &header, batch)?;
        Ok(())
    }

    fn end(
        &mut self,
        copier: &mut Copier<'_>,
        source: &Source,
        markers_gone: Vec<Offset>,
    ) -> Result<(), Error> {
        let Some(group) = self.open.take() else {
            return Ok(());
        };
        self.left -= 1;
        let compaction = Compaction {
            // Only when all of it is there.
            cleaned_to: if self.left == 0 {
                self.cleaned_to
            } else {
                Offset(0)
            },
            segments: vec![group.segment],
            markers_gone,
        };
        copier.place(source, &group.part, group.next, Some(compaction));
        copier.state(source.log.footer_state());
        if self.left != 0 {
            copier.flush_if_full()?;
        }
        Ok(())
    }
}
