//! Memory that reads go through: one buffer for each thread, used again as soon as what was read is sent.
//!
//! A buffer that was just sent is still in the processor's cache; a fresh one has to be brought there first, which
//! costs a read of 1 MiB about a fifth of its time.

use std::cell::RefCell;

use bytes::BytesMut;

/// A thread keeps no more than this.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// A smaller read gets memory of its own size: while its answer is not taken, it must not hold a whole buffer.
const SHARED_BYTES_MIN: usize = 128 << 10;

thread_local! {
    static BUFFER: RefCell<BytesMut> = RefCell::default();
}

fn is_shared(bytes: usize) -> bool {
    (SHARED_BYTES_MIN..=KEPT_BYTES_MAX).contains(&bytes)
}

/// An empty buffer with room for `bytes`. Give it back with [`keep`] when it is filled.
pub(super) fn take(bytes: usize) -> BytesMut {
    if !is_shared(bytes) {
        return BytesMut::with_capacity(bytes);
    }
    let mut buffer = BUFFER.with(|kept| std::mem::take(&mut *kept.borrow_mut()));
    // The room of what was split off is there again once that is dropped.
    if buffer.try_reclaim(bytes) {
        return buffer;
    }
    BytesMut::with_capacity(bytes)
}

/// Keeps what is left of a buffer, after everything that was read is split off.
pub(super) fn keep(rest: BytesMut, bytes: usize) {
    if is_shared(bytes) {
        BUFFER.with(|kept| *kept.borrow_mut() = rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: usize) -> BytesMut {
        let mut buffer = take(bytes);
        buffer.resize(bytes, 7);
        let read = buffer.split();
        keep(buffer, bytes);
        read
    }

    #[test]
    fn what_was_sent_is_used_again_and_what_is_held_is_not_touched() {
        let first = read(KEPT_BYTES_MAX);
        let at = first.as_ptr();
        let held = read(KEPT_BYTES_MAX);
        assert_ne!(held.as_ptr(), at);
        drop(first);
        let at = held.as_ptr();
        drop(held);
        assert_eq!(read(KEPT_BYTES_MAX).as_ptr(), at);
    }

    #[test]
    fn a_small_read_holds_memory_of_its_own_size() {
        drop(read(KEPT_BYTES_MAX));
        assert!(read(SHARED_BYTES_MIN - 1).capacity() < SHARED_BYTES_MIN + 64);
    }
}
