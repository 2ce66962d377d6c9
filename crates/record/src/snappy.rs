//! Snappy in blocks: raw, or in the frame of xerial's snappy-java. A small block is opened at once; of a large one only
//! a window is in memory, whatever its length claims.

use std::io::{self, Read};

/// Java's block framing around raw snappy (xerial snappy-java): magic, version, compatible version.
pub(crate) const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
pub(crate) const XERIAL_HEADER_BYTES: usize = 16;

/// A block that opens to at most this much is opened whole.
const WHOLE_MAX: usize = 2 << 20;
/// Of larger blocks this much stays readable for copies. Encoders look back 64 KiB, a few of them as far as 2 MiB.
const HISTORY: usize = 2 << 20;
/// Output is made in steps of about this much.
const STEP: usize = 64 << 10;

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Reads what a snappy payload opens to.
pub(crate) struct Snappy<'a> {
    rest: &'a [u8],
    framed: bool,
    block: Option<Block<'a>>,
    /// Opened bytes; those before `read` are only history.
    out: Vec<u8>,
    read: usize,
}

/// A large block that is opened step by step.
struct Block<'a> {
    rest: &'a [u8],
    left: usize,
    /// A copy that did not fit into the last step.
    pending: Option<(usize, usize)>,
}

impl<'a> Snappy<'a> {
    pub(crate) fn new(packed: &'a [u8]) -> io::Result<Snappy<'a>> {
        let framed = packed.starts_with(&XERIAL_MAGIC);
        let rest = if framed {
            packed
                .get(XERIAL_HEADER_BYTES..)
                .ok_or_else(|| bad("the snappy header is cut"))?
        } else {
            packed
        };
        Ok(Snappy {
            rest,
            framed,
            block: None,
            out: Vec::new(),
            read: 0,
        })
    }

    /// The next block of the frame. Raw snappy is one block.
    fn next_block(&mut self) -> io::Result<Option<&'a [u8]>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        if !self.framed {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        let cut = || bad("a snappy block is cut");
        let (length, after) = self.rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let length = usize::try_from(i32::from_be_bytes(*length))
            .map_err(|_| bad("a snappy block's length is negative"))?;
        let (block, after) = after.split_at_checked(length).ok_or_else(cut)?;
        self.rest = after;
        Ok(Some(block))
    }

    /// Opens more. False: nothing is left.
    fn more(&mut self) -> io::Result<bool> {
        if let Some(block) = &mut self.block {
            block.step(&mut self.out, &mut self.read)?;
            if block.left == 0 {
                block.finished()?;
                self.block = None;
            }
            return Ok(true);
        }
        let Some(block) = self.next_block()? else {
            return Ok(false);
        };
        let claimed = snap::raw::decompress_len(block).map_err(io::Error::other)?;
        // A byte of input gives at most some 21 bytes of output: a larger claim is forged.
        if block.len().saturating_mul(64).saturating_add(64) < claimed {
            return Err(bad("the snappy length is forged"));
        }
        self.out.clear();
        self.read = 0;
        if claimed <= WHOLE_MAX {
            self.out.resize(claimed, 0);
            let written = snap::raw::Decoder::new()
                .decompress(block, &mut self.out)
                .map_err(io::Error::other)?;
            self.out.truncate(written);
        } else {
            self.block = Some(Block::new(block, claimed)?);
        }
        Ok(true)
    }
}

impl Read for Snappy<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.out.len() {
            if !self.more()? {
                return Ok(0);
            }
        }
        let ready = self.out.get(self.read..).unwrap_or_default();
        let count = ready.len().min(into.len());
        for (place, byte) in into.iter_mut().zip(ready) {
            *place = *byte;
        }
        self.read += count;
        Ok(count)
    }
}

