//! An answer as the pieces of memory it consists of, so that stored batches leave without a copy.

use bytes::Bytes;
use smallvec::SmallVec;

/// A whole frame, its size prefix included, in order.
#[derive(Debug, Default, Clone)]
pub struct Response {
    segments: SmallVec<[Bytes; 3]>,
    bytes: usize,
}

impl Response {
    pub fn push(&mut self, segment: Bytes) {
        if segment.is_empty() {
            return;
        }
        self.bytes += segment.len();
        self.segments.push(segment);
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub fn segments(&self) -> &[Bytes] {
        &self.segments
    }

    pub fn into_segments(self) -> SmallVec<[Bytes; 3]> {
        self.segments
    }
}

impl From<Bytes> for Response {
    fn from(whole: Bytes) -> Response {
        let mut response = Response::default();
        response.push(whole);
        response
    }
}
