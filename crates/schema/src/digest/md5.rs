//! MD5 (RFC 1321).

use super::padded_blocks;

/// Rotations, four a round.
const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The MD5 of `message`.
pub fn md5(message: &[u8]) -> [u8; 16] {
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let sines = sines();
    let bits = (message.len() as u64).wrapping_mul(8).to_le_bytes();
    padded_blocks(message, bits, |block| compress(&mut state, block, &sines));
    let mut digest = [0; 16];
    for (out, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *out = word.to_le_bytes();
    }
    digest
}

/// floor(2^32 * |sin(i + 1)|), as the RFC defines its table.
fn sines() -> [u32; 64] {
    std::array::from_fn(|i| ((i as f64 + 1.0).sin().abs() * 4_294_967_296.0) as u32)
}

fn compress(state: &mut [u32; 4], block: &[u8; 64], sines: &[u32; 64]) {
    let mut words = [0u32; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    let [mut a, mut b, mut c, mut d] = *state;
    for (i, sine) in sines.iter().enumerate() {
        let (mix, word) = match i / 16 {
            0 => ((b & c) | (!b & d), i),
            1 => ((d & b) | (!d & c), 5 * i + 1),
            2 => (b ^ c ^ d, 3 * i + 5),
            _ => (c ^ (b | !d), 7 * i),
        };
        let word = words.get(word % 16).copied().unwrap_or_default();
        let shift = SHIFTS
            .get(i / 16)
            .and_then(|round| round.get(i % 4))
            .copied()
            .unwrap_or_default();
        let turned = a
            .wrapping_add(mix)
            .wrapping_add(*sine)
            .wrapping_add(word)
            .rotate_left(shift);
        (a, d, c, b) = (d, c, b, b.wrapping_add(turned));
    }
    for (sum, part) in state.iter_mut().zip([a, b, c, d]) {
        *sum = sum.wrapping_add(part);
    }
}
