//! A decision's records as one batch of the offsets topic.

use coordinator::group::{GroupShard, Record};
use record::{BatchBuilder, BatchOptions};
use storage::AppendError;
use types::{ErrorCode, Offset};

use crate::Broker;
use crate::partition::Partition;

/// Appends the records and applies them. One decision is one batch; only tombstones, which can be decided again, may
/// need several.
pub(super) fn append(
    broker: &Broker,
    partition: &Partition,
    shard: &mut GroupShard,
    records: &[Record],
) -> Result<(), ErrorCode> {
    let now_ms = broker.clock.wall_ms();
    let bytes_max = partition.settings().max_message_bytes;
    let may_split = records.iter().all(Record::may_stand_alone);
    let mut rest = records;
    while !rest.is_empty() {
        let mut builder = BatchBuilder::new(BatchOptions {
            codec: broker.coordinators.codec(),
            ..BatchOptions::default()
        });
        let mut count = 0;
        for record in rest {
            let (key, value) = record.encode().map_err(|_| ErrorCode::UnknownServerError)?;
            let bytes = key.len() + value.as_ref().map_or(0, bytes::Bytes::len) + RECORD_OVERHEAD_MAX;
            let is_full = bytes_max < builder.bytes() + bytes;
            if is_full && may_split && 0 < count {
                break;
            }
            builder.push(now_ms, Some(&key), value.as_deref());
            count += 1;
        }
        let (batch, after) = rest.split_at(count);
        append_batch(partition, shard, builder, batch, bytes_max)?;
        rest = after;
    }
    Ok(())
}

/// Lengths, deltas and attributes in front of a record's key and value.
const RECORD_OVERHEAD_MAX: usize = 32;

fn append_batch(
    partition: &Partition,
    shard: &mut GroupShard,
    builder: BatchBuilder,
    records: &[Record],
    bytes_max: usize,
) -> Result<(), ErrorCode> {
    let batch = builder.build().map_err(|_| ErrorCode::UnknownServerError)?;
    if bytes_max < batch.len() {
        return Err(ErrorCode::UnknownServerError);
    }
    let base = partition
        .append_own(&batch)
        .map_err(|error| refused(partition, &error))?;
    for (index, record) in (1..).zip(records) {
        shard.apply(Offset(base.0).plus(index), record);
    }
    Ok(())
}

fn refused(partition: &Partition, error: &AppendError) -> ErrorCode {
    let (topic, index) = (&partition.topic, partition.index);
    tracing::warn!(%topic, partition = %index, %error, "a group coordinator's decision could not be written");
    match error {
        // Passes: clients look for the coordinator again and come back.
        AppendError::Busy | AppendError::Full => ErrorCode::CoordinatorNotAvailable,
        _ => ErrorCode::NotCoordinator,
    }
}
