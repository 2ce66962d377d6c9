//! Wall and monotonic time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where time comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    Real {
        start: Instant,
    },
    #[cfg(debug_assertions)]
    Simulated(std::sync::Arc<SimClock>),
}

/// A clock that a test moves.
#[cfg(debug_assertions)]
#[derive(Debug, Default)]
pub struct SimClock {
    wall_ms: std::sync::atomic::AtomicI64,
    elapsed_ms: std::sync::atomic::AtomicU64,
}

#[cfg(debug_assertions)]
impl SimClock {
    /// Lets time pass on both clocks.
    pub fn advance(&self, by: Duration) {
        use std::sync::atomic::Ordering::SeqCst;
        self.wall_ms.fetch_add(by.as_millis() as i64, SeqCst);
        self.elapsed_ms.fetch_add(by.as_millis() as u64, SeqCst);
    }

    /// Makes the wall clock jump.
    pub fn set_wall_ms(&self, wall_ms: i64) {
        self.wall_ms.store(wall_ms, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock {
    pub fn real() -> Clock {
        Clock::Real {
            start: Instant::now(),
        }
    }

    /// Milliseconds since 1970.
    pub fn wall_ms(&self) -> i64 {
        match self {
            Clock::Real { .. } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            #[cfg(debug_assertions)]
            Clock::Simulated(clock) => clock.wall_ms.load(std::sync::atomic::Ordering::SeqCst),
        }
    }

    /// Time since this clock was made; never jumps.
    pub fn elapsed(&self) -> Duration {
        match self {
            Clock::Real { start } => start.elapsed(),
            #[cfg(debug_assertions)]
            Clock::Simulated(clock) => {
                Duration::from_millis(clock.elapsed_ms.load(std::sync::atomic::Ordering::SeqCst))
            }
        }
    }
}
