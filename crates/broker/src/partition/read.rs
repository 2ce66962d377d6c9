//! Reading a partition: which offsets a client may see, and where they lie.

use std::sync::atomic::Ordering;

use storage::{Read, ReadError, ReadOutcome};
use types::{ErrorCode, Offset};

use super::Partition;

/// Kafka's isolation levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    Uncommitted,
    Committed,
}

/// The offsets that frame a read, taken in one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub log_start: Offset,
    pub last_stable_offset: Offset,
    pub high_watermark: Offset,
    pub log_end: Offset,
}

impl Bounds {
    /// Where a read of this isolation stops.
    pub fn limit(&self, isolation: Isolation) -> Offset {
        match isolation {
            Isolation::Uncommitted => self.high_watermark,
            Isolation::Committed => self.last_stable_offset.min(self.high_watermark),
        }
    }
}

impl Partition {
    pub fn bounds(&self) -> Bounds {
        // The start first and the end last: whatever moves meanwhile only widens the frame.
        let log_start = self.log.log_start();
        let high_watermark = Offset(self.high_watermark.load(Ordering::SeqCst));
        let last_stable_offset = self.log.last_stable_offset(high_watermark);
        Bounds {
            log_start,
            last_stable_offset,
            high_watermark,
            log_end: self.log.written_end(),
        }
    }

    /// Checks a fetch offset (trap 39): the log end itself is fine, it means "wait".
    pub fn check_fetch_offset(&self, bounds: &Bounds, from: Offset) -> Result<(), ErrorCode> {
        let inside = bounds.log_start <= from && from <= bounds.log_end;
        if inside {
            Ok(())
        } else {
            Err(ErrorCode::OffsetOutOfRange)
        }
    }

    /// Whole batches from the one that contains `from` (trap 35), up to the isolation's limit.
    pub fn read(
        &self,
        from: Offset,
        limit: Offset,
        bytes_max: usize,
        at_least_one: bool,
    ) -> Result<ReadOutcome, ErrorCode> {
        let read = Read {
            from,
            limit,
            bytes_max,
            at_least_one,
        };
        self.log.read(&read).map_err(|error| self.read_failed(error))
    }

    /// Says what was wrong with a read, for a person, and which code a client gets.
    pub fn read_failed(&self, error: ReadError) -> ErrorCode {
        let code = crate::errors::read_error_code(&error);
        if code == ErrorCode::KafkaStorageError || code == ErrorCode::CorruptMessage {
            let (topic, partition) = (&self.topic, self.index);
            tracing::error!(
                %topic,
                %partition,
                %error,
                action = "check the disk; records before and after the damage can still be read",
                "read failed"
            );
        }
        code
    }
}
