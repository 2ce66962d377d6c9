//! HTTP: an acceptor that keeps connections few, headers small and clients quick, and the operator's pages.
//!
//! Owns no state of a node; a [`Source`] is asked for what the pages say.

mod pages;
mod server;

pub use pages::{Source, router};
pub use server::{HttpLimits, serve};
