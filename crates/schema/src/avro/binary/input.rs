//! Reading the primitive encodings from a slice, under a budget.

use ascii::AsAsciiStr;

use super::{DataLimits, Fault};

/// Bytes that are left, and what may still be spent on them.
///
/// Small and [`Copy`], so that a loop over fields can keep one of its own in registers.
#[derive(Debug, Clone, Copy)]
pub(in crate::avro) struct Input<'a> {
    pub rest: &'a [u8],
    memory_left: usize,
    depth_left: u32,
}

/// What a value costs beside its text.
pub(super) const VALUE_BYTES: usize = 32;

#[cold]
fn short() -> Fault {
    Fault::new("the data ends inside a value")
}

#[cold]
fn no_int(value: i64) -> Fault {
    Fault::new(format!("{value} does not fit an int"))
}

#[cold]
fn no_length(length: i64) -> Fault {
    Fault::new(format!("{length} is no length"))
}

#[cold]
fn no_memory() -> Fault {
    Fault::new("the datum takes more memory than is allowed")
}

#[cold]
fn no_utf8() -> Fault {
    Fault::new("a string is not UTF-8")
}

#[cold]
fn no_boolean(byte: u8) -> Fault {
    Fault::new(format!("the byte {byte} is no boolean"))
}

/// Eight groups of seven bits, a byte each, to 56 bits.
#[inline]
fn squeeze(word: u64) -> u64 {
    let pairs = (word & 0x007f_007f_007f_007f) | ((word & 0x7f00_7f00_7f00_7f00) >> 1);
    let fours = (pairs & 0x0000_3fff_0000_3fff) | ((pairs & 0x3fff_0000_3fff_0000) >> 2);
    (fours & 0x0fff_ffff) | ((fours & 0x0fff_ffff_0000_0000) >> 4)
}

/// A number byte by byte, and what follows it.
#[cold]
fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), Fault> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        if at == 9 && *byte > 1 {
            break;
        }
        value |= u64::from(*byte & 0x7f) << (7 * at as u32);
        if *byte < 0x80 {
            return Ok((value, bytes.get(at + 1..).unwrap_or_default()));
        }
    }
    if bytes.len() < 10 {
        Err(short())
    } else {
        Err(Fault::new("a number has more than 64 bits"))
    }
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8], limits: &DataLimits) -> Input<'a> {
        Input {
            rest: bytes,
            memory_left: limits.memory_bytes_max,
            depth_left: limits.depth_max,
        }
    }

    /// Spends memory, before it is taken.
    #[inline]
    pub fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        match self.memory_left.checked_sub(bytes) {
            Some(left) => {
                self.memory_left = left;
                Ok(())
            }
            None => Err(no_memory()),
        }
    }

    #[inline]
    pub fn enter(&mut self) -> Result<(), Fault> {
        match self.depth_left.checked_sub(1) {
            Some(left) => {
                self.depth_left = left;
                Ok(())
            }
            None => Err(Fault::new("the datum is nested deeper than is allowed")),
        }
    }

    #[inline]
    pub fn leave(&mut self) {
        self.depth_left += 1;
    }

    #[inline]
    pub fn boolean(&mut self) -> Result<bool, Fault> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(no_boolean(other)),
        }
    }

    #[inline]
    pub fn int(&mut self) -> Result<i32, Fault> {
        let value = self.long()?;
        i32::try_from(value).map_err(|_| no_int(value))
    }

    #[inline]
    pub fn long(&mut self) -> Result<i64, Fault> {
        let zigzag = match self.rest {
            [a, rest @ ..] if *a < 0x80 => {
                self.rest = rest;
                u64::from(*a)
            }
            [a, b, rest @ ..] if *b < 0x80 => {
                self.rest = rest;
                u64::from(*a & 0x7f) | u64::from(*b) << 7
            }
            _ => self.varint()?,
        };
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    /// A number of any length: up to eight bytes at once where eight are there.
    #[inline]
    fn varint(&mut self) -> Result<u64, Fault> {
        if let Some(word) = self.rest.first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            let ends = !word & 0x8080_8080_8080_8080;
            if ends != 0 {
                let length = ends.trailing_zeros() as usize / 8 + 1;
                self.rest = self.rest.get(length..).unwrap_or_default();
                // Everything up to the first byte without the high bit.
                return Ok(squeeze(word & (ends ^ (ends - 1))));
            }
        }
        let (value, rest) = varint(self.rest)?;
        self.rest = rest;
        Ok(value)
    }

    #[inline]
    pub fn float(&mut self) -> Result<f32, Fault> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    #[inline]
    pub fn double(&mut self) -> Result<f64, Fault> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| no_length(length))?;
        self.take(length)
    }

    #[inline]
    pub fn text(&mut self) -> Result<&'a str, Fault> {
        let bytes = self.bytes()?;
        // Short text is ASCII mostly, which is seen at a third of the cost of UTF-8; long text is the same either way.
        if bytes.len() <= 64
            && let Ok(text) = bytes.as_ascii_str()
        {
            return Ok(text.as_str());
        }
        std::str::from_utf8(bytes).map_err(|_| no_utf8())
    }

    /// Text, paid for.
    #[inline]
    pub fn paid_text(&mut self) -> Result<&'a str, Fault> {
        let text = self.text()?;
        self.spend(text.len())?;
        Ok(text)
    }

    /// Bytes, paid for.
    #[inline]
    pub fn paid_bytes(&mut self) -> Result<&'a [u8], Fault> {
        let bytes = self.bytes()?;
        self.spend(bytes.len())?;
        Ok(bytes)
    }

    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(short()),
        }
    }

    /// The number of items of the next block; 0 ends the list. The block's length in bytes, if given, is not needed.
    #[inline]
    pub fn block(&mut self) -> Result<usize, Fault> {
        let count = self.long()?;
        if count < 0 {
            let _bytes = self.long()?;
        }
        usize::try_from(count.unsigned_abs()).map_err(|_| Fault::new("a block is too long"))
    }

    /// The next block when whole blocks may be passed over: its items, and its bytes if it says how many.
    pub fn block_to_skip(&mut self) -> Result<(usize, Option<usize>), Fault> {
        let count = self.long()?;
        let items = usize::try_from(count.unsigned_abs()).map_err(|_| Fault::new("a block is too long"))?;
        if count >= 0 {
            return Ok((items, None));
        }
        let bytes = self.long()?;
        let bytes =
            usize::try_from(bytes).map_err(|_| Fault::new(format!("{bytes} is no length of a block")))?;
        Ok((items, Some(bytes)))
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Fault> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(short()),
        }
    }
}
