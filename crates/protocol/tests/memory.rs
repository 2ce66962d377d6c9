//! What decoding takes from the heap, counted by the allocator: no body of any bytes takes more than the budget of a
//! connection that has not authenticated, four times the frame and 64 KiB. A test binary of its own with one test,
//! because the counter is the process's.

#[path = "it/codec.rs"]
#[allow(dead_code)]
mod codec;
#[path = "generated/every_message.rs"]
mod every_message;

use std::alloc::System;

use bytes::Bytes;
use codec::Codec;
use protocol::Budget;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const FLOOR_BYTES: usize = 64 << 10;

/// Decodes and says how many bytes were allocated on the way, freed ones included.
fn heap_bytes(codec: &Codec, version: i16, body: &Bytes) -> usize {
    let mut budget = Budget::before_authentication(body.len());
    let body = body.clone();
    let region = Region::new(HEAP);
    let result = codec.decode(body, version, &mut budget);
    let allocated = region.change().bytes_allocated;
    drop(result);
    allocated
}

fn check(codec: &Codec, version: i16, body: &Bytes, worst: &mut f64) {
    // The count of references to the frame is made here, not by the decoder.
    let _shared = body.clone();
    let allocated = heap_bytes(codec, version, body);
    let allowed = 4 * body.len() + FLOOR_BYTES;
    assert!(
        allocated <= allowed,
        "{} v{version}: {allocated} bytes of heap for {}",
        codec.name,
        body.len()
    );
    *worst = worst.max(allocated as f64 / allowed as f64);
}

/// Bytes that make codecs see large counts with tiny elements, in ever other ways.
fn hostile(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    // A long count now and then between ones, zeros and single tags.
    let small = [0u8, 1, 2, 3, 1, 0, 1, 9];
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let draw = next();
        match draw % 97 {
            0 => bytes.extend([0x80 | (draw >> 32) as u8, (draw >> 40) as u8 & 0x7f]),
            1 => bytes.extend([0, 0, (draw >> 32) as u8 & 0x3f, (draw >> 40) as u8]),
            _ => bytes.push(small[(draw >> 24) as usize % small.len()]),
        }
    }
    bytes.truncate(length);
    Bytes::from(bytes)
}

#[test]
fn no_body_takes_more_heap_than_four_times_its_size() {
    let mut worst = 0.0;
    let constant: Vec<Bytes> = (0..=16u8).map(|byte| Bytes::from(vec![byte; 16 << 10])).collect();
    for codec in every_message::every_message() {
        for version in codec.versions.clone() {
            constant
                .iter()
                .for_each(|body| check(&codec, version, body, &mut worst));
            for seed in 0..40 {
                let length = if seed % 4 == 0 { 48 << 10 } else { 1 << 10 };
                check(&codec, version, &hostile(seed, length), &mut worst);
            }
            // A count as high as the bytes that follow it allow, at each place of the first ones.
            for place in 0..24 {
                let mut body = vec![0u8; 32 << 10];
                body[place..place + 4].copy_from_slice(&[0xff, 0xff, 0x01, 0]);
                check(&codec, version, &Bytes::from(body), &mut worst);
            }
        }
    }
    assert!(0.5 < worst, "no body came near the limit: {worst}");
}
