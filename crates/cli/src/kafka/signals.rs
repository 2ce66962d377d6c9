//! The signals that end a tool, and the exit codes that a Java program has after them.

/// Waits for Ctrl-C or a request to end; gives the exit code.
pub(crate) async fn ended() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
            return INTERRUPTED;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => INTERRUPTED,
        _ = terminate.recv() => TERMINATED,
    }
}

/// 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;
/// 128 and the number of SIGTERM.
const TERMINATED: u8 = 143;
