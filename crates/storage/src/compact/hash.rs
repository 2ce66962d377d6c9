//! SipHash-1-3 with 128 bits of output (Aumasson and Bernstein, 2012; the 128-bit variant of the reference code): one pass
//! over a key, under a secret that changes with every compaction.

/// A secret key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secret(pub(crate) [u64; 2]);

struct State([u64; 4]);

impl State {
    #[inline(always)]
    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }

    #[inline(always)]
    fn word(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.0[0] ^= word;
    }

    #[inline(always)]
    fn finish(&mut self) -> u64 {
        (0..3).for_each(|_| self.round());
        self.0.into_iter().fold(0, |all, part| all ^ part)
    }
}

/// 128 bits that stand for the key.
#[inline]
pub(crate) fn hash(secret: Secret, key: &[u8]) -> [u64; 2] {
    let [low, high] = secret.0;
    let mut state = State([
        low ^ 0x736f_6d65_7073_6575,
        high ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        low ^ 0x6c79_6765_6e65_7261,
        high ^ 0x7465_6462_7974_6573,
    ]);
    let (words, rest) = key.as_chunks::<8>();
    words
        .iter()
        .for_each(|word| state.word(u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
    last[7] = key.len() as u8;
    state.word(u64::from_le_bytes(last));
    state.0[2] ^= 0xee;
    let first = state.finish();
    state.0[1] ^= 0xdd;
    [first, state.finish()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        let secret = Secret([1, 2]);
        let mut seen = std::collections::BTreeSet::new();
        for length in 0..40usize {
            let key = vec![0; length];
            assert!(seen.insert(hash(secret, &key)));
            for at in 0..length {
                let mut other = key.clone();
                other[at] = 1;
                assert!(seen.insert(hash(secret, &other)));
            }
        }
        assert_ne!(hash(secret, b"key"), hash(Secret([1, 3]), b"key"));
    }

    #[test]
    fn the_bits_are_as_good_as_chance() {
        // Of n keys, about n / 256 share any one byte of the hash.
        let secret = Secret([7, 9]);
        let mut counts = [[0u32; 256]; 16];
        for key in 0..25_600u32 {
            let [low, high] = hash(secret, &key.to_le_bytes());
            for (counts, byte) in counts
                .iter_mut()
                .zip([low.to_le_bytes(), high.to_le_bytes()].concat())
            {
                counts[usize::from(byte)] += 1;
            }
        }
        assert!(counts.iter().flatten().all(|count| (50..150).contains(count)));
    }
}
