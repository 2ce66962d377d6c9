//! A consumer of a history: what it believes, and what it does with an answer.

use coordinator::group::Ticket;
use protocol::Str;
use types::ErrorCode;

use super::GROUP;
use crate::world::Who;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    Nothing,
    Joining(Ticket),
    /// Joined a generation, has to ask for its assignment.
    Joined,
    Syncing(Ticket),
    Working,
}

/// A consumer. A stalled one keeps what it believes, and may commit with it later.
#[derive(Debug)]
pub struct Client {
    pub name: usize,
    pub instance: Option<Str>,
    pub member: Str,
    pub generation: i32,
    pub doing: Doing,
    /// Whom it has to give an assignment: member id, and the name that outlasts a static member's id.
    pub leads: Vec<(Str, Str)>,
    pub owns: Vec<i32>,
    /// Heartbeats and listens.
    pub awake: bool,
    /// When the coordinator last said that this one is a member and no rebalance is going on.
    pub safe_ms: Option<u64>,
    /// How many coordinators had resigned when it asked for its id.
    pub term: u64,
    /// Another process came with its instance since it joined.
    pub superseded: bool,
}

impl Client {
    pub fn new(name: usize, instance: Option<Str>) -> Client {
        Client {
            name,
            instance,
            member: Str::default(),
            generation: -1,
            doing: Doing::Nothing,
            leads: Vec::new(),
            owns: Vec::new(),
            awake: true,
            safe_ms: None,
            term: 0,
            superseded: false,
        }
    }

    pub fn who(&self) -> Who {
        Who {
            group: GROUP.into(),
            member: self.member.clone(),
            instance: self.instance.clone(),
            generation: self.generation,
        }
    }

    pub fn waits_for(&self, ticket: Ticket) -> bool {
        matches!(self.doing, Doing::Joining(waits) | Doing::Syncing(waits) if waits == ticket)
    }

    /// What it does with an error.
    pub fn obey(&mut self, code: ErrorCode) {
        match code {
            ErrorCode::RebalanceInProgress => self.doing = Doing::Nothing,
            ErrorCode::FencedInstanceId => {
                self.forget();
                self.awake = false;
            }
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::GroupIdNotFound => {
                self.forget();
                self.member = Str::default();
            }
            other => panic!("{other:?} was not expected"),
        }
    }

    pub fn forget(&mut self) {
        self.generation = -1;
        self.doing = Doing::Nothing;
        self.leads.clear();
        self.owns.clear();
        self.safe_ms = None;
    }
}
