//! Zig-zag varints, as records use them.

use bytes::{BufMut, BytesMut};

/// The value and the bytes after it; `None` if the bytes end or the varint is too long.
pub(crate) fn read(bytes: &[u8]) -> Option<(i64, &[u8])> {
    // Most varints in records are one byte.
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((unzigzag(u64::from(*first)), rest));
    }
    let mut value = u64::from(first & 0x7f);
    for (index, byte) in rest.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f).checked_shl(7 * (index as u32 + 1))?;
        if *byte < 0x80 {
            return Some((unzigzag(value), rest.get(index + 1..)?));
        }
    }
    None
}

/// Bytes of the longest varint that Java reads into an int.
const I32_BYTES_MAX: usize = 5;

/// As [`read`], for values that Kafka keeps in 32 bits. A longer spelling of a small value is refused: no Java
/// consumer could read it.
pub(crate) fn read_i32(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (value, rest) = read(bytes)?;
    if I32_BYTES_MAX < bytes.len() - rest.len() {
        return None;
    }
    Some((i32::try_from(value).ok()?, rest))
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

pub(crate) fn write(out: &mut BytesMut, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while 0x80 <= rest {
        out.put_u8((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.put_u8(rest as u8);
}

pub(crate) fn length(value: i64) -> usize {
    let zigzag = ((value << 1) ^ (value >> 63)) as u64;
    (64 - (zigzag | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_round_trip_at_their_edges() {
        for value in [
            0,
            -1,
            1,
            63,
            64,
            -64,
            -65,
            i64::from(i32::MAX),
            i64::MAX,
            i64::MIN,
        ] {
            let mut out = BytesMut::new();
            write(&mut out, value);
            assert_eq!(out.len(), length(value));
            assert_eq!(read(&out), Some((value, &[][..])));
        }
        assert_eq!(read(&[0x80]), None);
        assert_eq!(read(&[0xff; 12]), None);
    }
}
