//! Records of parts that are not built yet (ACLs, credentials, quotas, tokens): nothing looks at them, and no snapshot
//! may lose them.

use protocol::MetadataRecord;

/// The newest record of each thing, in a stable order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kept(rpds::RedBlackTreeMapSync<Key, MetadataRecord>);

/// The record type in Kafka's numbers, and what is unique in it.
type Key = (i16, String);

impl Kept {
    /// Keeps the record, or forgets what it removes. A record of no known kind has no state.
    pub(crate) fn apply(&mut self, record: &MetadataRecord) {
        match change(record) {
            Some(Change::Put(key)) => self.0.insert_mut(key, record.clone()),
            Some(Change::Remove(key)) => {
                self.0.remove_mut(&key);
            }
            None => {}
        }
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &MetadataRecord> {
        self.0.values()
    }
}

enum Change {
    Put(Key),
    Remove(Key),
}

const QUOTA: i16 = 14;
const SCRAM: i16 = 11;
const ACL: i16 = 18;
const TOKEN: i16 = 10;

fn change(record: &MetadataRecord) -> Option<Change> {
    use MetadataRecord::*;
    let scram = |name: &str, mechanism: i8| (SCRAM, format!("{mechanism} {name}"));
    Some(match record {
        AccessControlEntryRecord(record) => Change::Put((ACL, record.id.to_string())),
        RemoveAccessControlEntryRecord(record) => Change::Remove((ACL, record.id.to_string())),
        UserScramCredentialRecord(record) => Change::Put(scram(&record.name, record.mechanism)),
        RemoveUserScramCredentialRecord(record) => Change::Remove(scram(&record.name, record.mechanism)),
        DelegationTokenRecord(record) => Change::Put((TOKEN, record.token_id.to_string())),
        RemoveDelegationTokenRecord(record) => Change::Remove((TOKEN, record.token_id.to_string())),
        ClientQuotaRecord(record) => {
            let entity: Vec<(&str, Option<&str>)> = record
                .entity
                .iter()
                .map(|part| (part.entity_type.as_str(), part.entity_name.as_deref()))
                .collect();
            let key = (QUOTA, format!("{} {entity:?}", record.key.as_str()));
            if record.remove {
                Change::Remove(key)
            } else {
                Change::Put(key)
            }
        }
        _ => return None,
    })
}
