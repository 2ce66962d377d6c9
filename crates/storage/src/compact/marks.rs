//! What the first pass of a compaction learned of each offset, a bit apiece: the second need not look at keys again, and
//! batches of which nothing or all of it stays are not opened at all.

use record::BatchHeader;
use types::Offset;

/// Of the offsets from a base on, as far as the memory for it reaches.
pub(crate) struct Marks {
    base: Offset,
    /// There is a later record of the key, or there is no key.
    superseded: Bits,
    tombstones: Bits,
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Every record is superseded.
    Goes,
    /// No record is, and none is a tombstone.
    Stays,
    /// Its records must be looked at.
    Open,
}

impl Marks {
    /// Of at most `bytes`.
    pub(crate) fn new(base: Offset, bytes: usize) -> Marks {
        let bits = || Bits {
            words: Vec::new(),
            words_max: bytes / 16,
        };
        Marks {
            base,
            superseded: bits(),
            tombstones: bits(),
        }
    }

    fn at(&self, offset: Offset) -> Option<u64> {
        u64::try_from(offset.0.checked_sub(self.base.0)?).ok()
    }

    pub(crate) fn supersede(&mut self, offset: Offset) {
        if let Some(at) = self.at(offset) {
            self.superseded.set(at);
        }
    }

    pub(crate) fn tombstone(&mut self, offset: Offset) {
        if let Some(at) = self.at(offset) {
            self.tombstones.set(at);
        }
    }

    /// None where it is not known.
    #[inline]
    pub(crate) fn is_superseded(&self, offset: Offset) -> Option<bool> {
        let at = self.at(offset)?;
        self.superseded.reaches(at).then(|| self.superseded.has(at))
    }

    /// Of a batch of records that were all looked at.
    pub(crate) fn fate(&self, header: &BatchHeader) -> Fate {
        let range = self.at(header.base_offset).zip(self.at(header.last_offset()));
        let known = range.filter(|(_, last)| self.superseded.reaches(*last) && 0 < header.records_count);
        let Some((first, last)) = known else {
            return Fate::Open;
        };
        let gone = self.superseded.count(first, last);
        if gone == last - first + 1 {
            Fate::Goes
        } else if gone == 0 && self.tombstones.count(first, last) == 0 {
            Fate::Stays
        } else {
            Fate::Open
        }
    }
}

struct Bits {
    words: Vec<u64>,
    words_max: usize,
}

impl Bits {
    fn reaches(&self, at: u64) -> bool {
        at / 64 < self.words_max as u64
    }

    fn set(&mut self, at: u64) {
        if !self.reaches(at) {
            return;
        }
        let word = (at / 64) as usize;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= 1 << (at % 64);
        }
    }

    fn word(&self, word: u64) -> u64 {
        self.words.get(word as usize).copied().unwrap_or(0)
    }

    fn has(&self, at: u64) -> bool {
        self.word(at / 64) & (1 << (at % 64)) != 0
    }

    /// How many are set of `first..=last`.
    fn count(&self, first: u64, last: u64) -> u64 {
        let mut count = 0;
        for word in first / 64..=last / 64 {
            let mut bits = self.word(word);
            if word == first / 64 {
                bits &= u64::MAX << (first % 64);
            }
            if word == last / 64 {
                bits &= u64::MAX >> (63 - last % 64);
            }
            count += u64::from(bits.count_ones());
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use record::{BatchBuilder, BatchOptions};

    use super::*;

    fn batch(base: i64, count: usize) -> BatchHeader {
        let mut builder = BatchBuilder::new(BatchOptions {
            base_offset: Offset(base),
            ..BatchOptions::default()
        });
        for _ in 0..count {
            builder.push(1, Some(b"k"), Some(b"v"));
        }
        let bytes: Bytes = builder.build().expect("memory");
        BatchHeader::parse(&bytes).expect("ours")
    }

    #[test]
    fn a_batch_goes_stays_or_is_looked_at() {
        let mut marks = Marks::new(Offset(100), 1 << 10);
        let of = batch(163, 66);
        assert_eq!(marks.fate(&of), Fate::Stays);
        marks.tombstone(Offset(228));
        assert_eq!(marks.fate(&of), Fate::Open);
        marks.supersede(Offset(162));
        marks.supersede(Offset(229));
        (163..228).for_each(|offset| marks.supersede(Offset(offset)));
        assert_eq!(marks.fate(&of), Fate::Open);
        marks.supersede(Offset(228));
        assert_eq!(marks.fate(&of), Fate::Goes);
        assert_eq!(marks.is_superseded(Offset(162)), Some(true));
        assert_eq!(marks.is_superseded(Offset(161)), Some(false));
    }

    #[test]
    fn below_the_base_and_beyond_the_memory_nothing_is_known() {
        let mut marks = Marks::new(Offset(100), 16);
        assert_eq!(marks.fate(&batch(99, 2)), Fate::Open);
        assert_eq!(marks.fate(&batch(163, 1)), Fate::Stays);
        assert_eq!(marks.fate(&batch(163, 2)), Fate::Open);
        for offset in [0, 99, 164, i64::MAX] {
            marks.supersede(Offset(offset));
            assert_eq!(marks.is_superseded(Offset(offset)), None);
        }
        assert!(marks.superseded.words.len() <= 1);
    }
}
