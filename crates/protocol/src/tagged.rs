//! Tagged fields that a definition does not know.

use bytes::Bytes;

use crate::{Budget, DecodeError};

/// Unknown tags that one struct may carry.
pub(crate) const TAGS_MAX: usize = 64;

type Field = (u32, Bytes);

/// Unknown tags in the order in which they came. One word while there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(clippy::box_collection, reason = "one word instead of three in every message")]
pub struct TaggedFields(Option<Box<Vec<Field>>>);

impl TaggedFields {
    pub fn iter(&self) -> impl Iterator<Item = &(u32, Bytes)> {
        self.0.iter().flat_map(|fields| fields.iter())
    }

    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |fields| fields.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps a tag that came over the wire. The memory is charged before it is taken, and grows by what is charged:
    /// one field at first, since a struct with one unknown tag is the usual case, then double.
    pub(crate) fn keep(&mut self, tag: u32, value: Bytes, budget: &mut Budget) -> Result<(), DecodeError> {
        if TAGS_MAX <= self.len() {
            return Err(DecodeError::TooManyTags { max: TAGS_MAX });
        }
        budget.charge_unknown(value.len())?;
        if self.0.is_none() {
            budget.charge(size_of::<Vec<Field>>())?;
        }
        let fields = self.0.get_or_insert_default();
        if fields.len() == fields.capacity() {
            let more = fields.len().max(1);
            // The old and the new place exist at once while the fields move.
            budget.charge((fields.len() + more) * size_of::<Field>())?;
            fields.reserve_exact(more);
        }
        fields.push((tag, value));
        Ok(())
    }

    pub fn push(&mut self, tag: u32, value: Bytes) {
        self.0.get_or_insert_default().push((tag, value));
    }
}
