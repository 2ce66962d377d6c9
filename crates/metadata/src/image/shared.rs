//! Lists of directories, kept once: partitions of a cluster lie in few combinations of directories.

use std::collections::BTreeSet;
use std::sync::Arc;

use types::Uuid;

/// Combinations that are remembered. Of a partition in any other the list is its own.
const KEPT_MAX: usize = 4096;

/// What was seen so far. Says nothing of the cluster, so that two images are equal whatever they remember.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared(Arc<BTreeSet<Arc<[Uuid]>>>);

impl PartialEq for Shared {
    fn eq(&self, _: &Shared) -> bool {
        true
    }
}

impl Shared {
    /// The list, shared with whoever has the same.
    pub(crate) fn list(&mut self, directories: &[Uuid]) -> Arc<[Uuid]> {
        if let Some(known) = self.0.get(directories) {
            return known.clone();
        }
        let list: Arc<[Uuid]> = directories.into();
        if self.0.len() < KEPT_MAX {
            Arc::make_mut(&mut self.0).insert(list.clone());
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lists_are_one_list_and_there_is_an_end() {
        let mut shared = Shared::default();
        let first = shared.list(&[Uuid([1; 16])]);
        assert!(Arc::ptr_eq(&first, &shared.list(&[Uuid([1; 16])])));
        for number in 0..2 * KEPT_MAX as u32 {
            let mut id = [9; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            assert_eq!(*shared.list(&[Uuid(id)]), [Uuid(id)]);
        }
        assert_eq!(shared.0.len(), KEPT_MAX);
    }
}
