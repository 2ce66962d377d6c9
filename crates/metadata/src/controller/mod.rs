//! The controller: from a request and an image to records and a response. Nothing here changes anything.

mod brokers;
mod create_topics;
mod delete_topics;
mod producer_ids;

use protocol::MetadataRecord;
use types::{BrokerId, Uuid};

pub use brokers::{Registration, bootstrap, register_broker, register_controller, unfence};
pub use create_topics::{CreateTopics, TopicConfigRules, create_topics};
pub use delete_topics::delete_topics;
pub use producer_ids::{PRODUCER_IDS_BLOCK, next_producer_ids};

/// Records to be committed as one batch, and the response that leaves when they are.
#[derive(Debug, Clone)]
pub struct Decision<R> {
    pub records: Vec<MetadataRecord>,
    pub response: R,
}

/// The node that leads new partitions, as long as it is the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnlyNode {
    pub id: BrokerId,
    pub directory_id: Uuid,
}
