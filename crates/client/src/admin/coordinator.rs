//! Requests that go to a group's coordinator in a version of which their form depends.

use std::ops::RangeInclusive;

use super::Admin;
use crate::pool::Lane;
use crate::wire::Request;
use crate::{Result, To};

impl Admin {
    /// Asks once. `request` builds what is said in the version that both sides have, which comes back with the answer.
    pub(crate) async fn ask_coordinator_once<Q: Request>(
        &self,
        group: &str,
        versions: &RangeInclusive<i16>,
        request: &impl Fn(i16) -> Q,
    ) -> Result<(i16, Q::Response)> {
        let connection = self.client.connection(To::Group(group), Lane::Group).await?;
        let version = connection.version_of::<Q>(versions)?;
        let timeout = self.client.config().request_timeout;
        let sent = connection.send(&request(version), &(version..=version), timeout)?;
        Ok((version, sent.receive().await?))
    }

    /// Asks until the answer stands: `read` says what it means, and an error that passes is another attempt.
    pub(crate) async fn ask_coordinator<Q: Request, T>(
        &self,
        group: &str,
        what: &str,
        versions: &RangeInclusive<i16>,
        request: impl Fn(i16) -> Q,
        read: impl Fn(i16, &Q::Response) -> Result<T>,
    ) -> Result<T> {
        let mut retry = self.client.retry(what).of_group(group);
        loop {
            let asked = self.ask_coordinator_once(group, versions, &request).await;
            let error = match asked.and_then(|(version, answer)| read(version, &answer)) {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            retry.pause(&self.client, error).await?;
        }
    }
}
