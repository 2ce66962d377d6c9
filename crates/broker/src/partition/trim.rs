//! DeleteRecords on one partition: its beginning moves up (`Partition.deleteRecordsOnLeader`; trap 60).

use types::{ErrorCode, Offset};

use super::Partition;

/// Asks for everything that is committed.
const UP_TO_HIGH_WATERMARK: i64 = -1;

impl Partition {
    /// Gives up everything below `before`, and says where the partition begins from now on.
    pub fn delete_records(&self, before: i64) -> Result<Offset, ErrorCode> {
        if self.is_offline() {
            return Err(ErrorCode::KafkaStorageError);
        }
        // What compaction alone may remove is not a client's to delete.
        if !self.settings().deletes {
            return Err(ErrorCode::PolicyViolation);
        }
        let high_watermark = self.high_watermark();
        let before = if before == UP_TO_HIGH_WATERMARK {
            high_watermark
        } else {
            Offset(before)
        };
        if before.0 < 0 || high_watermark < before {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        self.log.advance_start(before).map_err(|error| {
            tracing::error!(topic = %self.topic, partition = %self.index, %error, action = "free room on the disk of log.dirs, or check it", "records could not be deleted");
            ErrorCode::KafkaStorageError
        })?;
        Ok(self.log.log_start())
    }
}
