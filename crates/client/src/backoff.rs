//! Pauses between attempts: exponential, with jitter (KIP-580).

use std::time::Duration;

use os::Random;

/// Part of the pause by which it may be longer or shorter.
const JITTER: f64 = 0.2;

/// The pause before attempt `failures + 1`: `first` doubled for each failure after the first, at most `max`, give or
/// take a fifth.
pub(crate) fn pause(first: Duration, max: Duration, failures: u32, random: &Random) -> Duration {
    let exponent = failures.saturating_sub(1).min(20);
    let plain = first.saturating_mul(1 << exponent).min(max);
    let unit = (random.u64() >> 11) as f64 / (1u64 << 53) as f64;
    plain.mul_f64(1.0 - JITTER + 2.0 * JITTER * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_largest_within_a_fifth() {
        let (first, max) = (Duration::from_millis(100), Duration::from_secs(1));
        for (failures, plain) in [
            (0, 100),
            (1, 100),
            (2, 200),
            (3, 400),
            (4, 800),
            (5, 1000),
            (90, 1000),
        ] {
            for _ in 0..50 {
                let pause = pause(first, max, failures, &Random::real()).as_millis();
                assert!(
                    plain * 8 / 10 <= pause && pause <= plain * 12 / 10,
                    "{failures}: {pause}"
                );
            }
        }
    }
}
