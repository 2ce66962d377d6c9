//! Bounds: of numbers, and of everything that is counted.

use serde_json::Value;

use super::{Check, facts::Writer, types};
use crate::{Path, json::refs::Place};

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bound {
    value: f64,
    exclusive: bool,
}

/// Names of a bound from above or below.
struct Names {
    inclusive: &'static str,
    exclusive: &'static str,
    added: &'static str,
    changed: &'static str,
    exclusive_added: &'static str,
    exclusive_changed: &'static str,
    /// 1 for a bound from above, -1 for one from below: turned round, both are bounds from above.
    sign: f64,
}

const UPPER: Names = Names {
    inclusive: "maximum",
    exclusive: "exclusiveMaximum",
    added: "MAXIMUM_ADDED",
    changed: "MAXIMUM_DECREASED",
    exclusive_added: "EXCLUSIVE_MAXIMUM_ADDED",
    exclusive_changed: "EXCLUSIVE_MAXIMUM_DECREASED",
    sign: 1.0,
};

const LOWER: Names = Names {
    inclusive: "minimum",
    exclusive: "exclusiveMinimum",
    added: "MINIMUM_ADDED",
    changed: "MINIMUM_INCREASED",
    exclusive_added: "EXCLUSIVE_MINIMUM_ADDED",
    exclusive_changed: "EXCLUSIVE_MINIMUM_INCREASED",
    sign: -1.0,
};

impl Names {
    /// The bounds of a schema, turned so that they are from above. In draft 4 the exclusive one is a flag.
    fn bounds(&self, schema: &Value) -> Vec<Bound> {
        let inclusive = schema.get(self.inclusive).and_then(Value::as_f64);
        let exclusive = schema.get(self.exclusive);
        let flag = exclusive.and_then(Value::as_bool).unwrap_or_default();
        let inclusive = inclusive.map(|value| Bound {
            value: self.sign * value,
            exclusive: flag,
        });
        let own = exclusive.and_then(Value::as_f64).map(|value| Bound {
            value: self.sign * value,
            exclusive: true,
        });
        inclusive.into_iter().chain(own).collect()
    }
}

impl Bound {
    /// Everything below `self` is below `other`.
    fn implies(&self, other: &Bound, integers: bool) -> bool {
        let reach = |bound: &Bound| match (bound.exclusive, integers) {
            (true, true) => bound.value.ceil() - 1.0,
            _ => bound.value,
        };
        let exclusive = self.exclusive && !integers;
        let other_exclusive = other.exclusive && !integers;
        let (own, theirs) = (reach(self), reach(other));
        own < theirs || (own == theirs && (exclusive || !other_exclusive))
    }
}

/// Whether a number is inside the bounds of a schema; not told when a multiple is asked for that is no plain fraction.
pub(super) fn holds(schema: &Place<'_>, number: f64) -> Option<bool> {
    for names in [UPPER, LOWER] {
        for bound in names.bounds(schema.value) {
            let turned = names.sign * number;
            if turned > bound.value || (bound.exclusive && turned == bound.value) {
                return Some(false);
            }
        }
    }
    match schema.value.get("multipleOf").and_then(Value::as_f64) {
        None => Some(true),
        Some(step) if step.fract() == 0.0 && number.fract() == 0.0 && step != 0.0 => {
            Some(number % step == 0.0)
        }
        Some(_) => None,
    }
}

/// A bound on a count: its keyword, and how its findings are called.
pub(super) struct Count {
    pub keyword: &'static str,
    pub upper: bool,
    pub added: &'static str,
    pub changed: &'static str,
}

