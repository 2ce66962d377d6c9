//! The seam for SASL: what happens on a new connection between ApiVersions and the first real request.

use std::future::Future;
use std::pin::Pin;

use crate::Result;
use crate::wire::Handshake;

/// An authentication in progress.
pub type Authenticating<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Proves to a broker who the client is. Runs on every new connection, after the versions are known
/// (`SaslHandshake` v1 and `SaslAuthenticate` are calls like any other).
pub trait Authenticate: Send + Sync + std::fmt::Debug {
    /// Exchanges what the mechanism wants. An error ends the connection and goes to whoever wanted it.
    fn authenticate<'a>(&'a self, connection: Handshake<'a>) -> Authenticating<'a>;
}
