//! How much a directory takes, how much of it lives, and which chunks are worth cleaning.

use rustc_hash::FxHashMap;

use super::Cleaner;
use crate::Error;

/// Sealed chunks may take so much more than what lives in them, in tenths. Below what is promised (1.3), for a round
/// comes after the fact.
const ALLOCATED_PER_LIVE_TENTHS: u64 = 12;
/// And so much beside it, so that a nearly empty directory is left alone.
const SLACK_BYTES: u64 = 64 << 10;
/// What a sorted chunk takes beside its runs.
const CHUNK_OVERHEAD_BYTES: u64 = 16 << 10;
const RUN_OVERHEAD_BYTES: u64 = 160;
/// Moving is worth it from one part of so many on.
const GAIN_MIN_PART: u64 = 16;

/// Space of one stream's chunks.
#[derive(Debug, Clone, Default)]
pub struct Space {
    /// Bytes of all chunk files, the current one's included.
    pub allocated: u64,
    /// Bytes of batches that can be read.
    pub live: u64,
    /// Bytes of the chunk that is written now.
    pub current: u64,
    pub(super) sealed: Vec<ChunkSpace>,
    /// Nothing more can be written: every byte counts.
    pub(super) full: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkSpace {
    pub(super) id: u64,
    pub(super) allocated: u64,
    pub(super) live: u64,
    runs: u64,
    /// Retention is about to drop all that lives in it.
    soon: bool,
}

#[derive(Default, Clone, Copy)]
struct Living {
    bytes: u64,
    runs: u64,
    /// Runs that will be dropped soon.
    soon: u64,
}

impl Cleaner {
    pub(crate) fn space(&self, now_ms: i64) -> Result<Space, Error> {
        let current = self.stream.place().map_or(0, |place| place.chunk);
        let mut living: FxHashMap<u64, Living> = FxHashMap::default();
        for log in self.stream.shared.logs() {
            for run in log.living(now_ms) {
                let of_chunk = living.entry(run.chunk).or_default();
                of_chunk.bytes += run.bytes;
                of_chunk.runs += 1;
                of_chunk.soon += u64::from(run.soon);
            }
        }
        let mut space = Space {
            full: self.stream.is_full(),
            ..Space::default()
        };
        for id in self.stream.chunk_ids() {
            let Some(chunk) = self.stream.chunk(id) else {
                continue;
            };
            let of_chunk = living.get(&id).copied().unwrap_or_default();
            space.allocated += chunk.bytes;
            space.live += of_chunk.bytes;
            if id == current {
                space.current = chunk.bytes;
                continue;
            }
            space.sealed.push(ChunkSpace {
                id,
                allocated: chunk.bytes,
                live: of_chunk.bytes,
                runs: of_chunk.runs,
                soon: of_chunk.runs != 0 && of_chunk.soon == of_chunk.runs,
            });
        }
        Ok(space)
    }
}

impl Space {
    /// The chunks to clean next: those with the lowest live share, as few as bring the space within its bound, and not
    /// more than `live_max` of live bytes. None if there is no need, or nothing to gain.
    pub(super) fn victims(&self, live_max: u64, may: impl Fn(u64) -> bool) -> Vec<ChunkSpace> {
        let (mut allocated, mut live) = (0, 0);
        for chunk in &self.sealed {
            allocated += chunk.allocated;
            live += chunk.live;
        }
        let bound = if self.full {
            live + live / 50
        } else {
            live / 10 * ALLOCATED_PER_LIVE_TENTHS + SLACK_BYTES
        };
        let mut by_share: Vec<ChunkSpace> = self
            .sealed
            .iter()
            .filter(|chunk| chunk.live != 0 && may(chunk.id))
            .copied()
            .collect();
        by_share.sort_by(|one, other| {
            // live / allocated, without division
            let share = u128::from(one.live) * u128::from(other.allocated);
            let others = u128::from(other.live) * u128::from(one.allocated);
            (one.soon, share, one.id).cmp(&(other.soon, others, other.id))
        });
        let mut victims: Vec<ChunkSpace> = Vec::new();
        let (mut freed, mut moved) = (0, CHUNK_OVERHEAD_BYTES);
        for chunk in by_share {
            let enough = allocated + moved <= bound + freed;
            if enough || (!victims.is_empty() && live_max < moved + chunk.live) {
                break;
            }
            freed += chunk.allocated;
            moved += chunk.live + RUN_OVERHEAD_BYTES * chunk.runs;
            victims.push(chunk);
        }
        let gains = moved + (freed / GAIN_MIN_PART) < freed;
        if gains { victims } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn chunk(id: u64, allocated: u64, live: u64) -> ChunkSpace {
        ChunkSpace {
            id,
            allocated,
            live,
            runs: 1,
            soon: false,
        }
    }

    fn ids(space: &Space) -> Vec<u64> {
        let victims = space.victims(64 * MIB, |_| true);
        victims.iter().map(|chunk| chunk.id).collect()
    }

    fn space(sealed: &[ChunkSpace]) -> Space {
        Space {
            sealed: sealed.to_vec(),
            ..Space::default()
        }
    }

    #[test]
    fn the_chunk_with_the_lowest_live_share_goes_first_and_no_more_than_needed() {
        let sealed = [
            chunk(1, 4 * MIB, 3 * MIB),
            chunk(2, 4 * MIB, MIB),
            chunk(3, 8 * MIB, 8 * MIB),
        ];
        assert_eq!(ids(&space(&sealed)), [2]);
    }

    #[test]
    fn within_the_bound_nothing_is_moved() {
        assert_eq!(ids(&space(&[chunk(1, 12 * MIB, 10 * MIB)])), [] as [u64; 0]);
        assert_eq!(ids(&space(&[])), [] as [u64; 0]);
    }

    #[test]
    fn what_would_not_become_smaller_is_left() {
        // One record in a small sorted chunk.
        assert_eq!(ids(&space(&[chunk(1, 12 << 10, 100)])), [] as [u64; 0]);
        // Many of them become one.
        let many: Vec<ChunkSpace> = (0..20).map(|id| chunk(id, 12 << 10, 100)).collect();
        assert!(1 < ids(&space(&many)).len());
    }

    #[test]
    fn what_retention_will_drop_comes_last() {
        let mut sealed = [chunk(1, 4 * MIB, MIB), chunk(2, 4 * MIB, 2 * MIB)];
        sealed[0].soon = true;
        assert_eq!(ids(&space(&sealed)), [2, 1]);
    }

    #[test]
    fn on_a_full_disk_every_byte_counts() {
        let mut of = space(&[chunk(1, 12 * MIB, 10 * MIB)]);
        of.full = true;
        assert_eq!(ids(&of), [1]);
    }
}
