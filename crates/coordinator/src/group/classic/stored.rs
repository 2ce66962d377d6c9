//! Between the live group and the generation in the log.

use bytes::Bytes;
use protocol::Str;
use protocol::record_schemas::group::group_metadata_value::{GroupMetadataValue, MemberMetadata};

use super::{ClassicGroup, Member, Phase};
use crate::group::timers::Deadline;
use crate::group::{Now, Record};

impl ClassicGroup {
    /// The group as a generation of the log left it. Sessions are not running yet.
    pub(crate) fn load(id: Str, value: &GroupMetadataValue, now: Now) -> ClassicGroup {
        let mut group = ClassicGroup::new(id, now);
        let kind = Some(&value.protocol_type).filter(|kind| !kind.is_empty());
        for stored in &value.members {
            group.add(member(stored, value.protocol.as_ref()), &value.protocol_type);
        }
        group.protocol_type = kind.cloned();
        group.protocol = value.protocol.clone();
        group.generation = value.generation;
        group.leader = value.leader.clone();
        let since = value.current_state_timestamp;
        group.phase_since_ms = (since != -1).then_some(since);
        group.phase = if group.members.is_empty() {
            Phase::Empty
        } else {
            Phase::Stable
        };
        group.subscribed = group.read_subscriptions();
        group
    }

    /// The generation as it is written.
    pub(crate) fn record(&self) -> Record {
        let member = |member: &Member| MemberMetadata {
            member_id: member.id.clone(),
            group_instance_id: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout: member.rebalance_timeout_ms,
            session_timeout: member.session_timeout_ms,
            subscription: self.subscription(member),
            assignment: member.assignment.clone(),
            ..Default::default()
        };
        let value = GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            current_state_timestamp: self.phase_since_ms.unwrap_or(-1),
            members: self.members.values().map(member).collect(),
            ..Default::default()
        };
        Record::Group {
            group: self.id.clone(),
            value: Some(value),
        }
    }

    /// The record that a new group begins with.
    pub(crate) fn birth_record(&self) -> Record {
        let value = GroupMetadataValue {
            protocol: None,
            leader: None,
            current_state_timestamp: self.phase_since_ms.unwrap_or(-1),
            ..Default::default()
        };
        Record::Group {
            group: self.id.clone(),
            value: Some(value),
        }
    }

    pub(crate) fn subscription(&self, member: &Member) -> Bytes {
        let chosen = self.protocol.as_ref().and_then(|name| member.metadata(name));
        chosen.cloned().unwrap_or_default()
    }
}

fn member(stored: &MemberMetadata, protocol: Option<&Str>) -> Member {
    // Old records have no time-out for rebalances.
    let rebalance_timeout_ms = match stored.rebalance_timeout {
        -1 => stored.session_timeout,
        timeout => timeout,
    };
    let protocol = protocol.cloned().unwrap_or_default();
    Member {
        id: stored.member_id.clone(),
        instance: stored.group_instance_id.clone(),
        client_id: stored.client_id.clone(),
        client_host: stored.client_host.clone(),
        rebalance_timeout_ms,
        session_timeout_ms: stored.session_timeout,
        protocols: vec![(protocol, stored.subscription.clone())],
        assignment: stored.assignment.clone(),
        is_new: false,
        joining: None,
        syncing: None,
        session: Deadline::default(),
    }
}
