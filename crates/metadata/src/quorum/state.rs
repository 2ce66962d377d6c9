//! `quorum-state`: which epoch this voter is in, and whom it voted for. Kafka's JSON, version 1.

use serde::{Deserialize, Serialize};
use types::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuorumState {
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub voted_id: i32,
    pub voted_directory_id: String,
    #[serde(rename = "data_version")]
    pub data_version: i32,
}

impl QuorumState {
    /// This node leads its epoch.
    pub fn leading(node_id: i32, epoch: i32) -> QuorumState {
        QuorumState {
            leader_id: node_id,
            leader_epoch: epoch,
            voted_id: -1,
            voted_directory_id: Uuid::ZERO.to_string(),
            data_version: 1,
        }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn from_json(text: &str) -> Result<QuorumState, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_kafkas() {
        let text = r#"{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}"#;
        assert_eq!(QuorumState::leading(1, 1).to_json(), text);
        assert_eq!(QuorumState::from_json(text), Ok(QuorumState::leading(1, 1)));
    }
}
