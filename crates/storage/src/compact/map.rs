//! The newest offset of each key, in bounded memory: hashes of 128 bits stand for the keys (`SkimpyOffsetMap`).

use types::Offset;

use super::hash::{Secret, hash};

/// A hash and an offset.
const SLOT_BYTES: usize = size_of::<Slot>();
/// A map begins with so many slots, and grows with its keys.
const SLOTS_MIN: usize = 1 << 12;

/// What stands for a key.
pub(crate) type Hash = [u64; 2];

#[derive(Clone, Copy)]
struct Slot {
    hash: Hash,
    /// -1: nothing is here.
    offset: i64,
}

const EMPTY: Slot = Slot {
    hash: [0; 2],
    offset: -1,
};

/// An open table with linear probing. The hashes are keyed by a secret: nobody can make two keys collide on purpose.
pub(crate) struct OffsetMap {
    secret: Secret,
    slots: Vec<Slot>,
    used: usize,
    /// With so many keys it is time to grow, or the map is full.
    limit: usize,
    slots_max: usize,
    load_factor: f64,
    /// Everything up to it is in the map.
    latest: Offset,
}

impl OffsetMap {
    /// Of at most `bytes`, filled to `load_factor`.
    pub(crate) fn new(secret: Secret, bytes: usize, load_factor: f64, begin: Offset) -> OffsetMap {
        let slots_max = (bytes / SLOT_BYTES).max(16);
        let mut map = OffsetMap {
            secret,
            slots: vec![EMPTY; slots_max.min(SLOTS_MIN)],
            used: 0,
            limit: 0,
            slots_max,
            load_factor: load_factor.clamp(0.1, 0.95),
            latest: Offset(begin.0 - 1),
        };
        map.limit = map.limit();
        map
    }

    /// A small map grows while it may: half full, it is quick.
    fn limit(&self) -> usize {
        let count = self.slots.len();
        if count < self.slots_max {
            count / 2 + 1
        } else {
            (count as f64 * self.load_factor).ceil().max(1.0) as usize
        }
    }

    pub(crate) fn latest(&self) -> Offset {
        self.latest
    }

    pub(crate) fn saw(&mut self, offset: Offset) {
        self.latest = self.latest.max(offset);
    }

    /// What stands for a key.
    #[inline]
    pub(crate) fn hash(&self, key: &[u8]) -> Hash {
        hash(self.secret, key)
    }

    /// Where a hash is, or would be.
    #[inline]
    fn find(&self, hash: Hash) -> usize {
        let count = self.slots.len();
        let mut at = ((u128::from(hash[0]) * count as u128) >> 64) as usize;
        // There is always an empty one: the map is never full.
        while let Some(slot) = self.slots.get(at) {
            if slot.offset < 0 || slot.hash == hash {
                break;
            }
            at = if at + 1 == count { 0 } else { at + 1 };
        }
        at
    }

    /// Twice as large, as far as it may be.
    #[cold]
    fn grow(&mut self) {
        let grown = vec![EMPTY; (2 * self.slots.len()).min(self.slots_max)];
        let before = std::mem::replace(&mut self.slots, grown);
        for slot in before.into_iter().filter(|slot| 0 <= slot.offset) {
            let at = self.find(slot.hash);
            if let Some(place) = self.slots.get_mut(at) {
                *place = slot;
            }
        }
        self.limit = self.limit();
    }

    /// The offset that the key had before, -1 if it had none; nothing if there is no room for another key.
    #[inline]
    pub(crate) fn put(&mut self, hash: Hash, offset: Offset) -> Option<Offset> {
        if self.limit <= self.used {
            if self.slots.len() == self.slots_max {
                return None;
            }
            self.grow();
        }
        let at = self.find(hash);
        let slot = self.slots.get_mut(at)?;
        let before = slot.offset;
        self.used += usize::from(before < 0);
        *slot = Slot {
            hash,
            offset: offset.0,
        };
        Some(Offset(before))
    }

    /// The newest offset of a key; -1 if it is not in the map.
    pub(crate) fn get(&self, key: &[u8]) -> Offset {
        let at = self.find(hash(self.secret, key));
        Offset(self.slots.get(at).map_or(-1, |slot| slot.offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: Secret = Secret([3, 4]);

    #[test]
    fn the_newest_offset_of_each_key_is_kept() {
        let mut map = OffsetMap::new(SECRET, 1 << 20, 0.9, Offset(0));
        for offset in 0..30_000i64 {
            let hash = map.hash(&(offset % 7000).to_be_bytes());
            let before = if offset < 7000 { -1 } else { offset - 7000 };
            assert_eq!(map.put(hash, Offset(offset)), Some(Offset(before)));
        }
        for key in 0..7000i64 {
            let newest = 28_000 + key;
            let newest = if newest < 30_000 { newest } else { newest - 7000 };
            assert_eq!(map.get(&key.to_be_bytes()), Offset(newest));
        }
        assert_eq!(map.get(b"another"), Offset(-1));
    }

    #[test]
    fn memory_is_bounded_and_a_full_map_says_so() {
        for slots in [100, 10_000] {
            let mut map = OffsetMap::new(SECRET, slots * SLOT_BYTES, 0.9, Offset(0));
            let taken = (0..20_000i64).take_while(|key| {
                let hash = map.hash(&key.to_be_bytes());
                map.put(hash, Offset(*key)).is_some()
            });
            assert_eq!(taken.count(), slots * 9 / 10);
            assert_eq!(map.slots.len(), slots);
        }
    }
}
