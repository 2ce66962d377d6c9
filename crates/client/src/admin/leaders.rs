//! Requests that go to the leaders of partitions: each is asked for its own, all at once, and again where that helps.

use std::ops::RangeInclusive;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use types::{BrokerId, LeaderEpoch};

use super::{Admin, Each, TopicPartition};
use crate::client::Wanted;
use crate::pool::Lane;
use crate::retry::Retry;
use crate::wire::{Answer, Request};
use crate::{Error, Result, To};

/// A place in the caller's list, with the epoch of the leader that answers for it.
pub(super) type Place = (usize, LeaderEpoch);

/// What is asked of leaders.
pub(super) trait Question {
    type Request: Request;
    type Outcome: Clone;

    /// In words, for errors.
    fn what(&self) -> &'static str;

    /// The partitions that the caller named, in order.
    fn partitions(&self) -> Vec<&TopicPartition>;

    /// The versions that can say what is asked at these places.
    fn versions(&self, places: &[Place]) -> RangeInclusive<i16>;

    fn request(&self, version: i16, places: &[Place]) -> Self::Request;

    /// What an answer says of these places.
    fn read(
        &self,
        answer: &<Self::Request as Request>::Response,
        places: &[Place],
    ) -> Vec<(usize, Result<Self::Outcome>)>;
}

/// What one round over the leaders gave: outcomes by place, and why another is needed.
struct Round<T> {
    done: Vec<(usize, Result<T>)>,
    again: Option<Error>,
}

impl<T> Round<T> {
    fn put(&mut self, index: usize, outcome: Result<T>) {
        match outcome {
            Err(error) if error.is_retriable() => self.again = Some(error),
            outcome => self.done.push((index, outcome)),
        }
    }
}

/// A leader's places, and its answer on the way.
type Asked<R> = (Vec<Place>, Result<Answer<R>>);

impl Admin {
    /// Asks until every partition has an outcome or time is up. Leaders that moved are looked up anew.
    pub(super) async fn ask_leaders<Q: Question>(
        &self,
        question: &Q,
    ) -> Result<Each<TopicPartition, Q::Outcome>> {
        let partitions = question.partitions();
        let mut found: Vec<Option<Result<Q::Outcome>>> = vec![None; partitions.len()];
        let mut retry = self.client.retry(question.what());
        while found.iter().any(Option::is_none) {
            let round = match self.round(question, &partitions, &found).await {
                Ok(round) => round,
                Err(error) => Round {
                    done: Vec::new(),
                    again: Some(error),
                },
            };
            for (index, outcome) in round.done {
                if let Some(place) = found.get_mut(index) {
                    *place = Some(outcome);
                }
            }
            if let Some(error) = round.again {
                self.before_next_round(error, &mut retry, &partitions).await?;
            }
        }
        let names = partitions.into_iter().cloned();
        Ok(names.zip(found.into_iter().flatten()).collect())
    }

    async fn round<Q: Question>(
        &self,
        question: &Q,
        partitions: &[&TopicPartition],
        found: &[Option<Result<Q::Outcome>>],
    ) -> Result<Round<Q::Outcome>> {
        // A request may name a partition once: what else is asked of it is for the next round.
        let mut named: FxHashSet<&TopicPartition> = FxHashSet::default();
        let open = partitions.iter().zip(found).enumerate();
        let open = open.filter(|(_, (partition, found))| found.is_none() && named.insert(partition));
        let open: Vec<(usize, &TopicPartition)> =
            open.map(|(index, (partition, _))| (index, *partition)).collect();
        let (by_leader, failed) = self.by_leader(open.into_iter()).await?;
        let mut round = Round {
            done: Vec::new(),
            again: None,
        };
        failed
            .into_iter()
            .for_each(|(index, error)| round.put(index, Err(error)));
        let mut asked: Vec<Asked<<Q::Request as Request>::Response>> = Vec::new();
        for (leader, places) in by_leader {
            let sent = self.ask_leader(question, leader, &places).await;
            asked.push((places, sent));
        }
        for (places, sent) in asked {
            let answer = match sent {
                Ok(answer) => answer.receive().await,
                Err(error) => Err(error),
            };
            let outcomes = match &answer {
                Ok(answer) => question.read(answer, &places),
                Err(error) => places
                    .iter()
                    .map(|(index, _)| (*index, Err(error.clone())))
                    .collect(),
            };
            outcomes
                .into_iter()
                .for_each(|(index, outcome)| round.put(index, outcome));
        }
        Ok(round)
    }

    async fn ask_leader<Q: Question>(
        &self,
        question: &Q,
        leader: BrokerId,
        places: &[Place],
    ) -> Result<Answer<<Q::Request as Request>::Response>> {
        let connection = self.client.connection(To::Broker(leader), Lane::Calls).await?;
        let version = connection.version_of::<Q::Request>(&question.versions(places))?;
        let request = question.request(version, places);
        let timeout = self.client.config().request_timeout;
        connection.send(&request, &(version..=version), timeout)
    }

    /// Waits, and looks up what the failure says is old.
    async fn before_next_round(
        &self,
        error: Error,
        retry: &mut Retry,
        partitions: &[&TopicPartition],
    ) -> Result<()> {
        let stale = error.wants_metadata();
        retry.pause(&self.client, error).await?;
        if stale {
            let mut names: Vec<&Arc<str>> = partitions.iter().map(|partition| &partition.topic).collect();
            names.sort();
            names.dedup();
            let names: Vec<&str> = names.into_iter().map(|name| &**name).collect();
            // If that fails too, the next round says why.
            let _ = self.client.refresh(Wanted::Names(&names)).await;
        }
        Ok(())
    }
}
