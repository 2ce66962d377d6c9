//! Zig-zag varints, as records use them.

use bytes::{BufMut, BytesMut};

/// The value and the bytes after it; `None` if the bytes end or the varint is too long.
#[inline]
pub(crate) fn read(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (value, rest) = read_short(bytes).or_else(|| read_long(bytes))?;
    Some((unzigzag(value), rest))
}

/// Most varints in records are one or two bytes, and nearly all of the others three.
#[inline(always)]
fn read_short(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let low = |byte: &u8| u64::from(byte & 0x7f);
    match bytes {
        [first, rest @ ..] if *first < 0x80 => Some((u64::from(*first), rest)),
        [first, second, rest @ ..] if *second < 0x80 => Some((low(first) | u64::from(*second) << 7, rest)),
        [first, second, third, rest @ ..] if *third < 0x80 => {
            Some((low(first) | low(second) << 7 | u64::from(*third) << 14, rest))
        }
        _ => None,
    }
}

#[cold]
fn read_long(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(VARINT_BYTES_MAX) {
        value |= u64::from(byte & 0x7f).checked_shl(7 * index as u32)?;
        if *byte < 0x80 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

/// Bytes of the longest varint of 64 bits.
const VARINT_BYTES_MAX: usize = 10;
/// Bytes of the longest varint that Java reads into an int.
const I32_BYTES_MAX: usize = 5;

/// As [`read`], for values that Kafka keeps in 32 bits. A longer spelling of a small value is refused: no Java
/// consumer could read it.
#[inline]
pub(crate) fn read_i32(bytes: &[u8]) -> Option<(i32, &[u8])> {
    // Three bytes hold less than 32 bits.
    if let Some((value, rest)) = read_short(bytes) {
        return Some((unzigzag(value) as i32, rest));
    }
    let (value, rest) = read_long(bytes)?;
    if I32_BYTES_MAX < bytes.len() - rest.len() {
        return None;
    }
    Some((i32::try_from(unzigzag(value)).ok()?, rest))
}

#[inline]
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
