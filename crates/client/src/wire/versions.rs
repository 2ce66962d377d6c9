//! What a broker serves, and the version that both sides speak (KIP-35, KIP-511).

use std::ops::RangeInclusive;

use protocol::ApiKey;
use protocol::messages::api_versions_response::ApiVersionsResponse;
use rustc_hash::FxHashMap;

use crate::{Error, Result};

/// The request keys and features of a broker.
///
/// ```
/// # testkit::with_node(async |servers| -> client::Result<()> {
/// # let client = client::Client::new(client::ClientConfig::new(&servers))?;
/// let versions = client.versions(client::To::Any).await?;
/// for (key, range) in versions.all() {
///     println!("key {key} in versions {range:?}");
/// }
/// # Ok(())
/// # });
/// ```
#[derive(Debug, Clone, Default)]
pub struct Versions {
    keys: FxHashMap<i16, (i16, i16)>,
    features: Vec<Feature>,
    finalized_epoch: i64,
}

/// A feature of a cluster (KIP-584).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Its name, such as `metadata.version`.
    pub name: String,
    /// The levels that the broker supports.
    pub supported: (i16, i16),
    /// The level that the cluster uses, if it is finalized.
    pub finalized: Option<i16>,
}

impl Versions {
    pub(crate) fn new(response: &ApiVersionsResponse) -> Versions {
        let keys = response
            .api_keys
            .iter()
            .map(|api| (api.api_key, (api.min_version, api.max_version)));
        let features = response.supported_features.iter().map(|supported| {
            let finalized = response
                .finalized_features
                .iter()
                .find(|one| one.name == supported.name);
            Feature {
                name: supported.name.as_str().to_owned(),
                supported: (supported.min_version, supported.max_version),
                finalized: finalized.map(|one| one.max_version_level),
            }
        });
        Versions {
            keys: keys.collect(),
            features: features.collect(),
            finalized_epoch: response.finalized_features_epoch,
        }
    }

    /// The versions of a key that the broker serves.
    pub fn of(&self, key: ApiKey) -> Option<RangeInclusive<i16>> {
        self.keys.get(&key.code()).map(|(low, high)| *low..=*high)
    }

    /// Every key number that the broker serves with its versions, ascending; keys that Kafka 4.3 does not have too.
    pub fn all(&self) -> Vec<(i16, RangeInclusive<i16>)> {
        let mut all: Vec<_> = self
            .keys
            .iter()
            .map(|(key, (low, high))| (*key, *low..=*high))
            .collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }

    /// The broker's features.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The epoch of the finalized features; -1 if there are none.
    pub fn finalized_epoch(&self) -> i64 {
        self.finalized_epoch
    }

    /// The highest version in `ours` that the broker serves.
    pub(crate) fn choose(&self, key: ApiKey, ours: &RangeInclusive<i16>, address: &str) -> Result<i16> {
        let theirs = self.of(key);
        let common = theirs.as_ref().and_then(|theirs| {
            let version = *ours.end().min(theirs.end());
            (*ours.start().max(theirs.start()) <= version).then_some(version)
        });
        common.ok_or_else(|| Error::UnsupportedVersion {
            key,
            ours: range(ours),
            theirs: theirs.as_ref().map_or("it has no such request".into(), range),
            address: address.to_owned(),
        })
    }
}

fn range(versions: &RangeInclusive<i16>) -> String {
    format!("{} to {}", versions.start(), versions.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_common_version_is_chosen() {
        let mut versions = Versions::default();
        versions.keys.insert(ApiKey::Fetch.code(), (4, 12));
        assert_eq!(versions.choose(ApiKey::Fetch, &(4..=18), "").ok(), Some(12));
        assert_eq!(versions.choose(ApiKey::Fetch, &(0..=5), "").ok(), Some(5));
        for (key, ours) in [
            (ApiKey::Fetch, 13..=18),
            (ApiKey::Fetch, 0..=3),
            (ApiKey::Produce, 0..=9),
        ] {
            assert!(matches!(
                versions.choose(key, &ours, ""),
                Err(Error::UnsupportedVersion { .. })
            ));
        }
    }
}
