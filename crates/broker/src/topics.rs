//! The topics that this node serves, by name and by id.

use std::sync::Arc;

use parking_lot::RwLock;
use protocol::Str;
use rustc_hash::FxHashMap;
use types::{TopicId, TopicName};

use crate::partition::Partition;

/// A topic and the partitions of it that are led here.
pub struct Topic {
    pub name: TopicName,
    /// The name as requests and answers have it.
    pub wire_name: Str,
    pub id: TopicId,
    /// By index; none where the partition is not ready.
    partitions: RwLock<Vec<Option<Arc<Partition>>>>,
}

impl Topic {
    pub fn new(name: TopicName, id: TopicId) -> Topic {
        Topic {
            wire_name: Str::from(name.as_str()),
            name,
            id,
            partitions: RwLock::default(),
        }
    }

    pub fn partition(&self, index: i32) -> Option<Arc<Partition>> {
        let index = usize::try_from(index).ok()?;
        self.partitions.read().get(index)?.clone()
    }

    pub fn partitions(&self) -> Vec<Arc<Partition>> {
        self.partitions.read().iter().flatten().cloned().collect()
    }

    /// Which of the first `count` partitions cannot be served: not there, or offline. One look for all of them.
    pub fn unserved(&self, count: usize) -> Vec<bool> {
        let partitions = self.partitions.read();
        let mut unserved = vec![true; count];
        for (unserved, partition) in unserved.iter_mut().zip(partitions.iter()) {
            *unserved = partition.as_ref().is_none_or(|live| live.is_offline());
        }
        unserved
    }

    pub fn put(&self, partition: Arc<Partition>) {
        let Ok(index) = usize::try_from(partition.index.0) else {
            return;
        };
        let mut partitions = self.partitions.write();
        if partitions.len() <= index {
            partitions.resize(index + 1, None);
        }
        if let Some(place) = partitions.get_mut(index) {
            *place = Some(partition);
        }
    }
}

#[derive(Default)]
struct Maps {
    by_name: FxHashMap<TopicName, Arc<Topic>>,
    by_id: FxHashMap<TopicId, Arc<Topic>>,
}

/// All topics. Readers share one short lock.
#[derive(Default)]
pub struct Topics {
    maps: RwLock<Maps>,
}

impl Topics {
    pub fn by_name(&self, name: &str) -> Option<Arc<Topic>> {
        self.maps.read().by_name.get(name).cloned()
    }

    pub fn by_id(&self, id: TopicId) -> Option<Arc<Topic>> {
        self.maps.read().by_id.get(&id).cloned()
    }

    pub fn insert(&self, topic: Arc<Topic>) {
        let mut maps = self.maps.write();
        maps.by_id.insert(topic.id, topic.clone());
        maps.by_name.insert(topic.name.clone(), topic);
    }

    pub fn remove(&self, id: TopicId) -> Option<Arc<Topic>> {
        let mut maps = self.maps.write();
        let topic = maps.by_id.remove(&id)?;
        // The name may belong to a newer topic already.
        if maps
            .by_name
            .get(topic.name.as_str())
            .is_some_and(|named| named.id == id)
        {
            maps.by_name.remove(topic.name.as_str());
        }
        Some(topic)
    }

    pub fn all(&self) -> Vec<Arc<Topic>> {
        self.maps.read().by_id.values().cloned().collect()
    }
}
