//! librdkafka's partitioners: which partition a key goes to. Its default is the CRC-32 of the key, not Java's murmur2.

use super::Stop;

/// A partitioner by librdkafka's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Partitioner {
    /// CRC-32 (`consistent`, `consistent_random`).
    #[default]
    Crc32,
    /// As Java (`murmur2`, `murmur2_random`).
    Murmur2,
    /// FNV-1a (`fnv1a`, `fnv1a_random`).
    Fnv1a,
    /// Any.
    Random,
}

impl Partitioner {
    pub(super) fn named(name: &str) -> Result<Partitioner, Stop> {
        match name {
            "consistent" | "consistent_random" => Ok(Partitioner::Crc32),
            "murmur2" | "murmur2_random" => Ok(Partitioner::Murmur2),
            "fnv1a" | "fnv1a_random" => Ok(Partitioner::Fnv1a),
            "random" => Ok(Partitioner::Random),
            other => Err(Stop::fatal(format!(
                "Invalid value \"{other}\" for configuration property \"partitioner\""
            ))),
        }
    }

    /// The partition of a key; `None` leaves it to the producer.
    pub(super) fn partition(self, key: &[u8], partitions: usize) -> Option<i32> {
        let count = u32::try_from(partitions).ok().filter(|count| 0 < *count)?;
        let hash = match self {
            Partitioner::Crc32 => crc32(key),
            Partitioner::Fnv1a => fnv1a(key),
            Partitioner::Murmur2 => return i32::try_from(client::partition_of_key(key, partitions)).ok(),
            Partitioner::Random => return None,
        };
        i32::try_from(hash % count).ok()
    }
}

/// CRC-32 as zlib has it. Keys are short: no table.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc = (crc >> 1) ^ (0xedb8_8320 * low);
        }
    }
    !crc
}

/// librdkafka's FNV-1a: of the hash's absolute value, as a signed number.
fn fnv1a(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    hash.cast_signed().unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_crc_32_is_right() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn keys_go_where_kcat_sends_them() {
        // As kcat 1.7.1 with librdkafka 2.0.2 spread k1 to k8 over four partitions.
        let spread: Vec<i32> = (1..=8)
            .filter_map(|number| Partitioner::default().partition(format!("k{number}").as_bytes(), 4))
            .collect();
        assert_eq!(spread, [1, 3, 1, 2, 0, 2, 0, 1]);
        assert_eq!(Partitioner::Random.partition(b"k1", 4), None);
        assert_eq!(Partitioner::Crc32.partition(b"k1", 0), None);
    }
}
