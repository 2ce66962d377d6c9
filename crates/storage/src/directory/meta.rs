//! `meta.properties`: whose directory this is. Kafka's keys and two of ours.

use std::collections::BTreeMap;
use std::path::Path;

use os::Os;
use types::Uuid;

use crate::{Error, Identity};

const FILE: &str = "meta.properties";
const FORMAT: &str = "1";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) cluster_id: String,
    pub(super) directory_id: Uuid,
}

/// Reads the file, or writes it into a directory that has none.
pub(super) fn read_or_create(os: &Os, path: &Path, identity: &Identity) -> Result<Meta, Error> {
    let file = path.join(FILE);
    if !os.disk.exists(&file) {
        let meta = Meta {
            cluster_id: identity
                .cluster_id
                .clone()
                .unwrap_or_else(|| os.random.uuid().to_string()),
            directory_id: os.random.uuid(),
        };
        let text = format!(
            "version=1\ncluster.id={}\nnode.id={}\ndirectory.id={}\nottla.format={FORMAT}\nottla.streams=1\n",
            meta.cluster_id, identity.node_id, meta.directory_id
        );
        os.disk
            .write_atomically(&file, text.as_bytes())
            .map_err(|error| Error::io(&file, error))?;
        return Ok(meta);
    }
    let bytes = os.disk.read(&file).map_err(|error| Error::io(&file, error))?;
    let text = String::from_utf8_lossy(&bytes);
    check(&file, &text, identity)
}

fn check(file: &Path, text: &str, identity: &Identity) -> Result<Meta, Error> {
    let unusable = |reason: String| Error::Unusable {
        path: file.to_owned(),
        reason,
    };
    let keys: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let get = |key: &str| {
        keys.get(key)
            .copied()
            .ok_or_else(|| unusable(format!("{key} is missing")))
    };
    if get("ottla.format")? != FORMAT {
        return Err(unusable(format!(
            "its format {} is not {FORMAT}",
            get("ottla.format")?
        )));
    }
    if get("ottla.streams")? != "1" {
        return Err(unusable("more than one stream is not served yet".to_owned()));
    }
    let node = identity.node_id.to_string();
    if get("node.id")? != node {
        return Err(unusable(format!(
            "it belongs to node {}, this is node {node}",
            get("node.id")?
        )));
    }
    let cluster_id = get("cluster.id")?.to_owned();
    if identity
        .cluster_id
        .as_ref()
        .is_some_and(|wanted| *wanted != cluster_id)
    {
        return Err(unusable(format!("it belongs to cluster {cluster_id}")));
    }
    let directory_id = get("directory.id")?
        .parse()
        .map_err(|error| unusable(format!("{error}")))?;
    Ok(Meta {
        cluster_id,
        directory_id,
    })
}

#[cfg(test)]
mod tests {
    use types::BrokerId;

    use super::*;

    #[test]
    fn another_nodes_directory_is_refused() {
        let text =
            "cluster.id=c\nnode.id=1\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\nottla.format=1\nottla.streams=1\n";
        let check = |node| {
            let identity = Identity {
                cluster_id: None,
                node_id: BrokerId(node),
            };
            check(Path::new("m"), text, &identity).map_err(|error| error.to_string())
        };
        assert!(check(1).is_ok());
        assert_eq!(
            check(2),
            Err("m cannot be used: it belongs to node 1, this is node 2".to_owned())
        );
    }
}
