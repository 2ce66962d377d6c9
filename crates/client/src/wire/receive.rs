//! Frames out of a stream. A size that a broker claims buys no memory: room grows with what has really come.

use bytes::{Buf, Bytes, BytesMut};

const PREFIX_BYTES: usize = 4;
/// Room for a read when no large frame is under way.
const BLOCK_BYTES: usize = 64 << 10;
/// Room that a claimed size may take before its bytes are here: address space, which costs memory where it is written.
const CLAIM_BYTES_MAX: usize = 8 << 20;

/// Received bytes that are not yet a whole frame.
#[derive(Debug)]
pub(crate) struct Receive {
    buffer: BytesMut,
    frame_bytes_max: usize,
}

impl Receive {
    pub(crate) fn new(frame_bytes_max: usize) -> Receive {
        Receive {
            buffer: BytesMut::new(),
            frame_bytes_max,
        }
    }

    /// Where the next read goes.
    pub(crate) fn room(&mut self) -> &mut BytesMut {
        let have = self.buffer.len();
        let missing = self
            .claimed()
            .map_or(0, |bytes| (PREFIX_BYTES + bytes).saturating_sub(have));
        let wanted = missing.clamp(1, CLAIM_BYTES_MAX.max(have));
        if self.buffer.capacity() - have < wanted.min(BLOCK_BYTES / 4) || BLOCK_BYTES < wanted {
            self.buffer.reserve(wanted.max(BLOCK_BYTES));
        }
        &mut self.buffer
    }

    /// The size of the frame that has begun, if it can be.
    fn claimed(&self) -> Option<usize> {
        let prefix = self.buffer.first_chunk::<PREFIX_BYTES>()?;
        usize::try_from(i32::from_be_bytes(*prefix)).ok()
    }

    /// The next whole frame without its size; an error is a size that cannot be.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, String> {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let size = i32::from_be_bytes(*prefix);
        let max = self.frame_bytes_max;
        let bytes = usize::try_from(size)
            .ok()
            .filter(|bytes| PREFIX_BYTES <= *bytes && *bytes <= max);
        let Some(bytes) = bytes else {
            return Err(
                foreign(*prefix).unwrap_or(format!("a frame of {size} bytes, at most {max} are taken"))
            );
        };
        if self.buffer.len() < PREFIX_BYTES + bytes {
            return Ok(None);
        }
        let mut frame = self.buffer.split_to(PREFIX_BYTES + bytes).freeze();
        frame.advance(PREFIX_BYTES);
        Ok(Some(frame))
    }
}

/// Servers of other protocols answer with something that looks like a size.
fn foreign(prefix: [u8; 4]) -> Option<String> {
    let what = match prefix {
        [b'H', b'T', b'T', b'P'] => "an HTTP server",
        [0x15, 3, _, _] | [0x16, 3, _, _] => "a TLS listener; the client speaks plain text",
        _ => return None,
    };
    Some(format!("this is {what}, not a Kafka broker's plain port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(bytes: &[u8]) -> Receive {
        let mut receive = Receive::new(1 << 30);
        receive.room().extend_from_slice(bytes);
        receive
    }

    #[test]
    fn frames_are_cut_where_they_end() {
        let mut receive = filled(&[0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 4, 6]);
        assert_eq!(receive.next(), Ok(Some(Bytes::from_static(&[1, 2, 3, 4, 5]))));
        assert_eq!(receive.next(), Ok(None));
        receive.room().extend_from_slice(&[7, 8, 9]);
        assert_eq!(receive.next(), Ok(Some(Bytes::from_static(&[6, 7, 8, 9]))));
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        for prefix in [[0xff; 4], [0, 0, 0, 3], [0x7f, 0xff, 0xff, 0xff]] {
            assert!(filled(&prefix).next().is_err());
        }
        let http = filled(b"HTTP/1.1 400").next().expect_err("another protocol");
        assert!(http.contains("an HTTP server"), "{http}");
    }

    #[test]
    fn a_claim_buys_no_memory() {
        let mut receive = filled(&[0x3f, 0xff, 0xff, 0xff, 1]);
        receive.room();
        assert!(receive.buffer.capacity() <= 2 * CLAIM_BYTES_MAX);
    }
}
