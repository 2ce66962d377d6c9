//! Java's hash of a text, by which Kafka finds the partition of a group (`architecture.md` 6.7).

/// `java.lang.String.hashCode`: over UTF-16 units, wrapping.
pub fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

/// The partition of an internal topic that keeps a key (`org.apache.kafka.common.utils.Utils.abs`).
pub fn partition_for(key: &str, partitions: i32) -> i32 {
    (java_hash(key) & 0x7fff_ffff)
        .checked_rem(partitions)
        .unwrap_or(0)
}

/// The bucket of a text in a `java.util.HashMap` with `buckets` (a power of two) buckets: the order of iteration.
pub(crate) fn java_bucket(text: &str, buckets: u32) -> u32 {
    let hash = java_hash(text) as u32;
    (hash ^ (hash >> 16)) & buckets.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_hash_as_in_java() {
        assert_eq!(java_hash(""), 0);
        assert_eq!(java_hash("group"), 98_629_247);
        assert_eq!(
            java_hash("console-consumer-1"),
            java_hash("console-consumer-0") + 1
        );
        // Beyond the basic plane a character is two units.
        assert_eq!(java_hash("\u{1f600}"), 0xd83d * 31 + 0xde00);
        // Java's own counter-example for Math.abs: a hash of Integer.MIN_VALUE.
        assert_eq!(java_hash("polygenelubricants"), i32::MIN);
        assert_eq!(partition_for("polygenelubricants", 50), 0);
    }
}
