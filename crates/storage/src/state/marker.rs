//! What a control batch of a transaction says (`EndTransactionMarker`; trap 86).

use record::{BatchHeader, ControlType, HEADER_BYTES};

/// The end of a producer's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// It ends by being undone.
    pub aborts: bool,
    /// The coordinator that wrote it.
    pub coordinator_epoch: i32,
    /// `transaction.version` of the cluster: from 2 on a marker's producer epoch is a new one. Not in the log.
    pub transaction_version: i16,
}

impl Marker {
    /// The marker in a control batch; `None` for any other batch, and for control types that are not ours to know.
    pub fn of_batch(header: &BatchHeader, batch: &[u8]) -> Option<Marker> {
        if !header.is_control() {
            return None;
        }
        let first = record::walk(header, batch.get(HEADER_BYTES..)?).next()?.ok()?;
        let aborts = match ControlType::from_key(first.key?)? {
            ControlType::Abort => true,
            ControlType::Commit => false,
            _ => return None,
        };
        // A version, then the epoch.
        let epoch = first.value?.get(2..)?.first_chunk().copied()?;
        Some(Marker {
            aborts,
            coordinator_epoch: i32::from_be_bytes(epoch),
            transaction_version: 0,
        })
    }
}
