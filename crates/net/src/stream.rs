//! The bytes of a connection: a socket, or a pipe to somebody in the same process. Both carry the same frames.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::BytesMut;
use os::net::TcpStream;
use tokio::io::{AsyncReadExt, AsyncWrite, DuplexStream};

/// A connected stream of bytes.
#[derive(Debug)]
pub(crate) enum Stream {
    Socket(TcpStream),
    Pipe(DuplexStream),
}

impl Stream {
    /// Ready when bytes, or the end, may be there to read. A pipe cannot tell without being read.
    pub(crate) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Socket(socket) => socket.poll_readable(context),
            Stream::Pipe(_) => Poll::Ready(Ok(())),
        }
    }

    /// Reads what is there into the free room of `into`; 0 means that the peer is done.
    pub(crate) fn poll_read_into(
        &mut self,
        context: &mut Context<'_>,
        into: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        match self {
            Stream::Socket(socket) => socket.poll_read_into(context, into),
            // The future holds nothing between polls, so a fresh one each time loses nothing.
            Stream::Pipe(pipe) => pin!(pipe.read_buf(into)).as_mut().poll(context),
        }
    }

    pub(crate) fn poll_write_vectored(
        &mut self,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Stream::Socket(socket) => socket.poll_write_vectored(context, slices),
            Stream::Pipe(pipe) => Pin::new(pipe).poll_write_vectored(context, slices),
        }
    }
}
