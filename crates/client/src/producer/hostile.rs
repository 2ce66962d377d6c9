//! What the producer makes of answers, laid open for the harness of changed bytes (`crate::hostile`).

use std::sync::Arc;

use bytes::Bytes;
use protocol::ApiKey;
use protocol::messages::produce_response::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};
use types::Uuid;

use super::accumulator::{Item, TopicName};
use super::queue::Drained;
use super::request::outcome;
use super::split;
use crate::Result;

fn honest() -> ProduceResponse {
    let partition = |index| PartitionProduceResponse {
        index,
        error_code: if index == 0 { 0 } else { 6 },
        base_offset: 5,
        error_message: Some("moved".into()),
        current_leader: LeaderIdAndEpoch {
            leader_id: 1,
            leader_epoch: 4,
            ..LeaderIdAndEpoch::default()
        },
        ..PartitionProduceResponse::default()
    };
    ProduceResponse {
        responses: vec![TopicProduceResponse {
            topic_id: Uuid([7; 16]),
            partition_responses: vec![partition(0), partition(1)],
            ..TopicProduceResponse::default()
        }],
        node_endpoints: vec![NodeEndpoint {
            node_id: 1,
            host: "h".into(),
            port: 9,
            ..NodeEndpoint::default()
        }],
        ..ProduceResponse::default()
    }
}

/// Reads a changed answer for each batch that was asked about.
pub(crate) fn read_answer(changed: impl Fn(ApiKey, i16, &ProduceResponse) -> Result<ProduceResponse>) {
    let Ok(answer) = changed(ApiKey::Produce, 13, &honest()) else {
        return;
    };
    let topic = TopicName {
        name: Arc::from("t"),
        id: Uuid([7; 16]),
    };
    for partition in 0..3 {
        let item = Item {
            topic: 0,
            partition,
            batch: Drained {
                number: 0,
                bytes: Bytes::new(),
            },
        };
        let (landed, hint) = outcome(&answer, &topic, &item);
        assert!(landed.is_err() || hint.is_none());
    }
    assert!(split::halves(&Bytes::from_static(&[0; 80])).is_none());
}
