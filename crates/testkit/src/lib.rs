//! A node in the test's process, and a raw client for it.

mod client;
mod node;

pub use client::{Client, batch, batch_of};
pub use node::{TestNode, with_node};
