//! The newest offset of each key, in bounded memory: hashes of 128 bits stand for the keys (`SkimpyOffsetMap`).

use std::hash::{BuildHasher, Hasher, RandomState};

use types::Offset;

/// A hash and an offset.
const SLOT_BYTES: usize = size_of::<Slot>();

#[derive(Clone, Copy)]
struct Slot {
    hash: [u64; 2],
    /// -1: nothing is here.
    offset: i64,
}

const EMPTY: Slot = Slot {
    hash: [0; 2],
    offset: -1,
};

/// An open table with linear probing. The hashes are keyed by secrets of the process: nobody can make two keys collide
/// on purpose.
pub(crate) struct OffsetMap {
    secrets: [RandomState; 2],
    slots: Vec<Slot>,
    used: usize,
    used_max: usize,
    /// Everything up to it is in the map.
    latest: Offset,
}

impl OffsetMap {
    /// Of at most `bytes`, filled to `load_factor`, and no larger than `wanted` keys need.
    pub(crate) fn new(bytes: usize, load_factor: f64, wanted: usize, begin: Offset) -> OffsetMap {
        let load_factor = load_factor.clamp(0.1, 0.95);
        let fits = (bytes / SLOT_BYTES).max(16);
        let needed = (wanted as f64 / load_factor) as usize + 16;
        let count = fits.min(needed);
        OffsetMap {
            secrets: [RandomState::new(), RandomState::new()],
            slots: vec![EMPTY; count],
            used: 0,
            used_max: ((count as f64 * load_factor) as usize).max(1),
            latest: Offset(begin.0 - 1),
        }
    }

    pub(crate) fn latest(&self) -> Offset {
        self.latest
    }

    pub(crate) fn saw(&mut self, offset: Offset) {
        self.latest = self.latest.max(offset);
    }

    fn hash(&self, key: &[u8]) -> [u64; 2] {
        self.secrets.each_ref().map(|secret| {
            let mut hasher = secret.build_hasher();
            hasher.write(key);
            hasher.finish()
        })
    }

    /// Where a hash is, or would be.
    fn find(&self, hash: [u64; 2]) -> usize {
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

    /// False if there is no room for another key.
    pub(crate) fn put(&mut self, key: &[u8], offset: Offset) -> bool {
        if self.used_max <= self.used {
            return false;
        }
        let hash = self.hash(key);
        let at = self.find(hash);
        if let Some(slot) = self.slots.get_mut(at) {
            self.used += usize::from(slot.offset < 0);
            *slot = Slot {
                hash,
                offset: offset.0,
            };
        }
        true
    }

    /// The newest offset of a key; -1 if it is not in the map.
    pub(crate) fn get(&self, key: &[u8]) -> Offset {
        let at = self.find(self.hash(key));
        Offset(self.slots.get(at).map_or(-1, |slot| slot.offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_offset_of_each_key_is_kept() {
        let mut map = OffsetMap::new(1 << 20, 0.9, 1000, Offset(0));
        for offset in 0..3000i64 {
            assert!(map.put(&(offset % 700).to_be_bytes(), Offset(offset)));
        }
        for key in 0..700i64 {
            let newest = (0..3000).rev().find(|offset| offset % 700 == key).expect("some");
            assert_eq!(map.get(&key.to_be_bytes()), Offset(newest));
        }
        assert_eq!(map.get(b"another"), Offset(-1));
    }

    #[test]
    fn memory_is_bounded_and_a_full_map_says_so() {
        let mut map = OffsetMap::new(100 * SLOT_BYTES, 0.9, 1 << 30, Offset(0));
        let taken = (0..1000i64)
            .take_while(|key| map.put(&key.to_be_bytes(), Offset(*key)))
            .count();
        assert_eq!(taken, 90);
        assert_eq!(map.slots.len(), 100);
    }
}
