//! Frames out of rubbish, for the harness of changed bytes (`crate::hostile`).

use super::receive::Receive;

/// Cuts frames out of bytes that come in pieces; room stays in proportion to what came.
pub(crate) fn cut_frames(script: &[u8]) {
    let mut receive = Receive::new(1 << 16);
    let size = script.first().copied().unwrap_or(1).max(1);
    for piece in script.chunks(usize::from(size)) {
        let room = receive.room();
        assert!(room.capacity() <= 32 << 20, "{} bytes of room", room.capacity());
        room.extend_from_slice(piece);
        while let Ok(Some(frame)) = receive.next() {
            assert!(4 <= frame.len() && frame.len() <= 1 << 16);
        }
    }
}
