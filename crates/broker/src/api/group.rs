//! What all group APIs share: who asks, and where the group's shard is.

use std::net::IpAddr;
use std::sync::Arc;

use metadata::MetadataImage;
use protocol::Str;
use types::{ErrorCode, TopicId};

use super::Call;
use crate::coordinator::Slot;

/// Operations on a group that a client may ask about (Read, Delete, Describe, DescribeConfigs, AlterConfigs), as
/// nobody is refused any.
pub(super) const GROUP_OPERATIONS: i32 = 0b1101_0100_1000;

impl Call<'_> {
    /// The client's id. One that is null is empty (Kafka's `RequestHeader`).
    pub(super) fn client_id(&self) -> Str {
        self.header.client_id.clone().unwrap_or_default()
    }

    /// The client's address as Java prints it: a slash, and IPv6 in eight plain groups.
    pub(super) fn client_host(&self) -> Str {
        match self.session.peer.address.ip().to_canonical() {
            IpAddr::V4(address) => format!("/{address}").into(),
            IpAddr::V6(address) => {
                let groups: Vec<String> = address
                    .segments()
                    .iter()
                    .map(|group| format!("{group:x}"))
                    .collect();
                format!("/{}", groups.join(":")).into()
            }
        }
    }

    /// The shard of a group on this node.
    pub(super) fn slot_of(&self, group: &str) -> Result<Arc<Slot>, ErrorCode> {
        self.broker.coordinators.slot_of(self.broker, group)
    }

    /// Something was appended that is to be on stable storage before it is answered.
    pub(super) fn note_append(&mut self, appended: bool) {
        self.session.queued |= appended;
        self.session.wants_sync |= appended;
    }
}

/// A topic that was named in one way or the other.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub name: Str,
    pub id: TopicId,
    partitions: usize,
}

impl Named {
    /// Whether the topic has a partition of this index.
    pub(super) fn has(&self, partition: i32) -> bool {
        usize::try_from(partition).is_ok_and(|partition| partition < self.partitions)
    }
}

/// Finds a topic by name or, where a version says so, by id.
pub(super) fn resolve(
    image: &MetadataImage,
    name: &Str,
    id: TopicId,
    by_id: bool,
) -> Result<Named, ErrorCode> {
    let found = if by_id {
        image.topic(id)
    } else {
        image.topic_by_name(name)
    };
    let missing = if by_id {
        ErrorCode::UnknownTopicId
    } else {
        ErrorCode::UnknownTopicOrPartition
    };
    let topic = found.ok_or(missing)?;
    Ok(Named {
        name: topic.name.as_str().into(),
        id: topic.id,
        partitions: topic.partitions.len(),
    })
}
