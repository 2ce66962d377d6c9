//! One connection to one broker: frames, the order of answers, versions.

mod calls;
mod connection;
mod driver;
#[cfg(test)]
pub(crate) mod hostile;
mod receive;
mod versions;

pub use calls::Request;
pub use connection::Handshake;
#[cfg(test)]
pub(crate) use connection::decode;
pub(crate) use connection::{Answer, Connection, Dialed};
pub use versions::{Feature, Versions};
