//! How bytes get to a broker and back: TCP, in-process, and the seam for TLS.
//!
//! A dialer gives a stream of bytes; everything above it is the same. TLS is a dialer that wraps another.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

/// A connected stream of bytes.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// A stream that is being connected.
pub type Dialing<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// Connects to brokers by host and port.
///
/// ```
/// use client::transport::{Dial, Dialing};
///
/// /// Sends every broker through a tunnel that listens on loopback.
/// #[derive(Debug)]
/// struct Tunnel;
///
/// impl Dial for Tunnel {
///     fn dial<'a>(&'a self, _host: &'a str, _port: u16) -> Dialing<'a> {
///         client::transport::Tcp.dial("127.0.0.1", 9092)
///     }
/// }
/// ```
pub trait Dial: Send + Sync + std::fmt::Debug {
    /// Opens a connection. The caller bounds the time that this may take.
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialing<'a>;
}

/// Plain TCP.
#[derive(Debug, Clone, Copy)]
pub struct Tcp;

impl Dial for Tcp {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialing<'a> {
        Box::pin(async move {
            let stream = os::net::connect(host, port).await?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}

/// Bytes that may be under way in each direction of an in-process connection.
const IN_PROCESS_BYTES: usize = 1 << 20;

/// A server in the same process. It is handed one end of an in-memory pipe a connection, with the host and port that
/// the client believes to dial, and speaks Kafka's protocol over it as over a socket.
///
/// ```
/// use client::transport::InProcess;
/// use client::{Client, ClientConfig};
///
/// let node = testkit::TestNode::start(&[]);
/// let entrance = node.entrance();
/// let inside = InProcess::new(move |stream, _host, port| entrance.accept(stream, port));
/// let config = ClientConfig::new(&node.address.to_string()).with_dialer(inside);
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # let work: client::Result<()> = runtime.block_on(async {
/// assert!(Client::new(config)?.admin().list_topics().await?.is_empty());
/// # Ok(())
/// # });
/// # work.unwrap();
/// ```
#[derive(Clone)]
pub struct InProcess {
    accept: Arc<Accept>,
}

/// Takes the server's end of a connection to a host and port.
type Accept = dyn Fn(DuplexStream, &str, u16) -> io::Result<()> + Send + Sync;

impl InProcess {
    /// A dialer that hands the server's end of each connection to `accept`. An error refuses the connection.
    pub fn new(
        accept: impl Fn(DuplexStream, &str, u16) -> io::Result<()> + Send + Sync + 'static,
    ) -> InProcess {
        InProcess {
            accept: Arc::new(accept),
        }
    }
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl Dial for InProcess {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialing<'a> {
        let (ours, theirs) = tokio::io::duplex(IN_PROCESS_BYTES);
        let accepted = (self.accept)(theirs, host, port);
        Box::pin(async move {
            accepted?;
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }
}
