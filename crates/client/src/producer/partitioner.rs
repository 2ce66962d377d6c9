//! Which partition a record goes to: by its key as the Java client, or one at a time for records without a key.

use os::Random;

/// `org.apache.kafka.common.utils.Utils.murmur2`.
pub(crate) fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let mut hash = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in words.by_ref() {
        let mut k = word
            .first_chunk::<4>()
            .map_or(0, |word| u32::from_le_bytes(*word));
        k = k.wrapping_mul(M);
        k ^= k >> 24;
        k = k.wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let tail = rest
            .iter()
            .rev()
            .fold(0u32, |tail, byte| (tail << 8) | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// The partition of a key among `partitions` (`BuiltInPartitioner.partitionForKey`).
///
/// ```
/// // As Java: the same key goes to the same partition, whichever client writes it.
/// assert_eq!(client::partition_of_key(b"order-17", 6), client::partition_of_key(b"order-17", 6));
/// assert!(client::partition_of_key(b"order-17", 6) < 6);
/// ```
pub fn partition_of_key(key: &[u8], partitions: usize) -> usize {
    (murmur2(key) & 0x7fff_ffff) as usize % partitions.max(1)
}

/// Records without a key stay with one partition until a batch is full, so that batches fill (KIP-480); the next is
/// drawn with less chance for partitions whose queues are long (KIP-794).
#[derive(Debug, Default)]
pub(super) struct Sticky {
    partition: Option<usize>,
    bytes: usize,
}

impl Sticky {
    /// The partition for the next record. `queued` gives the waiting batches of each partition, or `None` for one
    /// without a leader.
    pub(super) fn partition(
        &mut self,
        queued: impl Iterator<Item = Option<usize>> + Clone,
        random: &Random,
    ) -> usize {
        let count = queued.clone().count();
        match self.partition.filter(|partition| *partition < count) {
            Some(partition) => partition,
            None => {
                let partition = draw(queued, random);
                self.partition = Some(partition);
                self.bytes = 0;
                partition
            }
        }
    }

    /// A record of `bytes` went to the current partition; from `switch_at` on another is drawn.
    pub(super) fn wrote(&mut self, bytes: usize, switch_at: usize) {
        self.bytes += bytes;
        if switch_at <= self.bytes {
            self.partition = None;
        }
    }
}

/// Draws a partition; one with a queue shorter by one batch has one more ticket.
fn draw(queued: impl Iterator<Item = Option<usize>> + Clone, random: &Random) -> usize {
    let longest = queued.clone().flatten().max();
    let Some(longest) = longest else {
        // None has a leader: any is as good.
        return random.u64() as usize % queued.count().max(1);
    };
    let tickets = |length: Option<usize>| length.map_or(0, |length| longest + 1 - length);
    let all: usize = queued.clone().map(tickets).sum();
    let mut ticket = random.u64() as usize % all.max(1);
    for (partition, length) in queued.enumerate() {
        let own = tickets(length);
        if ticket < own {
            return partition;
        }
        ticket -= own;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hash_as_in_java() {
        // Values of `UtilsTest.testMurmur2` of Apache Kafka.
        for (key, hash) in [
            ("21", -973932308i32),
            ("foobar", -790332482),
            ("a-little-bit-long-string", -985981536),
            ("a-little-bit-longer-string", -1486304829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
            ("abc", 479470107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    /// The fold over the partitions of the same 100,000 keys by `Utils.toPositive(Utils.murmur2(key)) % 1009` of
    /// Apache Kafka 4.3.1 on Java 17.
    #[test]
    fn a_hundred_thousand_keys_go_where_java_sends_them() {
        let (mut state, mut fold) = (1u64, 0xcbf2_9ce4_8422_2325u64);
        for index in 0..100_000 {
            let byte = |_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            };
            let key: Vec<u8> = (0..index % 67).map(byte).collect();
            fold = (fold ^ partition_of_key(&key, 1009) as u64).wrapping_mul(0x0100_0000_01b3);
        }
        assert_eq!(fold, 15_894_671_892_519_821_878);
    }

    #[test]
    fn records_without_a_key_stay_until_a_batch_is_full() {
        let (mut sticky, random) = (Sticky::default(), Random::real());
        let queued = [Some(0); 8];
        let first = sticky.partition(queued.into_iter(), &random);
        sticky.wrote(99, 100);
        assert_eq!(sticky.partition(queued.into_iter(), &random), first);
        sticky.wrote(1, 100);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            seen.insert(sticky.partition(queued.into_iter(), &random));
            sticky.wrote(100, 100);
        }
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn long_queues_and_missing_leaders_are_avoided() {
        let random = Random::real();
        let mut counts = [0; 3];
        for _ in 0..3000 {
            counts[draw([Some(9), None, Some(0)].into_iter(), &random)] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!(counts[0] < 600, "{counts:?}");
    }
}
