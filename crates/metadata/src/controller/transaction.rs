//! Metadata transactions: what one decision needs more than a batch for, and what a dead leader left open (KIP-868).

use protocol::MetadataRecord;
use protocol::record_schemas::metadata::abort_transaction_record::AbortTransactionRecord;
use protocol::record_schemas::metadata::begin_transaction_record::BeginTransactionRecord;
use protocol::record_schemas::metadata::end_transaction_record::EndTransactionRecord;

/// Records of a decision that go into one batch: Kafka's own bound (`QuorumController.MAX_RECORDS_PER_BATCH`), which a
/// controller of Apache's reads without trouble.
pub const RECORDS_PER_BATCH_MAX: usize = 10_000;

/// The batches of one decision. More than one are held together by a transaction: all of them count, or none.
pub fn in_batches(records: Vec<MetadataRecord>) -> Vec<Vec<MetadataRecord>> {
    if records.len() <= RECORDS_PER_BATCH_MAX {
        return vec![records];
    }
    let begin = BeginTransactionRecord {
        name: Some("one decision in several batches".into()),
        ..Default::default()
    };
    let mut batches = vec![vec![begin.into()]];
    let mut records = records.into_iter();
    loop {
        let batch: Vec<MetadataRecord> = records.by_ref().take(RECORDS_PER_BATCH_MAX).collect();
        if batch.is_empty() {
            break;
        }
        batches.push(batch);
    }
    batches.push(vec![EndTransactionRecord::default().into()]);
    batches
}

/// Nothing of the open transaction counts.
pub fn abort(reason: &str) -> MetadataRecord {
    AbortTransactionRecord {
        reason: Some(reason.into()),
        ..Default::default()
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_of_many_records_is_one_transaction() {
        let some = |count: usize| vec![abort("x"); count];
        assert_eq!(in_batches(some(RECORDS_PER_BATCH_MAX)).len(), 1);
        let batches = in_batches(some(RECORDS_PER_BATCH_MAX * 2 + 1));
        let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, RECORDS_PER_BATCH_MAX, RECORDS_PER_BATCH_MAX, 1, 1]);
        assert!(matches!(batches[0][0], MetadataRecord::BeginTransactionRecord(_)));
        assert!(matches!(batches[4][0], MetadataRecord::EndTransactionRecord(_)));
    }
}
