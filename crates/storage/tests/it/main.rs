//! Logs on a simulated disk: appended, cut, damaged, filled up, and opened again.

mod checkpoints;
mod crash;
mod damage;
mod epochs;
mod faults;
mod formats;
mod golden;
mod harness;
mod life;
mod producers;
mod restart;
mod samples;
mod seeded;
mod segments;
mod switch;
mod truncation;
mod unknown;
