//! Which protocol a group uses, by vote (trap 66), and what its consumers are subscribed to.

use std::collections::BTreeSet;

use bytes::Bytes;
use protocol::messages::consumer_protocol_subscription::ConsumerProtocolSubscription;
use protocol::{Budget, Decode, Reader, Str};

use super::{ClassicGroup, Member, Phase};
use crate::hash::java_bucket;

impl ClassicGroup {
    pub(crate) fn count_protocols(&mut self, member: &Member, comes: bool) {
        for (name, _) in &member.protocols {
            let count = self.supported.entry(name.clone()).or_default();
            *count = if comes {
                *count + 1
            } else {
                count.saturating_sub(1)
            };
            if *count == 0 {
                self.supported.remove(name.as_str());
            }
        }
    }

    /// Whether a member with these protocols can be in the group.
    pub(crate) fn supports(&self, protocol_type: &str, protocols: &[(Str, Bytes)]) -> bool {
        if self.phase == Phase::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let same_type = self
            .protocol_type
            .as_ref()
            .is_some_and(|kind| kind == protocol_type);
        same_type && protocols.iter().any(|(name, _)| self.is_candidate(name))
    }

    /// Whether all members know a protocol.
    fn is_candidate(&self, name: &str) -> bool {
        self.supported.get(name).copied().unwrap_or(0) == self.members.len()
    }

    /// Every member votes for the first of its protocols that all know. On a tie Kafka takes the first in the order of
    /// a `java.util.HashMap`, and so do we.
    pub(crate) fn select_protocol(&self) -> Option<Str> {
        let mut votes: Vec<(Str, usize)> = Vec::new();
        for member in self.members.values() {
            let vote = member.protocols.iter().find(|(name, _)| self.is_candidate(name));
            let Some((name, _)) = vote else { continue };
            match votes.iter_mut().find(|(voted, _)| voted == name) {
                Some((_, count)) => *count += 1,
                None => votes.push((name.clone(), 1)),
            }
        }
        let most = votes.iter().map(|(_, count)| *count).max()?;
        let buckets = (votes.len() * 4 / 3 + 1).next_power_of_two().max(16) as u32;
        let first = votes.into_iter().filter(|(_, count)| *count == most);
        first
            .min_by_key(|(name, _)| java_bucket(name, buckets))
            .map(|(name, _)| name)
    }

    /// Reads the subscriptions of consumers. None if they are not consumers, or do not write what they should.
    pub(crate) fn read_subscriptions(&self) -> Option<BTreeSet<Str>> {
        if !self.is_of_consumers() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_ref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            topics.extend(subscribed_topics(member.metadata(protocol)?)?);
        }
        Some(topics)
    }
}

/// The topics of a subscription. Version 0 is a prefix of all others, and buggy clients claim more than they write.
fn subscribed_topics(metadata: &Bytes) -> Option<Vec<Str>> {
    let mut reader = Reader::new(metadata.clone());
    let version = reader.i16().ok()?;
    if version < 0 {
        return None;
    }
    let mut budget = Budget::after_authentication(metadata.len());
    let subscription = ConsumerProtocolSubscription::decode(&mut reader, 0, &mut budget).ok()?;
    Some(subscription.topics)
}
