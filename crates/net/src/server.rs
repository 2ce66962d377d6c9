//! Listeners: bind, accept, and hand each connection to a runtime, where it stays. Connections of this process come in
//! by the [`Entrance`].

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use os::net::{TcpListener, TcpStream};
use telemetry::Connections;
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::connection::Connection;
use crate::entrance::Door;
use crate::limits::{Admission, ConnectionCaps};
use crate::runtime::Spawner;
use crate::stream::Stream;
use crate::{ConnectionLimits, Entrance, Memory, Peer, Runtimes, Service};

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
    doors: Vec<Arc<dyn Door>>,
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

    /// Where connections of this process come in, without a socket. It closes with the server.
    pub fn entrance(&self) -> Entrance {
        Entrance::new(&self.doors)
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
    pub fn serve<S: Service>(self, runtimes: &Runtimes, service: &Arc<S>, options: &ServerOptions) -> Server {
        let (stop, stopped) = watch::channel(false);
        let bound = self.listeners();
        let admission = Admission::new(options.limits.clone());
        let caps = admission.caps();
        let mut doors: Vec<Arc<dyn Door>> = Vec::new();
        for (listener, socket) in self.sockets {
            let acceptor = Arc::new(Acceptor {
                listener,
                spawner: runtimes.spawner(),
                service: service.clone(),
                memory: options.memory.clone(),
                connections: options.connections.clone(),
                admission: admission.clone(),
                stopped: stopped.clone(),
                next: AtomicUsize::new(0),
                start: Instant::now(),
            });
            doors.push(acceptor.clone());
            runtimes.spawn_on(0, acceptor.run(socket));
        }
        Server {
            bound,
            stop,
            caps,
            doors,
        }
    }
}

struct Acceptor<S: Service> {
    listener: BoundListener,
    spawner: Spawner,
    service: Arc<S>,
    memory: Memory,
    connections: Arc<Connections>,
    admission: Admission,
    stopped: watch::Receiver<bool>,
    next: AtomicUsize,
    start: Instant,
}

impl<S: Service> Acceptor<S> {
    async fn run(self: Arc<Self>, socket: TcpListener) {
        let mut stopped = self.stopped.clone();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stopped.wait_for(|stop| *stop) => return,
                accepted = socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    self.admit_socket(stream, address);
                    let pause = self.admission.accepted(self.start.elapsed());
                    // `max.connection.creation.rate`: the next one stays in the kernel's queue, as in Kafka.
                    if !pause.is_zero() {
                        tokio::time::sleep(pause).await;
                    }
                }
                Err(error) => {
                    // Out of descriptors, most likely: connections that end will free some.
                    warn!(listener = %self.listener.name, %error, "accept failed, trying again in 100 ms");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn admit_socket(&self, stream: std::net::TcpStream, address: SocketAddr) {
        // What refuses it has said so.
        let _ = self.admit(address, move || {
            let stream = TcpStream::adopt(stream)?;
            let local = stream.local_addr()?;
            Ok((Stream::Socket(stream), local))
        });
    }

    /// Lets a connection in if there is room; `open` runs on the runtime that it gets.
    fn admit(
        &self,
        address: SocketAddr,
        open: impl FnOnce() -> io::Result<(Stream, SocketAddr)> + Send + 'static,
    ) -> io::Result<()> {
        let place = match self.admission.admit(address.ip(), self.start.elapsed().as_secs()) {
            Ok(place) => place,
            Err(refusal) => {
                self.connections.refused(refusal.counted());
                info!(peer = %address, listener = %self.listener.name, %refusal, "connection refused");
                return Err(io::Error::new(io::ErrorKind::ConnectionRefused, refusal));
            }
        };
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let listener = self.listener.name.clone();
        let counted = self.connections.open();
        let (service, memory, admission) =
            (self.service.clone(), self.memory.clone(), self.admission.clone());
        self.spawner.spawn_on(index, async move {
            let Ok((stream, local)) = open() else { return };
            let peer = Peer {
                address,
                local,
                listener,
            };
            let connection = Connection::new(stream, peer, service, memory, admission, counted);
            connection.run().await;
            drop(place);
        });
        Ok(())
    }
}

impl<S: Service> Door for Acceptor<S> {
    fn port(&self) -> u16 {
        self.listener.address.port()
    }

    fn enter(&self, stream: DuplexStream) -> io::Result<()> {
        if *self.stopped.borrow() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let mut local = self.listener.address;
        if local.ip().is_unspecified() {
            local.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        let address = SocketAddr::new(local.ip(), 0);
        self.admit(address, move || Ok((Stream::Pipe(stream), local)))
    }
}
