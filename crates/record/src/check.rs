//! What a broker checks before it takes a batch (`org.apache.kafka.storage.internals.log.LogValidator`, and
//! `ProduceRequest.validateRecords`; traps 20 to 27, 104, 105).

use std::ops::ControlFlow;

use bytes::Bytes;

use crate::codec::{Caps, Unpacker};
use crate::error::{BAD_RECORDS_MAX, BadRecord, Why};
use crate::header::{CRC_FROM, HEADER_BYTES, TimestampType};
use crate::scan::{Scanned, scan};
use crate::{BatchError, BatchHeader, Codec, crc32c, walk};

/// What a topic asks of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// `max.message.bytes`: the batch as it comes, compressed.
    pub bytes_max: usize,
    /// Every record needs a key (`cleanup.policy=compact`).
    pub needs_keys: bool,
    pub timestamps: TimestampRule,
    /// zstd is not for clients that cannot read it.
    pub allows_zstd: bool,
    /// What a batch may decompress to.
    pub decompressed_bytes_max: usize,
}

/// Which timestamps a topic takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampRule {
    /// CreateTime between these, inclusive, in ms.
    Between { earliest: i64, latest: i64 },
    /// LogAppendTime: what the client says is replaced.
    Replaced,
}

/// Checks what a client produced for one partition: one whole, sound batch. The header that this gives has the
/// largest timestamp that the records really bear, where they were read.
pub fn check_produced(bytes: &Bytes, rules: &Rules) -> Result<BatchHeader, BatchError> {
    if bytes.is_empty() {
        return Err(BatchError::Empty);
    }
    // Older formats have their magic at the same place, and headers of another length.
    match bytes.get(16).map(|magic| *magic as i8) {
        None => return BatchHeader::parse(bytes),
        Some(2) => {}
        Some(magic @ 0..=1) => return Err(BatchError::OldMagic { magic }),
        Some(magic) => return Err(BatchError::UnknownMagic { magic }),
    }
    let mut header = BatchHeader::parse(bytes)?;
    if header.total_bytes() != bytes.len() {
        return Err(BatchError::NotOneBatch);
    }
    let codec = header.codec()?;
    if codec == Codec::Zstd && !rules.allows_zstd {
        return Err(BatchError::ZstdTooEarly);
    }
    if rules.bytes_max < bytes.len() {
        return Err(BatchError::TooLarge {
            bytes: bytes.len(),
            max: rules.bytes_max,
        });
    }
    check_crc(&header, bytes)?;
    check_header(&header)?;
    if let Some(largest) = check_records(&header, codec, bytes, rules)? {
        header.max_timestamp = largest;
    }
    Ok(header)
}

/// Compares the checksum with the bytes.
pub fn check_crc(header: &BatchHeader, batch: &[u8]) -> Result<(), BatchError> {
    let computed = crc32c(batch.get(CRC_FROM..).unwrap_or_default());
    if computed == header.crc {
        Ok(())
    } else {
        Err(BatchError::Crc {
            stored: header.crc,
            computed,
        })
    }
}

fn check_header(header: &BatchHeader) -> Result<(), BatchError> {
    if header.base_offset.0 != 0 {
        return Err(BatchError::BaseOffset {
            offset: header.base_offset.0,
        });
    }
    if header.is_control() {
        return Err(BatchError::Control);
    }
    let (count, last_offset_delta) = (header.records_count, header.last_offset_delta);
    if count < 1 || i64::from(last_offset_delta) != i64::from(count) - 1 {
        return Err(BatchError::Count {
            count,
            last_offset_delta,
        });
    }
    let idempotent = header.has_producer();
    if idempotent && (header.producer_epoch.0 < 0 || header.base_sequence < 0) {
        return Err(BatchError::ProducerFields);
    }
    Ok(())
}

