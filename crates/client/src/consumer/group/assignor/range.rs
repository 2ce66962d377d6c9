//! `org.apache.kafka.clients.consumer.RangeAssignor`, without racks.

use super::{Assignment, Counts, Member};
use crate::TopicPartition;

pub(super) fn assign(members: &[&Member], counts: &Counts, assignment: &mut Assignment) {
    for (topic, count) in counts {
        let subscribed: Vec<&&Member> = members.iter().filter(|member| member.subscribes(topic)).collect();
        let Ok(member_count) = i32::try_from(subscribed.len()) else {
            continue;
        };
        if member_count == 0 {
            continue;
        }
        let (each, more) = (count / member_count, count % member_count);
        let mut next = 0;
        for (place, member) in (0..).zip(subscribed) {
            let length = each + i32::from(place < more);
            let run = (next..next + length).map(|partition| TopicPartition::new(topic.clone(), partition));
            assignment.entry(member.id.clone()).or_default().extend(run);
            next += length;
        }
    }
}
