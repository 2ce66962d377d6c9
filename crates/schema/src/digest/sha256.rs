//! SHA-256 (FIPS 180-4).

use super::padded_blocks;

/// The SHA-256 of `message`.
pub fn sha256(message: &[u8]) -> [u8; 32] {
    let primes = primes();
    // The fractions of the square roots of the first 8 primes, and of the cube roots of the first 64.
    let mut state: [u32; 8] = std::array::from_fn(|i| root_fraction(primes.get(i).copied().unwrap_or(2), 2));
    let constants: [u32; 64] = std::array::from_fn(|i| root_fraction(primes.get(i).copied().unwrap_or(2), 3));
    let bits = (message.len() as u64).wrapping_mul(8).to_be_bytes();
    padded_blocks(message, bits, |block| compress(&mut state, block, &constants));
    let mut digest = [0; 32];
    for (out, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *out = word.to_be_bytes();
    }
    digest
}

fn primes() -> Vec<u64> {
    (2..)
        .filter(|n: &u64| (2..*n).all(|d| !n.is_multiple_of(d)))
        .take(64)
        .collect()
}

/// The first 32 bits of the fraction of the square or cube root of `n`.
fn root_fraction(n: u64, degree: u32) -> u32 {
    // The largest r with r^degree <= n * 2^(32 * degree) is the root times 2^32.
    let goal = u128::from(n) << (32 * degree);
    let (mut low, mut high) = (0u128, 1u128 << 38);
    while low + 1 < high {
        let middle = low.midpoint(high);
        if middle.pow(degree) <= goal {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u32
}

fn compress(state: &mut [u32; 8], block: &[u8; 64], constants: &[u32; 64]) {
    let mut words = [0u32; 64];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    let at = |words: &[u32; 64], i: usize| words.get(i).copied().unwrap_or_default();
    for i in 16..64 {
        let (x, y) = (at(&words, i - 15), at(&words, i - 2));
        let s0 = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
        let s1 = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
        let next = at(&words, i - 16)
            .wrapping_add(s0)
            .wrapping_add(at(&words, i - 7))
            .wrapping_add(s1);
        if let Some(word) = words.get_mut(i) {
            *word = next;
        }
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (constant, word) in constants.iter().zip(words) {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let t1 = h
            .wrapping_add(s1)
            .wrapping_add(choice)
            .wrapping_add(*constant)
            .wrapping_add(word);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t2 = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
    }
    for (sum, part) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *sum = sum.wrapping_add(part);
    }
}
