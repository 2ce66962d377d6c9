//! A partition: batches, and the last five of each producer (`ProducerStateEntry`).

use std::collections::{BTreeMap, VecDeque};

use record::BatchHeader;
use types::ErrorCode;

#[derive(Debug, Default)]
pub struct Log {
    pub leader: i32,
    pub epoch: i32,
    pub batches: Vec<(i64, Vec<u8>)>,
    pub end: i64,
    producers: BTreeMap<i64, Producer>,
}

#[derive(Debug, Default)]
struct Producer {
    epoch: i16,
    /// First and last sequence, base offset.
    last: VecDeque<(i32, i32, i64)>,
}

/// What became of a batch.
pub enum Appended {
    At(i64),
    Refused(ErrorCode),
}

impl Log {
    pub fn new(leader: i32) -> Log {
        Log {
            leader,
            ..Log::default()
        }
    }

    pub fn append(&mut self, batch: &[u8]) -> Appended {
        let Ok(header) = BatchHeader::parse(batch) else {
            return Appended::Refused(ErrorCode::CorruptMessage);
        };
        if record::check_crc(&header, batch).is_err() {
            return Appended::Refused(ErrorCode::CorruptMessage);
        }
        if header.has_producer() {
            if let Some(early) = self.check_sequence(&header) {
                return early;
            }
            let producer = self.producers.entry(header.producer_id.0).or_default();
            producer.epoch = header.producer_epoch.0;
            producer
                .last
                .push_back((header.base_sequence, header.last_sequence(), self.end));
            if 5 < producer.last.len() {
                producer.last.pop_front();
            }
        }
        let mut stored = batch.to_vec();
        stored[..8].copy_from_slice(&self.end.to_be_bytes());
        stored[12..16].copy_from_slice(&self.epoch.to_be_bytes());
        let base = self.end;
        self.end += i64::from(header.records_count);
        self.batches.push((base, stored));
        Appended::At(base)
    }

    fn check_sequence(&mut self, header: &BatchHeader) -> Option<Appended> {
        let producer = self.producers.get_mut(&header.producer_id.0)?;
        let (first, epoch) = (header.base_sequence, header.producer_epoch.0);
        if epoch < producer.epoch {
            return Some(Appended::Refused(ErrorCode::InvalidProducerEpoch));
        }
        if producer.epoch < epoch {
            producer.last.clear();
            let fits = first == 0;
            return (!fits).then_some(Appended::Refused(ErrorCode::OutOfOrderSequenceNumber));
        }
        let again = producer
            .last
            .iter()
            .find(|one| one.0 == first && one.1 == header.last_sequence());
        if let Some((_, _, base)) = again {
            return Some(Appended::At(*base));
        }
        let next = producer.last.back().map_or(first, |one| one.1 + 1);
        (next != first).then_some(Appended::Refused(ErrorCode::OutOfOrderSequenceNumber))
    }

    /// Whole batches from the one with `offset` on, up to about 4 KiB.
    pub fn read(&self, offset: i64) -> Vec<u8> {
        let mut out = Vec::new();
        let start = self
            .batches
            .partition_point(|(base, _)| *base <= offset)
            .saturating_sub(1);
        for (base, batch) in self.batches.iter().skip(start) {
            let header = BatchHeader::parse(batch).expect("checked when it came");
            if header.next_offset().0 <= offset {
                continue;
            }
            if 4096 < out.len() && *base != offset {
                break;
            }
            out.extend_from_slice(batch);
        }
        out
    }

    /// Every value in order.
    pub fn values(&self) -> Vec<(i64, Vec<u8>)> {
        let mut values = Vec::new();
        for (base, batch) in &self.batches {
            let header = BatchHeader::parse(batch).expect("checked when it came");
            for one in record::walk(&header, &batch[record::HEADER_BYTES..]) {
                let one = one.expect("ours are not compressed");
                values.push((
                    base + i64::from(one.offset_delta),
                    one.value.unwrap_or_default().to_vec(),
                ));
            }
        }
        values
    }
}
