//! Which logical type a type has. One that does not fit its type is ignored, as the specification asks.

use super::model::{Kind, LogicalType};
use crate::text::Json;

/// The logical type that `props` name, when it is legal on `kind`.
pub(super) fn logical_type(kind: &Kind, props: &[(String, Json)]) -> Option<LogicalType> {
    let member = |name: &str| props.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let found = match (member("logicalType")?.as_str()?, kind) {
        ("decimal", Kind::Bytes | Kind::Fixed(_)) => {
            return decimal(kind, member("precision")?, member("scale"));
        }
        ("big-decimal", Kind::Bytes) => LogicalType::BigDecimal,
        ("uuid", Kind::String) => LogicalType::Uuid,
        ("uuid", Kind::Fixed(fixed)) if fixed.size == 16 => LogicalType::Uuid,
        ("duration", Kind::Fixed(fixed)) if fixed.size == 12 => LogicalType::Duration,
        ("date", Kind::Int) => LogicalType::Date,
        ("time-millis", Kind::Int) => LogicalType::TimeMillis,
        ("time-micros", Kind::Long) => LogicalType::TimeMicros,
        ("timestamp-millis", Kind::Long) => LogicalType::TimestampMillis,
        ("timestamp-micros", Kind::Long) => LogicalType::TimestampMicros,
        ("timestamp-nanos", Kind::Long) => LogicalType::TimestampNanos,
        ("local-timestamp-millis", Kind::Long) => LogicalType::LocalTimestampMillis,
        ("local-timestamp-micros", Kind::Long) => LogicalType::LocalTimestampMicros,
        ("local-timestamp-nanos", Kind::Long) => LogicalType::LocalTimestampNanos,
        _ => return None,
    };
    Some(found)
}

fn decimal(kind: &Kind, precision: &Json, scale: Option<&Json>) -> Option<LogicalType> {
    let precision = u32::try_from(precision.as_i64()?)
        .ok()
        .filter(|digits| *digits > 0)?;
    let scale = match scale {
        None => 0,
        Some(scale) => u32::try_from(scale.as_i64()?).ok()?,
    };
    let fits = match kind {
        Kind::Fixed(fixed) => precision <= digits_of(fixed.size),
        _ => true,
    };
    (scale <= precision && fits).then_some(LogicalType::Decimal { precision, scale })
}

/// Decimal digits that every signed integer of `bytes` bytes can hold: floor(log10(2^(8n-1) - 1)).
fn digits_of(bytes: usize) -> u32 {
    let bits = (bytes as f64 * 8.0 - 1.0).max(0.0);
    // 2^bits is no power of ten above 1, so the -1 does not change the floor.
    (bits * std::f64::consts::LOG10_2).floor() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avro::AvroSchema;

    fn logical(text: &str) -> Option<LogicalType> {
        let schema = AvroSchema::parse(text).unwrap();
        schema.get(schema.root()).logical
    }

    #[test]
    fn a_fixed_holds_the_digits_of_its_largest_number() {
        // 127, 32767, 2^63-1, 2^127-1.
        assert_eq!([1, 2, 8, 16].map(digits_of), [2, 4, 18, 38]);
        assert_eq!(digits_of(0), 0);
    }

    #[test]
    fn decimal_needs_precision_and_a_scale_within_it() {
        let decimal = |precision, scale| Some(LogicalType::Decimal { precision, scale });
        assert_eq!(
            logical(r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}"#),
            decimal(4, 2)
        );
        assert_eq!(
            logical(r#"{"type":"bytes","logicalType":"decimal","precision":4}"#),
            decimal(4, 0)
        );
        assert_eq!(
            logical(r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":5}"#),
            None
        );
        assert_eq!(
            logical(r#"{"type":"bytes","logicalType":"decimal","precision":0}"#),
            None
        );
        assert_eq!(logical(r#"{"type":"bytes","logicalType":"decimal"}"#), None);
        let fixed = |precision: u32| {
            logical(&format!(
                r#"{{"type":"fixed","name":"D","size":2,"logicalType":"decimal","precision":{precision}}}"#
            ))
        };
        assert_eq!(fixed(4), decimal(4, 0));
        assert_eq!(fixed(5), None);
    }

    #[test]
    fn a_logical_type_on_the_wrong_type_is_ignored() {
        for text in [
            r#"{"type":"long","logicalType":"date"}"#,
            r#"{"type":"int","logicalType":"timestamp-millis"}"#,
            r#"{"type":"fixed","name":"D","size":11,"logicalType":"duration"}"#,
            r#"{"type":"fixed","name":"U","size":15,"logicalType":"uuid"}"#,
            r#"{"type":"string","logicalType":"pigeon"}"#,
        ] {
            assert_eq!(logical(text), None, "{text}");
        }
        assert_eq!(
            logical(r#"{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}"#),
            Some(LogicalType::Uuid)
        );
        assert_eq!(
            logical(r#"{"type":"long","logicalType":"local-timestamp-nanos"}"#),
            Some(LogicalType::LocalTimestampNanos)
        );
    }
}
