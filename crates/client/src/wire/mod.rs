//! One connection to one broker: frames, the order of answers, versions.

mod calls;
mod connection;
mod driver;
mod receive;
mod versions;

pub use calls::Request;
pub use connection::Handshake;
pub(crate) use connection::{Answer, Connection, Dialed};
pub use versions::{Feature, Versions};
