//! Attempts at one call: which failures are worth another, what is looked up anew before it, and how long it all may
//! take.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::Wanted;
use crate::{Client, Error, Result, backoff};

/// The attempts at one call so far.
pub(crate) struct Retry {
    what: String,
    group: Option<String>,
    after: Duration,
    deadline: Instant,
    failures: u32,
}

impl Retry {
    pub(crate) fn new(what: &str, after: Duration) -> Retry {
        Retry {
            what: what.to_owned(),
            group: None,
            after,
            deadline: Instant::now() + after,
            failures: 0,
        }
    }

    /// The call goes to a group's coordinator.
    pub(crate) fn of_group(mut self, group: &str) -> Retry {
        self.group = Some(group.to_owned());
        self
    }

    /// After a failure: gives it back if it is final or time is up; else waits, and looks up what it says is old.
    pub(crate) async fn pause(&mut self, client: &Client, error: Error) -> Result<()> {
        self.pause_for(client, error, |error| error.is_retriable()).await
    }

    /// The same with another view of which failures pass.
    pub(crate) async fn pause_for(
        &mut self,
        client: &Client,
        error: Error,
        passes: impl Fn(&Error) -> bool,
    ) -> Result<()> {
        if !passes(&error) {
            return Err(error);
        }
        self.failures += 1;
        let config = client.config();
        let pause = backoff::pause(
            config.retry_backoff,
            config.retry_backoff_max,
            self.failures,
            &config.random,
        );
        if self.deadline <= Instant::now() + pause {
            // A cluster that was never reached is better named than timed out on.
            if matches!(error, Error::NoBroker { .. }) {
                return Err(error);
            }
            return Err(Error::TimedOut {
                what: self.what.clone(),
                after: self.after,
                last: Some(Box::new(error)),
            });
        }
        tracing::debug!(what = self.what, %error, failures = self.failures, "trying again in {pause:?}");
        tokio::time::sleep(pause).await;
        if let Some(group) = self.group.as_ref().filter(|_| error.wants_coordinator()) {
            client.forget_coordinator(group);
        } else if error.wants_metadata() && !matches!(error, Error::NoBroker { .. }) {
            // If that fails too, the next attempt says why.
            let _ = client.refresh(Wanted::Nothing).await;
        }
        Ok(())
    }
}
