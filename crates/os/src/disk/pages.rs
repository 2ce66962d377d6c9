//! The bytes of a simulated file, in pages that copies share until one of them writes.

use std::io;
use std::sync::Arc;

const PAGE_BYTES: usize = 4096;

/// A file's bytes. A page that was never written, or holds zeros alone, takes no memory.
#[derive(Debug, Default, Clone)]
pub(super) struct Pages {
    pages: Vec<Option<Arc<[u8; PAGE_BYTES]>>>,
    length: usize,
}

impl Pages {
    pub(super) fn from_bytes(bytes: &[u8]) -> Pages {
        let mut pages = Pages::default();
        pages.put(0, bytes);
        pages
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Writes; what lies between the old end and `position` is zeros.
    pub(super) fn put(&mut self, position: u64, data: &[u8]) {
        let mut at = position as usize;
        self.length = self.length.max(at + data.len());
        let pages = self.length.div_ceil(PAGE_BYTES);
        if self.pages.len() < pages {
            self.pages.resize(pages, None);
        }
        let mut data = data;
        while !data.is_empty() {
            let inside = at % PAGE_BYTES;
            let (now, rest) = data.split_at(data.len().min(PAGE_BYTES - inside));
            let page = &mut self.pages[at / PAGE_BYTES];
            let zeros = now.iter().all(|byte| *byte == 0);
            if zeros && now.len() == PAGE_BYTES {
                *page = None;
            } else if !zeros || page.is_some() {
                let page = page.get_or_insert_with(|| Arc::new([0; PAGE_BYTES]));
                Arc::make_mut(page)[inside..inside + now.len()].copy_from_slice(now);
            }
            at += now.len();
            data = rest;
        }
    }

    /// Reads exactly.
    pub(super) fn get(&self, position: u64, into: &mut [u8]) -> io::Result<()> {
        let mut at = usize::try_from(position).map_err(io::Error::other)?;
        if self.length < at.saturating_add(into.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut into = into;
        while !into.is_empty() {
            let inside = at % PAGE_BYTES;
            let (now, rest) = into.split_at_mut(into.len().min(PAGE_BYTES - inside));
            match &self.pages[at / PAGE_BYTES] {
                Some(page) => now.copy_from_slice(&page[inside..inside + now.len()]),
                None => now.fill(0),
            }
            at += now.len();
            into = rest;
        }
        Ok(())
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.length];
        self.get(0, &mut bytes).expect("its own length");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    #[test]
    fn pages_are_a_vector_of_bytes() {
        let random = Random::seeded(4);
        let (mut pages, mut truth) = (Pages::default(), Vec::new());
        for _ in 0..300 {
            let (at, length) = (random.u64() as usize % 20_000, random.u64() as usize % 9_000);
            let data = vec![(random.u64() % 3) as u8; length];
            let copy = pages.clone();
            pages.put(at as u64, &data);
            assert_eq!(copy.to_vec(), truth, "a copy does not change");
            truth.resize(truth.len().max(at + length), 0);
            truth[at..at + length].copy_from_slice(&data);
            assert_eq!(pages.to_vec(), truth);
        }
        assert!(pages.get(truth.len() as u64, &mut [0]).is_err());
    }
}
