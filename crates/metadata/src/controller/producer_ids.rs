//! Producer ids, handed to brokers in blocks (`ProducerIdControlManager`).

use protocol::MetadataRecord;
use protocol::record_schemas::metadata::producer_ids_record::ProducerIdsRecord;
use types::BrokerId;

use super::Decision;
use crate::MetadataImage;

/// Ids in a block.
pub const PRODUCER_IDS_BLOCK: i64 = 1000;

/// The next block: its first id is the response.
pub fn next_producer_ids(image: &MetadataImage, broker: BrokerId) -> Option<Decision<i64>> {
    let first = image.next_producer_id();
    let next_producer_id = first.checked_add(PRODUCER_IDS_BLOCK)?;
    let broker_epoch = image.broker(broker).map_or(-1, |broker| broker.epoch);
    let record: MetadataRecord = ProducerIdsRecord {
        broker_id: broker.0,
        broker_epoch,
        next_producer_id,
        ..Default::default()
    }
    .into();
    Some(Decision {
        records: vec![record],
        response: first,
    })
}
