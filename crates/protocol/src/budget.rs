//! The memory that decoding one request may take (`security.md` 4).

use crate::DecodeError;

/// Bytes of heap that are left.
#[derive(Debug, Clone)]
pub struct Budget {
    left: usize,
    unknown_left: usize,
}

const FLOOR_BYTES: usize = 64 << 10;
/// Bytes of unknown tagged fields that one message may carry.
const UNKNOWN_BYTES_MAX: usize = 64 << 10;

impl Budget {
    pub fn new(bytes: usize) -> Budget {
        Budget {
            left: bytes,
            unknown_left: UNKNOWN_BYTES_MAX,
        }
    }

    /// 4 times the frame and 64 KiB.
    pub fn before_authentication(frame_bytes: usize) -> Budget {
        Budget::new(frame_bytes.saturating_mul(4).saturating_add(FLOOR_BYTES))
    }

    /// 8 times the frame and 64 KiB.
    pub fn after_authentication(frame_bytes: usize) -> Budget {
        Budget::new(frame_bytes.saturating_mul(8).saturating_add(FLOOR_BYTES))
    }

    /// Takes heap out of the budget.
    pub fn charge(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.left = self.left.checked_sub(bytes).ok_or(DecodeError::Budget)?;
        Ok(())
    }

    /// Unknown tags share the frame, so they cost no heap; but they would keep all of it alive and be written on.
    pub(crate) fn charge_unknown(&mut self, bytes: usize) -> Result<(), DecodeError> {
        let left = self.unknown_left.checked_sub(bytes);
        self.unknown_left = left.ok_or(DecodeError::UnknownBytes {
            max: UNKNOWN_BYTES_MAX,
        })?;
        Ok(())
    }
}
