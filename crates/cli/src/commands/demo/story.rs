//! How the story is told: line by line with the seconds so far; on stderr where stdout is for scripts.

use std::io::Write;
use std::time::Instant;

pub(super) struct Story {
    started: Instant,
    for_people: bool,
}

impl Story {
    pub(super) fn new(for_people: bool) -> Story {
        Story {
            started: Instant::now(),
            for_people,
        }
    }

    /// A new chapter.
    pub(super) fn head(&self, text: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        self.write(&format!("\n[{seconds:4.1} s] {text}\n"));
    }

    pub(super) fn say(&self, text: &str) {
        self.write(&format!("         {text}\n"));
    }

    /// Who listens may have gone; the story goes on, and its end counts.
    fn write(&self, text: &str) {
        let _ = match self.for_people {
            true => std::io::stdout().write_all(text.as_bytes()),
            false => std::io::stderr().write_all(text.as_bytes()),
        };
    }
}
