//! `org.apache.kafka.clients.consumer.RoundRobinAssignor`.

use super::{Assignment, Counts, Member};
use crate::TopicPartition;

pub(super) fn assign(members: &[&Member], counts: &Counts, assignment: &mut Assignment) {
    let mut next = 0;
    for (topic, count) in counts {
        if !members.iter().any(|member| member.subscribes(topic)) {
            continue;
        }
        for partition in 0..*count {
            // The next member round the table that wants the topic; there is one.
            let turn = (next..next + members.len()).find_map(|place| {
                let member = members.get(place % members.len())?;
                member.subscribes(topic).then_some((place, member))
            });
            let Some((place, member)) = turn else { continue };
            next = (place + 1) % members.len();
            let taken = TopicPartition::new(topic.clone(), partition);
            assignment.entry(member.id.clone()).or_default().push(taken);
        }
    }
}
