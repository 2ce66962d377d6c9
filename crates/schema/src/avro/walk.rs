//! Visiting what a schema declares, each type once, with the path of its first appearance.

use super::model::{AvroSchema, Kind, Record, TypeId};
use crate::Path;

/// Calls `visit` for every type that can be reached, containers before what they hold.
pub(super) fn each_type<E>(
    schema: &AvroSchema,
    visit: &mut dyn FnMut(TypeId, &Path) -> Result<(), E>,
) -> Result<(), E> {
    let mut seen = vec![false; schema.0.types.len()];
    // The parser bounds the depth of the text, not of what names lead to: so a list, not recursion.
    let mut waiting = vec![(schema.root(), Path::root())];
    while let Some((id, path)) = waiting.pop() {
        match seen.get_mut(id.0 as usize) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        visit(id, &path)?;
        let from = waiting.len();
        match schema.kind(id) {
            Kind::Array(items) => waiting.push((*items, path.items())),
            Kind::Map(values) => waiting.push((*values, path.values())),
            Kind::Union(branches) => {
                waiting.extend(
                    branches
                        .iter()
                        .map(|branch| (*branch, path.branch(schema.label(*branch)))),
                );
            }
            Kind::Record(record) => {
                waiting.extend(
                    record
                        .fields
                        .iter()
                        .map(|field| (field.schema, path.field(&field.name))),
                );
            }
            _ => {}
        }
        if let Some(added) = waiting.get_mut(from..) {
            added.reverse();
        }
    }
    Ok(())
}

/// Calls `visit` for every record that can be reached.
pub(super) fn each_record<E>(
    schema: &AvroSchema,
    visit: &mut dyn FnMut(&Record, &Path) -> Result<(), E>,
) -> Result<(), E> {
    each_type(schema, &mut |id, path| match schema.kind(id) {
        Kind::Record(record) => visit(record, path),
        _ => Ok(()),
    })
}

/// How deep types stand inside each other when each is written out where it is first used, at most.
///
/// References can chain names far beyond the depth of any one text; what prints a schema goes that deep.
pub(super) fn depth(schema: &AvroSchema) -> usize {
    let mut seen = vec![false; schema.0.types.len()];
    let mut waiting = vec![(schema.root(), 1)];
    let mut deepest = 0;
    while let Some((id, depth)) = waiting.pop() {
        match seen.get_mut(id.0 as usize) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        deepest = deepest.max(depth);
        match schema.kind(id) {
            Kind::Array(inner) | Kind::Map(inner) => waiting.push((*inner, depth + 1)),
            Kind::Union(branches) => waiting.extend(branches.iter().rev().map(|branch| (*branch, depth + 1))),
            Kind::Record(record) => waiting.extend(record.fields.iter().rev().map(|f| (f.schema, depth + 1))),
            _ => {}
        }
    }
    deepest
}
