//! The memory that decoding one request may take (`security.md` 4).

use crate::DecodeError;

/// Bytes of heap that are left.
#[derive(Debug, Clone)]
pub struct Budget {
    left: usize,
}

const FLOOR_BYTES: usize = 64 << 10;

impl Budget {
    pub fn new(bytes: usize) -> Budget {
        Budget { left: bytes }
    }

    /// 4 times the frame and 64 KiB.
    pub fn before_authentication(frame_bytes: usize) -> Budget {
        Budget::new(frame_bytes.saturating_mul(4).saturating_add(FLOOR_BYTES))
    }

    /// 8 times the frame and 64 KiB.
    pub fn after_authentication(frame_bytes: usize) -> Budget {
        Budget::new(frame_bytes.saturating_mul(8).saturating_add(FLOOR_BYTES))
    }

    pub fn charge(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.left = self.left.checked_sub(bytes).ok_or(DecodeError::Budget)?;
        Ok(())
    }
}
