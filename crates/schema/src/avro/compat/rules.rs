//! The rules between two types that need no others.

use std::collections::HashSet;

use rustc_hash::FxHashMap;

use crate::avro::model::{Enum, Field, Kind, Record};

/// Records with at most this many fields are searched, larger ones through a table.
const SMALL_RECORD: usize = 8;

/// Equal primitives, and the promotions of the specification.
pub(in crate::avro) fn reads_simple(reader: &Kind, writer: &Kind) -> bool {
    use Kind::{Boolean, Bytes, Double, Float, Int, Long, Null, String};
    matches!(
        (reader, writer),
        (Null, Null)
            | (Boolean, Boolean)
            | (Int, Int)
            | (Long, Int | Long)
            | (Float, Int | Long | Float)
            | (Double, Int | Long | Float | Double)
            | (Bytes | String, Bytes | String)
    )
}

/// Named types match when their unqualified names are equal, or the reader knows the writer's full name as an alias.
pub(in crate::avro) fn same_name(reader: &Kind, writer: &Kind) -> bool {
    match (reader.name(), writer.name()) {
        (Some(r), Some(w)) => r.simple() == w.simple() || reader.aliases().contains(w),
        _ => true,
    }
}

/// Symbols of the writer that the reader does not know.
pub(super) fn missing_symbols<'a>(reader: &Enum, writer: &'a Enum) -> Vec<&'a str> {
    if reader.symbols == writer.symbols {
        return Vec::new();
    }
    let known: HashSet<_> = reader.symbols.iter().collect();
    writer
        .symbols
        .iter()
        .filter(|symbol| !known.contains(symbol))
        .map(String::as_str)
        .collect()
}

/// The fields of a large record by name; empty for a small one.
pub(in crate::avro) fn names(record: &Record) -> FxHashMap<&str, usize> {
    if record.fields.len() <= SMALL_RECORD {
        return FxHashMap::default();
    }
    record
        .fields
        .iter()
        .enumerate()
        .map(|(n, field)| (field.name.as_str(), n))
        .collect()
}

/// The writer's field that the reader's `n`th field reads: of its name, else of its first alias that is there.
pub(in crate::avro) fn find_written<'a>(
    field: &Field,
    n: usize,
    writer: &'a Record,
    names: &FxHashMap<&str, usize>,
) -> Option<&'a Field> {
    let find = |name: &str| match names.is_empty() {
        true => writer.fields.iter().find(|field| field.name == name),
        false => names.get(name).and_then(|at| writer.fields.get(*at)),
    };
    // Most fields stand where they stood.
    let same_place = writer.fields.get(n).filter(|written| written.name == field.name);
    same_place
        .or_else(|| find(&field.name))
        .or_else(|| field.aliases.iter().find_map(|alias| find(alias)))
}
