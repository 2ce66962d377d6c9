//! Threads with names.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread. Its stack is small: nothing of ours recurses.
pub fn spawn_named<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new()
        .name(name.to_owned())
        .stack_size(1 << 20)
        .spawn(run)
}
