//! Logs on a simulated disk: appended, cut, damaged, filled up, and opened again.

mod bitflip;
mod checkpoints;
mod clean;
mod cleaner;
mod compaction;
mod crash;
mod damage;
mod deltas;
mod epochs;
mod faults;
mod formats;
mod golden;
mod harness;
mod ioerr;
mod life;
mod producers;
mod recycled;
mod restart;
mod samples;
mod seeded;
mod segments;
mod switch;
mod threads;
mod torn;
mod truncation;
mod unknown;
