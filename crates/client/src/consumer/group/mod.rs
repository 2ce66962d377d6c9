//! Membership in a classic group: join, sync, heartbeat, leave. `assignor` spreads partitions, `protocol` has the
//! bytes; what a rebalance does to the consumer is the consumer's business.

pub(crate) mod assignor;
mod heartbeat;
#[cfg(test)]
pub(crate) mod hostile;
mod join;
mod protocol;

pub use assignor::Assignor;

use std::sync::Arc;

use ::protocol::messages::leave_group_request::{LeaveGroupRequest, MemberIdentity};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(super) use self::join::{Joined, Topics, layout};
use self::protocol::Past;
use super::ConsumerConfig;
use crate::admin::Committer;
use crate::pool::Lane;
use crate::{Client, Error, Result, To, TopicPartition};

/// What the coordinator knows of us, as far as we know.
#[derive(Debug)]
struct Membership {
    member_id: String,
    generation: i32,
    stable: bool,
    /// The group rebalances, or our subscription changed.
    rejoin: bool,
    /// The coordinator gave our partitions away.
    lost: bool,
    fatal: Option<Error>,
    last_poll: Instant,
}

/// What the member, its heartbeats and its joining share.
#[derive(Debug)]
struct Inner {
    client: Client,
    config: ConsumerConfig,
    group: String,
    membership: Mutex<Membership>,
    /// Something changed that a poll must look at.
    changed: Arc<Notify>,
}

/// A member of a group.
#[derive(Debug)]
pub(super) struct Group {
    inner: Arc<Inner>,
    heartbeats: JoinHandle<()>,
    joining: Option<JoinHandle<Result<Joined>>>,
    /// What was given last, and when: the sticky assignors tell the leader.
    last: Vec<TopicPartition>,
    last_generation: i32,
}

impl Drop for Group {
    fn drop(&mut self) {
        self.heartbeats.abort();
        if let Some(joining) = &self.joining {
            joining.abort();
        }
    }
}

/// What a poll finds.
pub(super) enum Step {
    /// All is well.
    Stable,
    /// Another join is due.
    Rejoin,
    /// Joining is under way.
    Joining,
    /// Joining ended.
    Joined(Box<Joined>),
    /// The partitions went to others.
    Lost,
}

impl Group {
    pub(super) fn new(client: &Client, config: &ConsumerConfig, group: &str, changed: Arc<Notify>) -> Group {
        let inner = Arc::new(Inner {
            client: client.clone(),
            config: config.clone(),
            group: group.to_owned(),
            membership: Mutex::new(Membership {
                member_id: String::new(),
                generation: -1,
                stable: false,
                rejoin: true,
                lost: false,
                fatal: None,
                last_poll: Instant::now(),
            }),
            changed,
        });
        Group {
            heartbeats: tokio::spawn(heartbeat::run(inner.clone())),
            inner,
            joining: None,
            last: Vec::new(),
            last_generation: -1,
        }
    }

    /// Whether members keep their partitions while the group rebalances.
    pub(super) fn is_cooperative(&self) -> bool {
        self.inner
            .config
            .assignors
            .iter()
            .all(|assignor| assignor.is_cooperative())
    }

    /// Looks at what happened since the last poll.
    pub(super) async fn step(&mut self) -> Result<Step> {
        {
            let mut membership = self.inner.membership.lock();
            membership.last_poll = Instant::now();
            if let Some(error) = &membership.fatal {
                return Err(error.clone());
            }
            if membership.lost {
                membership.lost = false;
                membership.rejoin = true;
                return Ok(Step::Lost);
            }
        }
        if let Some(joining) = &mut self.joining {
            if !joining.is_finished() {
                return Ok(Step::Joining);
            }
            let ended = joining.await;
            self.joining = None;
            let joined = ended.map_err(|_| Error::State("joining the group ended early"))??;
            (self.last, self.last_generation) = (joined.assignment.clone(), joined.generation);
            return Ok(Step::Joined(Box::new(joined)));
        }
        let due = self.inner.membership.lock().rejoin;
        Ok(if due { Step::Rejoin } else { Step::Stable })
    }