/// Walks the records. Compressed ones are opened only where a rule asks what is inside, or to say which of them are to
/// blame; that their payload is sound is else for the consumer to see, as the checksum has proved that it is what the
/// producer sent.
fn check_records(
    header: &BatchHeader,
    codec: Codec,
    batch: &Bytes,
    rules: &Rules,
) -> Result<Option<i64>, BatchError> {
    let payload = batch.get(HEADER_BYTES..).unwrap_or_default();
    if codec == Codec::None {
        return check_walk(header, payload, rules);
    }
    let asks = match rules.timestamps {
        TimestampRule::Replaced => header.timestamp_type() == TimestampType::LogAppendTime,
        // Above zero there is an age that some record may be beyond; the header tells of the youngest alone.
        TimestampRule::Between { earliest, .. } => {
            0 < earliest || timestamp_is_out(header.max_timestamp, rules.timestamps)
        }
    };
    if !rules.needs_keys && !asks {
        return Ok(None);
    }
    let caps = Caps::produced(rules.decompressed_bytes_max);
    let unpacker = Unpacker::new(codec, payload, caps)?;
    let mut checked = Collected::new(*header, rules);
    scan(header, unpacker, None, |index, record| {
        checked.take(index, record)
    })?;
    checked.finish()
}

/// Gives the largest timestamp.
fn check_walk(header: &BatchHeader, payload: &[u8], rules: &Rules) -> Result<Option<i64>, BatchError> {
    let mut checked = Collected::new(*header, rules);
    for (index, record) in (0..).zip(walk(header, payload)) {
        let record = record?;
        let seen = Scanned {
            offset_delta: record.offset_delta,
            timestamp: record.timestamp,
            has_key: record.key.is_some(),
        };
        if checked.take(index, seen).is_break() {
            break;
        }
    }
    checked.finish()
}

/// Records on their way past the rules: every bad one is kept, as Kafka does.
pub(crate) struct Collected<'a> {
    rules: &'a Rules,
    claims_our_time: bool,
    largest: Option<i64>,
    out_of_order: Option<i32>,
    bad: Vec<BadRecord>,
}

impl<'a> Collected<'a> {
    pub(crate) fn new(header: BatchHeader, rules: &'a Rules) -> Collected<'a> {
        Collected {
            rules,
            claims_our_time: rules.timestamps == TimestampRule::Replaced
                && header.timestamp_type() == TimestampType::LogAppendTime,
            largest: None,
            out_of_order: None,
            bad: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn take(&mut self, index: i32, record: Scanned) -> ControlFlow<()> {
        if record.offset_delta != index {
            self.out_of_order = Some(index);
            return ControlFlow::Break(());
        }
        let why = if self.rules.needs_keys && !record.has_key {
            Some(Why::NoKey)
        } else if self.claims_our_time {
            Some(Why::TimestampType)
        } else if timestamp_is_out(record.timestamp, self.rules.timestamps) {
            Some(Why::Timestamp(record.timestamp))
        } else {
            None
        };
        if let Some(why) = why {
            self.bad.push(BadRecord { index, why });
            if BAD_RECORDS_MAX <= self.bad.len() {
                return ControlFlow::Break(());
            }
        }
        self.largest = self.largest.max(Some(record.timestamp));
        ControlFlow::Continue(())
    }

    /// The largest timestamp, or what is wrong.
    pub(crate) fn finish(self) -> Result<Option<i64>, BatchError> {
        if let Some(index) = self.out_of_order {
            let what = "its offset delta is out of order";
            return Err(BatchError::Malformed { index, what });
        }
        if self.bad.is_empty() {
            Ok(self.largest)
        } else {
            Err(BatchError::BadRecords(self.bad))
        }
    }
}

#[inline]
fn timestamp_is_out(timestamp: i64, rule: TimestampRule) -> bool {
    match rule {
        TimestampRule::Replaced => false,
        // -1 means that the record has no timestamp.
        TimestampRule::Between { earliest, latest } => {
            timestamp != -1 && !(earliest..=latest).contains(&timestamp)
        }
    }
}
