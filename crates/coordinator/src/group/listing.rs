//! ListGroups and DescribeGroups.

use protocol::Str;
use protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};

use super::GroupShard;
use super::classic::{ClassicGroup, Member, Phase};

/// Kafka's name for groups of this kind.
const CLASSIC: &str = "classic";

/// Which groups are wanted; an empty list wants all. Case does not matter (trap 71).
#[derive(Debug, Default)]
pub struct Filter {
    states: Vec<String>,
    types: Vec<String>,
}

impl Filter {
    pub fn new(states: &[Str], types: &[Str]) -> Filter {
        let lower = |texts: &[Str]| texts.iter().map(|text| text.to_lowercase()).collect();
        Filter {
            states: lower(states),
            types: lower(types),
        }
    }

    fn wants(&self, phase: Phase) -> bool {
        let named =
            |names: &[String], name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
        named(&self.states, &phase.name().to_lowercase()) && named(&self.types, CLASSIC)
    }
}

/// One group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: Str,
    pub protocol_type: Str,
    pub state: &'static str,
    pub kind: &'static str,
}

impl GroupShard {
    /// The groups that a filter wants.
    pub fn list<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = Listed> + 'a {
        self.state.groups().filter_map(|(id, group)| {
            let live = self.live.groups.get(id.as_str());
            let phase = live.map_or(Phase::Empty, |live| live.phase);
            let stored = || {
                group
                    .generation
                    .as_ref()
                    .map(|generation| generation.protocol_type.clone())
            };
            let protocol_type = live.map_or_else(stored, |live| live.protocol_type.clone());
            filter.wants(phase).then(|| Listed {
                id: id.clone(),
                protocol_type: protocol_type.unwrap_or_default(),
                state: phase.name(),
                kind: CLASSIC,
            })
        })
    }

    /// One group and its members. None if there is no such group.
    pub fn describe(&self, id: &Str) -> Option<DescribedGroup> {
        let stored = self.state.group(id)?;
        if let Some(live) = self.live.groups.get(id.as_str()) {
            return Some(described(live));
        }
        let generation = stored.generation.as_ref();
        Some(DescribedGroup {
            group_id: id.clone(),
            group_state: Phase::Empty.name().into(),
            protocol_type: generation
                .map_or_else(Str::default, |generation| generation.protocol_type.clone()),
            ..Default::default()
        })
    }
}

/// Metadata is told of a stable group alone: before, the members have not agreed on a protocol.
fn described(group: &ClassicGroup) -> DescribedGroup {
    let is_stable = group.phase == Phase::Stable;
    let row = |member: &Member| DescribedGroupMember {
        member_id: member.id.clone(),
        group_instance_id: member.instance.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        member_metadata: if is_stable {
            group.subscription(member)
        } else {
            bytes::Bytes::new()
        },
        member_assignment: member.assignment.clone(),
        ..Default::default()
    };
    let protocol = group.protocol.clone().filter(|_| is_stable);
    DescribedGroup {
        group_id: group.id.clone(),
        group_state: group.phase.name().into(),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        protocol_data: protocol.unwrap_or_default(),
        members: group.members.values().map(row).collect(),
        ..Default::default()
    }
}
