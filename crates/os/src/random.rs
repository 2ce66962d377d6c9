//! Chance.

use types::Uuid;

/// Where random bytes come from.
#[derive(Debug, Clone)]
pub enum Random {
    Real,
    /// A sequence that a seed fixes.
    #[cfg(debug_assertions)]
    Seeded(std::sync::Arc<std::sync::atomic::AtomicU64>),
}

impl Random {
    pub fn real() -> Random {
        Random::Real
    }

    #[cfg(debug_assertions)]
    pub fn seeded(seed: u64) -> Random {
        Random::Seeded(std::sync::Arc::new(std::sync::atomic::AtomicU64::new(seed)))
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        match self {
            Random::Real => fill_from_kernel(bytes),
            #[cfg(debug_assertions)]
            Random::Seeded(state) => {
                for chunk in bytes.chunks_mut(8) {
                    let step = 0x9e37_79b9_7f4a_7c15;
                    let mut word = state
                        .fetch_add(step, std::sync::atomic::Ordering::SeqCst)
                        .wrapping_add(step);
                    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    let word = (word ^ (word >> 31)).to_le_bytes();
                    chunk.copy_from_slice(word.get(..chunk.len()).unwrap_or_default());
                }
            }
        }
    }

    pub fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A fresh Kafka UUID: version 4, never zero, never one that looks like a flag.
    pub fn uuid(&self) -> Uuid {
        loop {
            let mut bytes = [0; 16];
            self.fill(&mut bytes);
            if let Some(uuid) = Uuid::from_random(bytes) {
                return uuid;
            }
        }
    }
}

#[allow(unsafe_code)]
fn fill_from_kernel(bytes: &mut [u8]) {
    let mut filled = 0;
    while filled < bytes.len() {
        let rest = bytes.get_mut(filled..).unwrap_or_default();
        // SAFETY: the pointer and the length are those of one live, exclusively borrowed slice.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(got) {
            Ok(got) => filled += got,
            // Only an interrupted call comes here: the kernel's pool is ready once the machine has booted.
            Err(_) => continue,
        }
    }
}
