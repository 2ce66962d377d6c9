//! The way in for connections of this process: one end of a pipe in place of a socket, everything behind it the same.

use std::io;
use std::sync::{Arc, Weak};

use tokio::io::DuplexStream;

/// A listener that takes pipes as well.
pub(crate) trait Door: Send + Sync {
    /// The port of its socket.
    fn port(&self) -> u16;

    /// Serves the other end of a pipe; an error refuses it.
    fn enter(&self, stream: DuplexStream) -> io::Result<()>;
}

/// Where connections of this process come in. Cheap to clone, and does not keep the server alive.
#[derive(Clone)]
pub struct Entrance {
    doors: Arc<[Weak<dyn Door>]>,
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entrance of {} listeners", self.doors.len())
    }
}

impl Entrance {
    pub(crate) fn new(doors: &[Arc<dyn Door>]) -> Entrance {
        Entrance {
            doors: doors.iter().map(Arc::downgrade).collect(),
        }
    }

    /// Serves the other end of `stream` as a connection to the listener on `port`, or to the first if none is there.
    /// Limits on connections hold as for a socket from loopback. An error refuses the connection: the server has
    /// stopped or is full.
    pub fn accept(&self, stream: DuplexStream, port: u16) -> io::Result<()> {
        let open: Vec<Arc<dyn Door>> = self.doors.iter().filter_map(Weak::upgrade).collect();
        let door = open.iter().find(|door| door.port() == port).or(open.first());
        door.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionRefused))?
            .enter(stream)
    }
}
