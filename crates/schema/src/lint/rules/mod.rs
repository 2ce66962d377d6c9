//! The table: every rule, a family a file.

mod documents;
mod events;
mod evolution;
mod json;
mod lake;
mod meaning;
mod names;
mod privacy;
mod protobuf;
mod shapes;
mod shared;
mod values;

use super::Rule;

/// Every rule, by family, in the order of their ids.
pub static RULES: &[&[Rule]] = &[
    documents::RULES,
    names::RULES,
    shapes::RULES,
    values::RULES,
    meaning::RULES,
    events::RULES,
    privacy::RULES,
    evolution::RULES,
    shared::RULES,
    lake::RULES,
    json::RULES,
    protobuf::RULES,
];

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().flatten().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests;