impl<'a> Block<'a> {
    fn new(block: &'a [u8], claimed: usize) -> io::Result<Block<'a>> {
        // The length in front is a varint of at most five bytes, which was read once already.
        let head = block.iter().take(5).take_while(|byte| 0x80 <= **byte).count() + 1;
        Ok(Block {
            rest: block.get(head..).ok_or_else(|| bad("a snappy block is cut"))?,
            left: claimed,
            pending: None,
        })
    }

    fn finished(&self) -> io::Result<()> {
        if self.rest.is_empty() && self.pending.is_none() {
            Ok(())
        } else {
            Err(bad("a snappy block opens to more than it says"))
        }
    }

    /// Opens about a step more, and forgets what no copy may reach.
    fn step(&mut self, out: &mut Vec<u8>, read: &mut usize) -> io::Result<()> {
        let keep = out.len().saturating_sub(HISTORY);
        if HISTORY / 2 < keep {
            out.drain(..keep);
            *read -= keep;
        }
        let until = out.len() + STEP.min(self.left);
        while out.len() < until {
            let before = out.len();
            self.element(out, until)?;
            self.left -= out.len() - before;
        }
        Ok(())
    }

    /// A literal or a copy, up to `until`.
    fn element(&mut self, out: &mut Vec<u8>, until: usize) -> io::Result<()> {
        if let Some((offset, length)) = self.pending.take() {
            return self.copy(out, offset, length, until);
        }
        let cut = || bad("a snappy block is cut");
        let (tag, after) = self.rest.split_first().ok_or_else(cut)?;
        let little = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte))
        };
        let size = usize::from(tag >> 2);
        match tag & 3 {
            0 => {
                let extra = size.saturating_sub(59).min(4);
                let (more, after) = after.split_at_checked(extra).ok_or_else(cut)?;
                let length = 1 + if extra == 0 { size } else { little(more) };
                self.rest = after;
                self.literal(out, length)
            }
            1 => {
                let (low, after) = after.split_first().ok_or_else(cut)?;
                self.rest = after;
                self.copy(
                    out,
                    (usize::from(tag >> 5) << 8) | usize::from(*low),
                    4 + (size & 7),
                    until,
                )
            }
            kind => {
                let (offset, after) = after
                    .split_at_checked(if kind == 2 { 2 } else { 4 })
                    .ok_or_else(cut)?;
                self.rest = after;
                self.copy(out, little(offset), size + 1, until)
            }
        }
    }

    /// A literal is as long as its input, so it needs no cutting.
    fn literal(&mut self, out: &mut Vec<u8>, length: usize) -> io::Result<()> {
        let (bytes, after) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| bad("a snappy block is cut"))?;
        if self.left < length {
            return Err(bad("a snappy block opens to more than it says"));
        }
        out.extend_from_slice(bytes);
        self.rest = after;
        Ok(())
    }

    fn copy(&mut self, out: &mut Vec<u8>, offset: usize, length: usize, until: usize) -> io::Result<()> {
        if offset == 0 || out.len() < offset {
            return Err(bad("a snappy copy begins where nothing is"));
        }
        let now = length.min(until.saturating_sub(out.len()));
        for _ in 0..now {
            let byte = out.get(out.len() - offset).copied().unwrap_or_default();
            out.push(byte);
        }
        self.pending = (now < length).then_some((offset, length - now));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Snappy::new(packed)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn large_blocks_open_to_what_small_steps_give() {
        // Above WHOLE_MAX, with copies near and far.
        let plain: Vec<u8> = (0..3_000_000u32)
            .map(|n| (n / 9 % 251) as u8 ^ (n / 70_000) as u8)
            .collect();
        let packed = snap::raw::Encoder::new().compress_vec(&plain).expect("fits");
        assert!(opened(&packed).expect("sound") == plain);
        for cut in [packed.len() - 1, packed.len() / 2, 6] {
            assert!(opened(&packed[..cut]).is_err(), "cut at {cut}");
        }
        let mut longer = packed.clone();
        longer.extend_from_slice(&[0, b'x']);
        assert!(opened(&longer).is_err(), "more than it says");
    }

    #[test]
    fn a_copy_from_before_the_beginning_is_refused() {
        // 3 MiB are claimed; the first element is a copy.
        let mut packed = vec![0x80, 0x80, 0xc0, 0x01];
        packed.extend_from_slice(&vec![0xfe; 100_000]);
        assert!(opened(&packed).is_err());
    }
}