    /// Starts to join with what the member still has.
    pub(super) fn join(&mut self, topics: Topics, owned: Vec<TopicPartition>) {
        let past = Past {
            owned,
            last: self.last.clone(),
            generation: self.last_generation,
            rack: self.inner.config.rack.clone(),
        };
        {
            let mut membership = self.inner.membership.lock();
            membership.rejoin = false;
            membership.stable = false;
        }
        let inner = self.inner.clone();
        self.joining = Some(tokio::spawn(async move {
            let joined = join::join(&inner, &topics, &past).await;
            let mut membership = inner.membership.lock();
            match &joined {
                Ok(joined) => {
                    membership.generation = joined.generation;
                    membership.stable = true;
                }
                Err(_) => membership.rejoin = true,
            }
            drop(membership);
            inner.changed.notify_one();
            joined
        }));
    }

    /// The next poll joins again.
    pub(super) fn rejoin(&self) {
        self.inner.membership.lock().rejoin = true;
    }

    /// As whom the member commits.
    pub(super) fn committer(&self) -> Committer {
        let membership = self.inner.membership.lock();
        Committer {
            generation: membership.generation,
            member_id: membership.member_id.clone(),
            instance_id: self.inner.config.instance_id.clone(),
        }
    }

    /// The member id that the coordinator gave, or nothing.
    pub(super) fn member_id(&self) -> String {
        self.inner.membership.lock().member_id.clone()
    }

    /// A commit was refused because the member is none any more.
    pub(super) fn on_refused(&self, error: &Error) {
        self.inner.on_refused(error);
    }

    /// Ends the membership. A static member keeps its place, as in Kafka.
    pub(super) async fn leave(mut self) {
        if let Some(joining) = self.joining.take() {
            joining.abort();
        }
        self.heartbeats.abort();
        self.inner.leave("the consumer was closed").await;
    }
}

impl Inner {
    fn on_refused(&self, error: &Error) {
        use types::ErrorCode::*;
        let mut membership = self.membership.lock();
        match error.code() {
            Some(UnknownMemberId) => {
                membership.member_id.clear();
                membership.lose();
            }
            Some(IllegalGeneration) => membership.lose(),
            Some(RebalanceInProgress) => membership.rejoin = true,
            Some(FencedInstanceId | GroupAuthorizationFailed) => membership.fatal = Some(error.clone()),
            _ => return,
        }
        drop(membership);
        self.changed.notify_one();
    }

    async fn leave(&self, reason: &str) {
        let member_id = {
            let mut membership = self.membership.lock();
            membership.generation = -1;
            membership.stable = false;
            std::mem::take(&mut membership.member_id)
        };
        if member_id.is_empty() || self.config.instance_id.is_some() {
            return;
        }
        let Ok(connection) = self.client.connection(To::Group(&self.group), Lane::Group).await else {
            return;
        };
        let Ok(version) = connection.version_of::<LeaveGroupRequest>(&(0..=5)) else {
            return;
        };
        let mut request = LeaveGroupRequest {
            group_id: self.group.as_str().into(),
            ..LeaveGroupRequest::default()
        };
        if version < 3 {
            request.member_id = member_id.as_str().into();
        } else {
            request.members = vec![MemberIdentity {
                member_id: member_id.as_str().into(),
                reason: (5 <= version).then(|| reason.into()),
                ..MemberIdentity::default()
            }];
        }
        let timeout = self
            .client
            .config()
            .request_timeout
            .min(std::time::Duration::from_secs(5));
        if let Ok(answer) = connection.send(&request, &(version..=version), timeout) {
            let _ = answer.receive().await;
        }
    }
}

impl Membership {
    fn lose(&mut self) {
        self.generation = -1;
        self.stable = false;
        self.lost = true;
    }
}