impl<'s> Check<'_, '_> {
    pub(super) fn numbers(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> bool {
        if writer.types & types::NUMBER == 0 {
            return true;
        }
        let integers = writer.types & types::FRACTION == 0;
        let mut passes = true;
        for names in [UPPER, LOWER] {
            let known: Vec<Bound> = writer
                .all
                .iter()
                .flat_map(|place| names.bounds(place.value))
                .collect();
            for wanted in names.bounds(reader.value) {
                if known.iter().any(|bound| bound.implies(&wanted, integers)) {
                    continue;
                }
                let same_kind = known.iter().any(|bound| bound.exclusive == wanted.exclusive);
                let rule = match (wanted.exclusive, same_kind) {
                    (false, false) => names.added,
                    (false, true) => names.changed,
                    (true, false) => names.exclusive_added,
                    (true, true) => names.exclusive_changed,
                };
                let keywords = [names.inclusive, names.exclusive];
                self.say(rule, path, (reader, &keywords), (writer, &keywords));
                passes = false;
            }
        }
        passes & self.multiples(reader, writer, path)
    }

    fn multiples(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> bool {
        let Some(wanted) = reader.value.get("multipleOf").and_then(Value::as_f64) else {
            return true;
        };
        let known: Vec<f64> = writer.get("multipleOf").filter_map(Value::as_f64).collect();
        let whole = writer.types & types::FRACTION == 0;
        let one_fits = whole && divides(wanted, 1.0);
        if one_fits || known.iter().any(|known| divides(wanted, *known)) {
            return true;
        }
        let rule = match known.first() {
            None => "MULTIPLE_OF_ADDED",
            Some(known) if divides(*known, wanted) => "MULTIPLE_OF_EXPANDED",
            Some(_) => "MULTIPLE_OF_CHANGED",
        };
        self.say(rule, path, (reader, &["multipleOf"]), (writer, &["multipleOf"]));
        false
    }

    pub(super) fn strings(&mut self, reader: &Place<'s>, writer: &Writer<'s>, path: &Path) -> bool {
        if writer.types & types::STRING == 0 {
            return true;
        }
        const MOST: Count = Count {
            keyword: "maxLength",
            upper: true,
            added: "MAX_LENGTH_ADDED",
            changed: "MAX_LENGTH_DECREASED",
        };
        const LEAST: Count = Count {
            keyword: "minLength",
            upper: false,
            added: "MIN_LENGTH_ADDED",
            changed: "MIN_LENGTH_INCREASED",
        };
        let passes =
            self.count(&MOST, None, reader, writer, path) & self.count(&LEAST, None, reader, writer, path);
        let Some(pattern) = reader.value.get("pattern").and_then(Value::as_str) else {
            return passes;
        };
        let known: Vec<&str> = writer.get("pattern").filter_map(Value::as_str).collect();
        if known.contains(&pattern) {
            return passes;
        }
        let rule = if known.is_empty() {
            "PATTERN_ADDED"
        } else {
            "PATTERN_CHANGED"
        };
        self.say(rule, path, (reader, &["pattern"]), (writer, &["pattern"]));
        false
    }

    /// A bound on a count; `known` is what else is known of the writer's count.
    pub(super) fn count(
        &mut self,
        count: &Count,
        known: Option<f64>,
        reader: &Place<'s>,
        writer: &Writer<'s>,
        path: &Path,
    ) -> bool {
        let Some(wanted) = reader.value.get(count.keyword).and_then(Value::as_f64) else {
            return true;
        };
        let stated = if count.upper {
            writer.least(count.keyword)
        } else {
            writer.greatest(count.keyword)
        };
        let passes = |has: f64| if count.upper { has <= wanted } else { has >= wanted };
        let nothing = if count.upper { f64::INFINITY } else { 0.0 };
        if passes(nothing) || stated.is_some_and(passes) || known.is_some_and(passes) {
            return true;
        }
        let rule = if stated.is_none() {
            count.added
        } else {
            count.changed
        };
        self.say(rule, path, (reader, &[count.keyword]), (writer, &[count.keyword]));
        false
    }
}

/// Every multiple of `known` is one of `wanted`.
fn divides(wanted: f64, known: f64) -> bool {
    if wanted <= 0.0 {
        return false;
    }
    let ratio = known / wanted;
    ratio.is_finite()
        && ratio.fract() == 0.0
        && ratio * wanted == known
        && (wanted.fract() == 0.0 || is_binary(wanted))
        || wanted == known
}

/// A fraction that 64 bits hold exactly, so that arithmetic with it is exact.
fn is_binary(number: f64) -> bool {
    (number * 1_048_576.0).fract() == 0.0
}
