//! How a record says which schema it was written with: Schema Registry's prefix and headers.

use crate::avro::put_long;

/// The first byte of a prefixed payload.
const MAGIC: u8 = 0;
/// The first byte of a header that holds a GUID.
const GUID_MAGIC: u8 = 1;
/// The record header that names the key's schema.
pub const KEY_SCHEMA_ID_HEADER: &str = "__key_schema_id";
/// The record header that names the value's schema.
pub const VALUE_SCHEMA_ID_HEADER: &str = "__value_schema_id";
/// Messages inside messages, as deep as a Protobuf message index may lead.
const INDEXES_MAX: usize = 64;

/// Why bytes name no schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("the bytes end inside the name of the schema")]
    Short,
    #[error("the first byte is {0}, a prefixed payload starts with 0 and a header with 1")]
    UnknownMagic(u8),
    #[error("the message indexes are no list of small numbers")]
    Indexes,
}

/// Appends the prefix of a schema id: 0, and the id in 4 bytes, big-endian.
pub fn put_prefix(id: u32, out: &mut Vec<u8>) {
    out.push(MAGIC);
    out.extend_from_slice(&id.to_be_bytes());
}

/// The schema id of a prefixed payload, and the payload.
///
/// ```
/// let mut bytes = Vec::new();
/// schema::wire::put_prefix(258, &mut bytes);
/// bytes.push(42);
/// assert_eq!(bytes, [0, 0, 0, 1, 2, 42]);
/// assert_eq!(schema::wire::take_prefix(&bytes), Ok((258, [42].as_slice())));
/// ```
pub fn take_prefix(bytes: &[u8]) -> Result<(u32, &[u8]), WireError> {
    match bytes {
        [MAGIC, a, b, c, d, payload @ ..] => Ok((u32::from_be_bytes([*a, *b, *c, *d]), payload)),
        [MAGIC, ..] | [] => Err(WireError::Short),
        [other, ..] => Err(WireError::UnknownMagic(*other)),
    }
}

/// Appends the value of a header that names a schema by its GUID.
pub fn put_guid(guid: [u8; 16], out: &mut Vec<u8>) {
    out.push(GUID_MAGIC);
    out.extend_from_slice(&guid);
}

/// The GUID of a header's value, and what follows it (Protobuf's message indexes).
pub fn take_guid(value: &[u8]) -> Result<([u8; 16], &[u8]), WireError> {
    match value.split_first() {
        Some((&GUID_MAGIC, rest)) => {
            let (guid, rest) = rest.split_first_chunk::<16>().ok_or(WireError::Short)?;
            Ok((*guid, rest))
        }
        Some((other, _)) => Err(WireError::UnknownMagic(*other)),
        None => Err(WireError::Short),
    }
}

/// Appends which message of a Protobuf file was written: for `[0]`, the first, one zero byte, else the length and each
/// index as zigzag varints.
pub fn put_message_indexes(indexes: &[u32], out: &mut Vec<u8>) {
    if *indexes == [0] {
        return out.push(0);
    }
    put_long(out, indexes.len() as i64);
    indexes.iter().for_each(|index| put_long(out, i64::from(*index)));
}

/// The message indexes at the start of a Protobuf payload, and the message.
pub fn take_message_indexes(bytes: &[u8]) -> Result<(Vec<u32>, &[u8]), WireError> {
    let (count, mut rest) = take_number(bytes)?;
    if count == 0 {
        return Ok((vec![0], rest));
    }
    if count as usize > INDEXES_MAX {
        return Err(WireError::Indexes);
    }
    let mut indexes = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let (index, after) = take_number(rest)?;
        indexes.push(index);
        rest = after;
    }
    Ok((indexes, rest))
}

fn take_number(bytes: &[u8]) -> Result<(u32, &[u8]), WireError> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * at as u32);
        if *byte < 0x80 {
            // Zigzag: an odd number is a negative one.
            let number = if value.is_multiple_of(2) {
                u32::try_from(value >> 1).ok()
            } else {
                None
            };
            let rest = bytes.get(at + 1..).unwrap_or_default();
            return number.map(|number| (number, rest)).ok_or(WireError::Indexes);
        }
    }
    Err(if bytes.len() < 5 {
        WireError::Short
    } else {
        WireError::Indexes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_without_prefix_is_told_from_a_cut_one() {
        assert_eq!(take_prefix(&[0, 0, 0, 1]), Err(WireError::Short));
        assert_eq!(take_prefix(&[]), Err(WireError::Short));
        assert_eq!(
            take_prefix(&[b'{', 0, 0, 0, 1]),
            Err(WireError::UnknownMagic(b'{'))
        );
    }

    #[test]
    fn a_guid_reads_back_with_what_follows() {
        let mut bytes = Vec::new();
        put_guid([7; 16], &mut bytes);
        bytes.push(0);
        assert_eq!(take_guid(&bytes), Ok(([7; 16], [0].as_slice())));
        assert_eq!(take_guid(&bytes[..16]), Err(WireError::Short));
        assert_eq!(take_guid(&[0; 17]), Err(WireError::UnknownMagic(0)));
    }

    #[test]
    fn message_indexes_read_back_and_the_first_message_is_one_byte() {
        for (indexes, bytes) in [
            (vec![0], vec![0]),
            (vec![1], vec![2, 2]),
            (vec![2, 0, 300], vec![6, 4, 0, 0xd8, 4]),
        ] {
            let mut out = Vec::new();
            put_message_indexes(&indexes, &mut out);
            assert_eq!(out, bytes);
            out.push(9);
            assert_eq!(take_message_indexes(&out), Ok((indexes, [9].as_slice())));
        }
        assert_eq!(take_message_indexes(&[1]), Err(WireError::Indexes));
        assert_eq!(take_message_indexes(&[4, 2]), Err(WireError::Short));
        assert_eq!(take_message_indexes(&[0xfe, 0x7f]), Err(WireError::Indexes));
        assert_eq!(take_message_indexes(&[0x80]), Err(WireError::Short));
    }
}
