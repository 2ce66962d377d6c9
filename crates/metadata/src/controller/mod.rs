//! The controller: from a request and an image to records and a response. Nothing here changes anything.

mod brokers;
mod configs;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod producer_ids;
mod transaction;

use protocol::MetadataRecord;
use types::{BrokerId, Uuid};

pub use brokers::{Registration, bootstrap, register_broker, register_controller, unfence};
pub use configs::{AlterConfigs, Alteration, Altered, Change, Changes, ConfigRules, Refusal, alter_configs};
pub use create_partitions::create_partitions;
pub use create_topics::{CreateTopics, TopicConfigRules, create_topics};
pub use delete_topics::delete_topics;
pub use producer_ids::{PRODUCER_IDS_BLOCK, next_producer_ids};
pub use transaction::{RECORDS_PER_BATCH_MAX, abort, in_batches};

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
