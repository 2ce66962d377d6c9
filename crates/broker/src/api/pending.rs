//! Answers on their way.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use net::Answer;

use super::fetch::FetchPending;
use super::produce::ProducePending;

/// A started request that is not answered yet. Produce is kept in place, without an allocation.
pub enum Pending {
    Produce(ProducePending),
    Fetch(Box<FetchPending>),
    Later(Pin<Box<dyn Future<Output = Answer> + Send>>),
}

impl Pending {
    pub fn later(future: impl Future<Output = Answer> + Send + 'static) -> Pending {
        Pending::Later(Box::pin(future))
    }
}

impl Future for Pending {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        match &mut *self {
            Pending::Produce(produce) => Pin::new(produce).poll(context),
            Pending::Fetch(fetch) => Pin::new(fetch).poll(context),
            Pending::Later(later) => later.as_mut().poll(context),
        }
    }
}
