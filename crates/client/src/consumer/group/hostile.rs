//! What members say of themselves, laid open for the harness of changed bytes (`crate::hostile`).

use bytes::Bytes;

use super::assignor::{Assignor, Layout, assign};
use super::protocol::{Past, read_subscription, subscription};
use crate::TopicPartition;

/// Reads changed subscriptions as the leader does, and spreads partitions over whoever they say they are.
pub(crate) fn read_member(changed: impl Fn(Vec<u8>) -> Bytes) {
    let layout = Layout {
        counts: [("t".into(), 5), ("u".into(), 1)].into(),
        ..Layout::default()
    };
    for assignor in [
        Assignor::Range,
        Assignor::RoundRobin,
        Assignor::Sticky,
        Assignor::CooperativeSticky,
    ] {
        let owned = vec![TopicPartition::new("t", 1), TopicPartition::new("u", 0)];
        let past = Past {
            last: owned.clone(),
            owned,
            generation: 4,
            rack: Some("a".into()),
        };
        let honest = subscription(assignor, &["t".into(), "u".into()], &past).expect("small");
        let first = read_subscription(assignor, "a", None, &honest).expect("honest");
        let Ok(second) = read_subscription(assignor, "b", Some("i"), &changed(honest.to_vec())) else {
            continue;
        };
        let assignment = assign(assignor, &[first, second], &layout);
        let given = assignment.values().flatten().count();
        assert!(given <= 6, "{given} partitions of 6 are given");
    }
}
