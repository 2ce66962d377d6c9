//! Accepts HTTP connections within bounds: how many, how large their headers, how slow they may be.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use os::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tracing::{debug, warn};

/// Bounds of one listener.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// Connections at once; the next ones wait in the kernel's queue.
    pub connections_max: usize,
    /// Bytes of a request's first line and headers together. At least 8 KiB.
    pub header_bytes_max: usize,
    pub headers_max: usize,
    /// A request's headers must be whole within this, and the next request must begin.
    pub header_max: Duration,
    /// A connection ends after this, however busy: a reader that does not read holds no place for ever.
    pub connection_max: Duration,
}

impl Default for HttpLimits {
    fn default() -> HttpLimits {
        HttpLimits {
            connections_max: 64,
            header_bytes_max: 16 << 10,
            headers_max: 64,
            header_max: Duration::from_secs(10),
            connection_max: Duration::from_secs(300),
        }
    }
}

/// Serves until `stopped` says true. `build` makes the pages when the first connection comes.
pub async fn serve(
    listener: TcpListener,
    build: impl FnOnce() -> Router + Send + 'static,
    limits: HttpLimits,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.connections_max.max(1)));
    let router: OnceLock<Router> = OnceLock::new();
    let mut build = Some(build);
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => return,
            accepted = next(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        if let Some(build) = build.take() {
            router.get_or_init(build);
        }
        let Some(router) = router.get().cloned() else {
            continue;
        };
        let limits = limits.clone();
        tokio::spawn(async move {
            let within = limits.connection_max;
            if tokio::time::timeout(within, connection(stream, router, &limits))
                .await
                .is_err()
            {
                debug!("an http connection lasted too long and was closed");
            }
            drop(place);
        });
    }
}

/// A place first, then a connection: what finds no place stays with the kernel.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(std::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            warn!(
                %error,
                action = "raise the limit of open files (ulimit -n)",
                "an http connection cannot be accepted, trying again in 100 ms"
            );
            None
        }
    }
}

async fn connection(stream: std::net::TcpStream, router: Router, limits: &HttpLimits) {
    let Ok(stream) = TcpStream::adopt(stream) else {
        return;
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_max)
        .max_buf_size(limits.header_bytes_max)
        .max_headers(limits.headers_max)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        debug!(%error, "an http connection failed");
    }
}
