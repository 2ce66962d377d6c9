//! Listeners: bind, accept, and hand each connection to a runtime, where it stays.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use os::net::{TcpListener, TcpStream};
use telemetry::Connections;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::connection::Connection;
use crate::limits::{Admission, ConnectionCaps};
use crate::{ConnectionLimits, Memory, Peer, Runtimes, Service};

/// A listener to be opened.
#[derive(Debug, Clone)]
pub struct Listener {
    pub name: Arc<str>,
    pub address: SocketAddr,
}

/// A listener that is open.
#[derive(Debug, Clone)]
pub struct BoundListener {
    pub name: Arc<str>,
    /// With the real port, where port 0 was asked for.
    pub address: SocketAddr,
}

#[derive(Debug, Clone)]
pub struct ServerOptions {
    pub limits: ConnectionLimits,
    pub memory: Memory,
    pub connections: Arc<Connections>,
}

/// Accepts connections until it is stopped or dropped.
pub struct Server {
    bound: Vec<BoundListener>,
    stop: watch::Sender<bool>,
    caps: ConnectionCaps,
}

impl Server {
    /// Binds all listeners, or none; nothing is accepted before [`Server::serve`].
    pub fn bind(runtimes: &Runtimes, listeners: &[Listener]) -> Result<Bound, (Listener, io::Error)> {
        let mut sockets = Vec::new();
        for listener in listeners {
            let bind = async { TcpListener::bind(listener.address, false) };
            let socket = runtimes
                .block_on(bind)
                .map_err(|error| (listener.clone(), error))?;
            let address = socket.local_addr().map_err(|error| (listener.clone(), error))?;
            sockets.push((
                BoundListener {
                    name: listener.name.clone(),
                    address,
                },
                socket,
            ));
        }
        Ok(Bound { sockets })
    }

    /// The open listeners.
    pub fn listeners(&self) -> &[BoundListener] {
        &self.bound
    }

    /// Through this the limits on connections change.
    pub fn caps(&self) -> ConnectionCaps {
        self.caps.clone()
    }

    /// Stops accepting. Connections end with their runtimes.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

/// Sockets that are bound and do not accept yet.
pub struct Bound {
    sockets: Vec<(BoundListener, TcpListener)>,
}

impl Bound {
    pub fn listeners(&self) -> Vec<BoundListener> {
        self.sockets.iter().map(|(bound, _)| bound.clone()).collect()
    }

    /// Accepts on every socket, all connections answered by one service.
    pub fn serve<S: Service>(
        self,
        runtimes: &Arc<Runtimes>,
        service: &Arc<S>,
        options: &ServerOptions,
    ) -> Server {
        let (stop, stopped) = watch::channel(false);
        let bound = self.listeners();
        let admission = Admission::new(options.limits.clone());
        let caps = admission.caps();
        for (listener, socket) in self.sockets {
            let acceptor = Acceptor {
                listener,
                runtimes: Arc::downgrade(runtimes),
                service: service.clone(),
                memory: options.memory.clone(),
                connections: options.connections.clone(),
                admission: admission.clone(),
                stopped: stopped.clone(),
                next: AtomicUsize::new(0),
            };
            runtimes.spawn_on(0, acceptor.run(socket));
        }
        Server { bound, stop, caps }
    }
}

struct Acceptor<S: Service> {
    listener: BoundListener,
    /// Weak: the runtimes own this task.
    runtimes: std::sync::Weak<Runtimes>,
    service: Arc<S>,
    memory: Memory,
    connections: Arc<Connections>,
    admission: Admission,
    stopped: watch::Receiver<bool>,
    next: AtomicUsize,
}

impl<S: Service> Acceptor<S> {
    async fn run(self, socket: TcpListener) {
        let mut stopped = self.stopped.clone();
        let start = tokio::time::Instant::now();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stopped.wait_for(|stop| *stop) => return,
                accepted = socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => self.admit(stream, address, start.elapsed().as_secs()),
                Err(error) => {
                    // Out of descriptors, most likely: connections that end will free some.
                    warn!(listener = %self.listener.name, %error, "accept failed, trying again in 100 ms");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn admit(&self, stream: std::net::TcpStream, address: SocketAddr, second: u64) {
        let place = match self.admission.admit(address.ip(), second) {
            Ok(place) => place,
            Err(refusal) => {
                self.connections.refused(refusal.counted());
                info!(peer = %address, listener = %self.listener.name, %refusal, "connection refused");
                return;
            }
        };
        let Some(runtimes) = self.runtimes.upgrade() else {
            return;
        };
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let listener = self.listener.name.clone();
        let open = self.connections.open();
        let (service, memory, admission) =
            (self.service.clone(), self.memory.clone(), self.admission.clone());
        runtimes.spawn_on(index, async move {
            let Ok(stream) = TcpStream::adopt(stream) else {
                return;
            };
            let Ok(local) = stream.local_addr() else { return };
            let peer = Peer {
                address,
                local,
                listener,
            };
            let connection = Connection::new(stream, peer, service, memory, admission, open);
            connection.run().await;
            drop(place);
        });
    }
}
