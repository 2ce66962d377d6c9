//! The receive block of a connection, and the frames in it. An idle connection holds no block.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};

/// Bytes of a size prefix.
pub(crate) const PREFIX_BYTES: usize = 4;
const BLOCK_BYTES_MIN: usize = 64 << 10;
const BLOCK_BYTES_MAX: usize = 1 << 20;
/// A waiting connection keeps no more than this outside a block.
const SHRINK_BYTES: usize = 4 << 10;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    Negative {
        size: i32,
    },
    TooLarge {
        size: usize,
        max: usize,
    },
    /// The "size" is the beginning of another protocol.
    Foreign(&'static str),
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FrameError::Negative { size } => write!(f, "the frame size {size} is negative"),
            FrameError::TooLarge { size, max } => {
                write!(
                    f,
                    "the frame of {size} bytes is larger than the {max} allowed here"
                )
            }
            FrameError::Foreign(what) => write!(f, "these bytes are {what}, not the Kafka protocol"),
        }
    }
}

thread_local! {
    /// What is left of the block that a connection of this thread gave back: the next one to receive goes on in it, so
    /// that many small requests share one block, whosever they are.
    static SPARE: RefCell<BytesMut> = RefCell::default();
}

/// Received bytes that no request has taken yet.
#[derive(Debug)]
pub(crate) struct ReceiveBuffer {
    bytes: BytesMut,
    block_bytes: usize,
}

