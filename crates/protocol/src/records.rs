//! Record batches inside a message, as the pieces of memory that hold them.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

/// The bytes of a records field.
#[derive(Debug, Clone, Default)]
pub struct Records {
    segments: SmallVec<[Bytes; 2]>,
}

impl Records {
    pub fn from_segments(segments: impl IntoIterator<Item = Bytes>) -> Records {
        Records {
            segments: segments.into_iter().collect(),
        }
    }

    pub fn segments(&self) -> &[Bytes] {
        &self.segments
    }

    pub fn len(&self) -> usize {
        self.segments.iter().map(Bytes::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.segments.iter().all(Bytes::is_empty)
    }

    /// All of it in one piece; copies only if there are several.
    pub fn to_bytes(&self) -> Bytes {
        if let [one] = self.segments.as_slice() {
            return one.clone();
        }
        let mut whole = BytesMut::with_capacity(self.len());
        self.segments
            .iter()
            .for_each(|segment| whole.extend_from_slice(segment));
        whole.freeze()
    }
}

impl From<Bytes> for Records {
    fn from(bytes: Bytes) -> Records {
        Records {
            segments: SmallVec::from_iter([bytes]),
        }
    }
}

impl PartialEq for Records {
    fn eq(&self, other: &Records) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}
