//! Where the batches of a log lie.

use types::Offset;

/// A contiguous piece of a chunk that holds batches of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) base: Offset,
    pub(crate) next: Offset,
    pub(crate) chunk: u64,
    pub(crate) position: u64,
    pub(crate) bytes: u32,
    pub(crate) max_timestamp: i64,
}

/// All extents, ascending.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    extents: Vec<Extent>,
    bytes: u64,
}

impl Index {
    pub(crate) fn push(&mut self, extent: Extent) {
        self.bytes += u64::from(extent.bytes);
        self.extents.push(extent);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The extents from the one that holds `offset` on.
    pub(crate) fn from(&self, offset: Offset) -> &[Extent] {
        let at = self.extents.partition_point(|extent| extent.next <= offset);
        self.extents.get(at..).unwrap_or_default()
    }

    pub(crate) fn all(&self) -> &[Extent] {
        &self.extents
    }

    /// Drops everything from `offset` on; an extent that holds it is given back to be cut by its owner.
    pub(crate) fn truncate(&mut self, offset: Offset) -> Option<Extent> {
        let keep = self.extents.partition_point(|extent| extent.next <= offset);
        let dropped = self.extents.split_off(keep);
        self.bytes -= dropped.iter().map(|extent| u64::from(extent.bytes)).sum::<u64>();
        dropped.first().copied().filter(|extent| extent.base < offset)
    }

    /// Forgets extents that lie wholly below the start.
    pub(crate) fn drop_before(&mut self, start: Offset) {
        let drop = self.extents.partition_point(|extent| extent.next <= start);
        let dropped: u64 = self.extents.drain(..drop).map(|extent| u64::from(extent.bytes)).sum();
        self.bytes -= dropped;
    }
}