impl ReceiveBuffer {
    pub(crate) fn new() -> ReceiveBuffer {
        ReceiveBuffer {
            bytes: BytesMut::new(),
            block_bytes: BLOCK_BYTES_MIN,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn buffered(&self) -> usize {
        self.bytes.len()
    }

    /// The size of the next frame without its prefix, once the prefix is here.
    pub(crate) fn next_frame_bytes(&self, max: usize) -> Result<Option<usize>, FrameError> {
        let Some(prefix) = self.bytes.first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let size = i32::from_be_bytes(*prefix);
        if let Some(what) = foreign_protocol(prefix) {
            return Err(FrameError::Foreign(what));
        }
        let Ok(bytes) = usize::try_from(size) else {
            return Err(FrameError::Negative { size });
        };
        if max < bytes {
            return Err(FrameError::TooLarge { size: bytes, max });
        }
        Ok(Some(bytes))
    }

    /// Whether the next frame, of `frame_bytes`, is here whole.
    pub(crate) fn holds(&self, frame_bytes: usize) -> bool {
        PREFIX_BYTES + frame_bytes <= self.bytes.len()
    }

    /// The next frame's first bytes after the prefix.
    pub(crate) fn peek(&self, frame_bytes: usize) -> &[u8] {
        self.bytes
            .get(PREFIX_BYTES..PREFIX_BYTES + frame_bytes)
            .unwrap_or_default()
    }

    /// Takes the next frame out, without its prefix and without a copy.
    pub(crate) fn take(&mut self, frame_bytes: usize) -> Bytes {
        // Blocks follow the size of the frames, so that one receive call brings several.
        let wanted = frame_bytes
            .saturating_mul(4)
            .next_power_of_two()
            .clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
        self.block_bytes = if self.block_bytes < wanted {
            wanted
        } else {
            self.block_bytes.midpoint(wanted)
        };
        let mut frame = self.bytes.split_to(PREFIX_BYTES + frame_bytes).freeze();
        bytes::Buf::advance(&mut frame, PREFIX_BYTES);
        frame
    }

    /// Makes room for the next receive call: for the rest of a frame that has begun, else for a block.
    pub(crate) fn room(&mut self, frame_bytes: Option<usize>) -> &mut BytesMut {
        let missing = frame_bytes.map_or(0, |bytes| (PREFIX_BYTES + bytes).saturating_sub(self.bytes.len()));
        let free = self.bytes.capacity() - self.bytes.len();
        let enough = if missing == 0 {
            PREFIX_BYTES.max(self.block_bytes / 8)
        } else {
            missing
        };
        if free < enough {
            let wanted = missing.max(self.block_bytes.saturating_sub(self.bytes.len()));
            if self.bytes.is_empty() {
                // One that asks for more than the least gets at least half of it: small pieces cost calls.
                let enough = if self.block_bytes == BLOCK_BYTES_MIN {
                    enough
                } else {
                    wanted / 2
                };
                self.begin_block(enough.max(missing), wanted);
            } else {
                self.bytes.reserve(wanted);
            }
        }
        &mut self.bytes
    }

    /// Goes on in the spare block if `enough` is free there, or in all of it once nobody holds any of it.
    fn begin_block(&mut self, enough: usize, wanted: usize) {
        let mut spare = SPARE.take();
        if spare.try_reclaim(enough) {
            self.bytes = spare;
        } else {
            self.bytes.reserve(wanted);
        }
    }

    /// Gives the block back while a connection waits: what little is in it moves to memory of its own size, so that
    /// many half-sent frames, or many parked fetches, hold no blocks.
    pub(crate) fn shrink(&mut self) {
        if self.bytes.is_empty() {
            if self.bytes.capacity() != 0 {
                SPARE.set(std::mem::take(&mut self.bytes));
            }
        } else if self.bytes.len() <= SHRINK_BYTES && 2 * SHRINK_BYTES < self.bytes.capacity() {
            let few = BytesMut::from(&self.bytes[..]);
            let mut block = std::mem::replace(&mut self.bytes, few);
            block.clear();
            SPARE.set(block);
        }
    }
}

/// Names what a client of another protocol would send first; said in words, as the size alone helps nobody.
fn foreign_protocol(prefix: &[u8; PREFIX_BYTES]) -> Option<&'static str> {
    match prefix {
        b"GET " | b"POST" | b"PUT " | b"HEAD" | b"DELE" | b"OPTI" | b"PATC" | b"CONN" | b"PRI " => {
            Some("HTTP")
        }
        [0x16, 0x03, 0x00..=0x04, _] => Some("a TLS handshake"),
        b"SSH-" => Some("SSH"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(bytes: &[u8]) -> ReceiveBuffer {
        let mut buffer = ReceiveBuffer::new();
        buffer.room(None).extend_from_slice(bytes);
        buffer
    }

    #[test]
    fn a_frame_is_taken_without_its_prefix() {
        let mut buffer = filled(&[0, 0, 0, 2, 7, 8, 0, 0, 0, 1, 9]);
        assert_eq!(buffer.next_frame_bytes(10), Ok(Some(2)));
        assert!(buffer.holds(2));
        assert_eq!(&buffer.take(2)[..], [7, 8]);
        assert_eq!(buffer.next_frame_bytes(10), Ok(Some(1)));
        assert_eq!(&buffer.take(1)[..], [9]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        assert_eq!(filled(&[0, 0]).next_frame_bytes(10), Ok(None));
        assert_eq!(
            filled(&[0xff; 4]).next_frame_bytes(10),
            Err(FrameError::Negative { size: -1 })
        );
        let error = filled(&[0, 0, 0, 11]).next_frame_bytes(10);
        assert_eq!(error, Err(FrameError::TooLarge { size: 11, max: 10 }));
        assert_eq!(filled(&[0, 0, 0, 10]).next_frame_bytes(10), Ok(Some(10)));
    }

    #[test]
    fn other_protocols_are_called_by_name() {
        assert_eq!(
            filled(b"GET / HTTP/1.1").next_frame_bytes(10),
            Err(FrameError::Foreign("HTTP"))
        );
        let tls = filled(&[0x16, 3, 1, 2, 0, 1]).next_frame_bytes(10);
        assert_eq!(tls, Err(FrameError::Foreign("a TLS handshake")));
    }

    #[test]
    fn half_a_frame_holds_no_block() {
        let mut buffer = filled(&[0, 0, 1, 0, 9]);
        assert!(BLOCK_BYTES_MIN <= buffer.bytes.capacity());
        buffer.shrink();
        assert!(buffer.bytes.capacity() < 1024);
        assert_eq!(buffer.next_frame_bytes(1000), Ok(Some(256)));
    }

    #[test]
    fn an_idle_connection_holds_no_block() {
        let mut buffer = filled(&[0, 0, 0, 1, 9]);
        buffer.take(1);
        buffer.shrink();
        assert_eq!(buffer.bytes.capacity(), 0);
    }

    #[test]
    fn small_requests_of_many_connections_share_a_block() {
        let mut first = filled(&[0, 0, 0, 1, 9]);
        let held = first.take(1);
        first.shrink();
        let mut second = ReceiveBuffer::new();
        second.room(None).extend_from_slice(&[0, 0, 0, 1, 8]);
        let next = second.take(1);
        assert_eq!((&held[..], &next[..]), (&[9][..], &[8][..]));
        let between = next.as_ptr() as usize - held.as_ptr() as usize;
        assert_eq!(between, 5, "one lies behind the other");
    }
}
