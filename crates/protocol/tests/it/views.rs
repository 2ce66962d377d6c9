//! Borrowed views say what the owned messages say.

use bytes::Bytes;
use protocol::messages::{fetch_request, produce_request};
use protocol::view::ArrayView;
use protocol::{Budget, Decode, Reader, Records};

use crate::golden::committed;

fn owned<T: Decode>(body: &Bytes, version: i16) -> T {
    let mut budget = Budget::after_authentication(body.len());
    T::decode(&mut Reader::new(body.clone()), version, &mut budget).expect("golden bytes")
}

fn bodies(name: &str) -> Vec<(Bytes, i16)> {
    let of_name = committed().into_iter().filter(|golden| golden.name == name);
    let bodies: Vec<_> = of_name.map(|golden| (golden.bytes, golden.version)).collect();
    assert!(!bodies.is_empty());
    bodies
}

#[test]
fn a_produce_view_is_the_owned_request() {
    for (body, version) in bodies("ProduceRequest") {
        let view = produce_request::view::ProduceRequest::decode(&body, version).expect("golden bytes");
        let message: produce_request::ProduceRequest = owned(&body, version);
        assert_eq!(view.transactional_id, message.transactional_id.as_deref());
        assert_eq!((view.acks, view.timeout_ms), (message.acks, message.timeout_ms));
        assert_eq!(view.topic_data.len(), message.topic_data.len());
        for (topic, wanted) in view.topic_data.iter().zip(&message.topic_data) {
            assert_eq!(
                (topic.name, topic.topic_id),
                (wanted.name.as_str(), wanted.topic_id)
            );
            assert_eq!(topic.partition_data.len(), wanted.partition_data.len());
            for (partition, wanted) in topic.partition_data.iter().zip(&wanted.partition_data) {
                assert_eq!(partition.index, wanted.index);
                let records = partition.records.map(|records| records.slice_of(&body));
                assert_eq!(records, wanted.records.as_ref().map(Records::to_bytes));
            }
        }
    }
}

#[test]
fn a_fetch_view_is_the_owned_request() {
    for (body, version) in bodies("FetchRequest") {
        let view = fetch_request::view::FetchRequest::decode(&body, version).expect("golden bytes");
        let message: fetch_request::FetchRequest = owned(&body, version);
        assert_eq!(view.cluster_id, message.cluster_id.as_deref());
        assert_eq!(
            (view.replica_id, view.max_wait_ms),
            (message.replica_id, message.max_wait_ms)
        );
        assert_eq!(
            (view.min_bytes, view.max_bytes),
            (message.min_bytes, message.max_bytes)
        );
        assert_eq!(
            (view.isolation_level, view.rack_id),
            (message.isolation_level, message.rack_id.as_str())
        );
        assert_eq!(
            (view.session_id, view.session_epoch),
            (message.session_id, message.session_epoch)
        );
        assert_eq!(
            (view.replica_state.replica_id, view.replica_state.replica_epoch),
            (
                message.replica_state.replica_id,
                message.replica_state.replica_epoch
            )
        );
        assert_eq!(view.topics.len(), message.topics.len());
        for (topic, wanted) in view.topics.iter().zip(&message.topics) {
            assert_eq!(
                (topic.topic, topic.topic_id),
                (wanted.topic.as_str(), wanted.topic_id)
            );
            assert_partitions(topic.partitions, &wanted.partitions);
        }
        assert_eq!(
            view.forgotten_topics_data.len(),
            message.forgotten_topics_data.len()
        );
        for (topic, wanted) in view
            .forgotten_topics_data
            .iter()
            .zip(&message.forgotten_topics_data)
        {
            assert_eq!(
                (topic.topic, topic.topic_id),
                (wanted.topic.as_str(), wanted.topic_id)
            );
            assert_eq!(topic.partitions.iter().collect::<Vec<_>>(), wanted.partitions);
        }
    }
}

fn assert_partitions(
    views: ArrayView<'_, fetch_request::view::FetchPartition<'_>>,
    wanted: &[fetch_request::FetchPartition],
) {
    assert_eq!(views.len(), wanted.len());
    for (view, wanted) in views.iter().zip(wanted) {
        assert_eq!(
            (view.partition, view.fetch_offset),
            (wanted.partition, wanted.fetch_offset)
        );
        assert_eq!(view.current_leader_epoch, wanted.current_leader_epoch);
        assert_eq!(view.last_fetched_epoch, wanted.last_fetched_epoch);
        assert_eq!(view.log_start_offset, wanted.log_start_offset);
        assert_eq!(view.partition_max_bytes, wanted.partition_max_bytes);
        assert_eq!(view.replica_directory_id, wanted.replica_directory_id);
        assert_eq!(view.high_watermark, wanted.high_watermark);
    }
}

#[test]
fn a_view_and_the_owned_request_refuse_the_same_cuts() {
    for (body, version) in bodies("ProduceRequest") {
        for length in 0..body.len() {
            let cut = body.slice(..length);
            let mut budget = Budget::after_authentication(length);
            let owned =
                produce_request::ProduceRequest::decode(&mut Reader::new(cut.clone()), version, &mut budget)
                    .is_err();
            let view = produce_request::view::ProduceRequest::decode(&cut, version).is_err();
            assert!(owned && view, "v{version} cut at {length}");
        }
    }
}
