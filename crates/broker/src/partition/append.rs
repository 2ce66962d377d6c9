//! Appending what a client produced: check, stamp, queue.

use bytes::Bytes;
use config::{Compression, TimestampType};
use record::{
    BadRecord, BatchError, BatchHeader, Codec, Packing, Rules, TimestampRule, check_produced, repack,
    with_log_append_time, with_max_timestamp,
};
use storage::{Append, AppendError, Appended};
use types::{ErrorCode, Offset};

use super::Partition;
use crate::errors::append_error_code;

/// The first Produce version whose consumers can read zstd.
const ZSTD_FROM: i16 = 7;
/// A compressed batch may become this much larger than the largest batch that the topic takes.
const DECOMPRESSED_FACTOR: usize = 100;

/// A log that gets no next chunk in so many tries answers KAFKA_STORAGE_ERROR, which clients try again.
const BUSY_TRIES: usize = 8;

/// What a producer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    None,
    Leader,
    All,
}

impl Acks {
    pub fn from_wire(acks: i16) -> Option<Acks> {
        match acks {
            0 => Some(Acks::None),
            1 => Some(Acks::Leader),
            -1 => Some(Acks::All),
            _ => None,
        }
    }
}

/// A batch that is queued, or was there before.
#[derive(Debug, Clone, Copy)]
pub struct Produced {
    pub base_offset: Offset,
    /// After its last record.
    pub end: Offset,
    pub log_append_time_ms: i64,
    pub log_start: Offset,
}

/// Why nothing was appended.
#[derive(Debug, Clone)]
pub struct AppendFailure {
    pub code: ErrorCode,
    pub message: Option<String>,
    pub log_start: Option<Offset>,
    /// Records that are to blame.
    pub records: Vec<BadRecord>,
}

impl AppendFailure {
    pub fn of(code: ErrorCode) -> AppendFailure {
        AppendFailure {
            code,
            message: None,
            log_start: None,
            records: Vec::new(),
        }
    }

    fn batch(error: &BatchError) -> AppendFailure {
        AppendFailure {
            code: error.error_code(),
            message: Some(error.to_string()),
            log_start: None,
            records: error.bad_records().to_vec(),
        }
    }

    fn log(error: &AppendError) -> AppendFailure {
        AppendFailure {
            message: Some(error.to_string()),
            ..AppendFailure::of(append_error_code(error))
        }
    }
}

/// What a topic makes of batches in another codec; none leaves them as they come.
fn packing(compression: Compression) -> Option<Packing> {
    let (codec, level) = match compression {
        Compression::Producer => return None,
        Compression::Uncompressed => (Codec::None, None),
        Compression::Gzip(level) => (Codec::Gzip, Some(level)),
        Compression::Snappy => (Codec::Snappy, None),
        Compression::Lz4(level) => (Codec::Lz4, Some(level)),
        Compression::Zstd(level) => (Codec::Zstd, Some(level)),
    };
    Some(Packing { codec, level })
}

impl Partition {
    /// Checks and queues one produced batch. The caller kicks the log afterwards.
    pub fn produce(
        &self,
        records: Option<Bytes>,
        version: i16,
        is_transactional: bool,
        now_ms: i64,
    ) -> Result<Produced, AppendFailure> {
        if self.is_offline() {
            return Err(AppendFailure::of(ErrorCode::KafkaStorageError));
        }
        let failed = |error: BatchError| AppendFailure::batch(&error);
        let records = records.ok_or(BatchError::Empty).map_err(failed)?;
        let settings = self.settings();
        let stamps = settings.timestamp_type == TimestampType::LogAppendTime;
        let timestamps = if stamps {
            TimestampRule::Replaced
        } else {
            TimestampRule::Between {
                earliest: now_ms.saturating_sub(settings.timestamp_before_max_ms),
                latest: now_ms.saturating_add(settings.timestamp_after_max_ms),
            }
        };
        let rules = Rules {
            bytes_max: settings.max_message_bytes,
            needs_keys: settings.compacted,
            timestamps,
            allows_zstd: ZSTD_FROM <= version,
            decompressed_bytes_max: settings.max_message_bytes.saturating_mul(DECOMPRESSED_FACTOR),
        };
        let header = check_produced(&records, &rules).map_err(failed)?;
        // Transactions are not served yet: without a transactional id Kafka answers in these words (trap 105).
        if header.is_transactional() || is_transactional {
            return Err(AppendFailure::of(ErrorCode::TransactionalIdAuthorizationFailed));
        }
        let (records, header) = match packing(settings.compression) {
            Some(packing) if header.codec() != Ok(packing.codec) => {
                repack(&records, &header, &rules, packing).map_err(failed)?
            }
            _ => (records, header),
        };
        let (batch, header) = self.stamp(records, header, stamps.then_some(now_ms));
        // No segment could hold it (`UnifiedLog.append`): refused without a word, before the producer is looked at.
        if settings.segment_bytes < batch.len() as u64 {
            return Err(AppendFailure::of(ErrorCode::RecordListTooLarge));
        }
        let appended = self
            .append(&batch, &header)
            .map_err(|error| self.refused(&error))?;
        let stamped = stamps || appended.duplicate;
        Ok(Produced {
            base_offset: appended.base_offset,
            end: appended.last_offset.plus(1),
            // A duplicate tells its time on any topic (trap 104).
            log_append_time_ms: if stamped { appended.max_timestamp } else { -1 },
            log_start: appended.log_start,
        })
    }

    /// The batch with our timestamps, with the largest one that its records really bear, or with the producer's where it claimed that they were ours (trap 22).
    fn stamp(&self, records: Bytes, header: BatchHeader, now_ms: Option<i64>) -> (Bytes, BatchHeader) {
        let claims = header.timestamp_type() == record::TimestampType::LogAppendTime;
        let said = BatchHeader::parse(&records).map_or(header.max_timestamp, |said| said.max_timestamp);
        let stamped = if now_ms.is_some() || claims {
            with_log_append_time(&records, now_ms)
        } else if said != header.max_timestamp {
            with_max_timestamp(&records, header.max_timestamp)
        } else {
            return (records, header);
        };
        match BatchHeader::parse(&stamped) {
            Ok(header) => (stamped, header),
            Err(_) => (records, header),
        }
    }

    /// Queues a batch that this broker made itself, as coordinators do. Gives its first offset; the caller kicks the
    /// log afterwards.
    pub fn append_own(&self, batch: &Bytes) -> Result<Offset, AppendError> {
        if self.is_offline() {
            return Err(AppendError::Offline);
        }
        let header = BatchHeader::parse(batch).map_err(|_| AppendError::Offline)?;
        Ok(self.append(batch, &header)?.base_offset)
    }

    fn append(&self, batch: &Bytes, header: &BatchHeader) -> Result<Appended, AppendError> {
        let append = Append {
            batch,
            header,
            leader_epoch: self.leader_epoch(),
            marker: None,
        };
        for _ in 0..BUSY_TRIES {
            match self.log.append(&append) {
                // The next chunk is not ready yet: this thread waits for the disk.
                Err(AppendError::Busy) => self.directory.make_room(),
                other => return other,
            }
        }
        self.log.append(&append)
    }

    fn refused(&self, error: &AppendError) -> AppendFailure {
        AppendFailure {
            log_start: Some(self.log.log_start()),
            ..AppendFailure::log(error)
        }
    }
}

impl std::fmt::Debug for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Partition({}-{})", self.topic, self.index)
    }
}
