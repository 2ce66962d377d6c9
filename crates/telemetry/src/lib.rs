//! What a node says of itself: metrics, log lines, and what must never be said (`Secret`).
//!
//! Owns the table of all metrics and the text that Prometheus reads. Knows neither brokers nor sockets: whoever has
//! numbers counts them here, and names of APIs and errors are handed in by the reader.

mod connections;
mod counter;
mod histogram;
pub mod log;
mod reference;
mod requests;
mod secret;
mod shard;
pub mod table;
mod text;

pub use connections::{Closed, Connections, Open, Refused};
pub use counter::Counter;
pub use histogram::{BUCKETS, Histogram, Snapshot};
pub use reference::reference_markdown;
pub use requests::{API_KEYS, Finished, Names, Requests};
pub use secret::Secret;
pub use text::Text;
