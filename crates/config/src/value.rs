//! Reading values by Kafka's rules (`ConfigDef.parseType`).

use crate::Error;
use crate::table::{Kind, Rule, Setting};

/// Whether a value is legal; the trimmed value if so.
pub fn check<'a>(setting: &Setting, value: &'a str) -> Result<&'a str, Error> {
    let value = value.trim();
    let refuse = |wanted: String| {
        let shown = if setting.is_sensitive() { "<hidden>" } else { value };
        Err(Error::Value {
            name: setting.name.to_owned(),
            value: shown.to_owned(),
            wanted,
        })
    };
    match setting.kind {
        Kind::Boolean if boolean(value).is_none() => refuse("true or false is wanted".to_owned()),
        Kind::Int => number(setting, value, i64::from(i32::MIN), i64::from(i32::MAX)).or_else(refuse),
        Kind::Short => number(setting, value, i64::from(i16::MIN), i64::from(i16::MAX)).or_else(refuse),
        Kind::Long => number(setting, value, i64::MIN, i64::MAX).or_else(refuse),
        Kind::Double => fraction(setting, value).or_else(refuse),
        Kind::List => list(value)
            .try_fold(value, |all, word| words(setting, word).map(|_| all))
            .or_else(refuse),
        Kind::Boolean | Kind::String | Kind::Class | Kind::Password => words(setting, value).or_else(refuse),
    }
}

pub fn boolean(value: &str) -> Option<bool> {
    match value.trim() {
        value if value.eq_ignore_ascii_case("true") => Some(true),
        value if value.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The words of a list; an empty value has none.
pub fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|word| !word.is_empty())
}

fn number<'a>(setting: &Setting, value: &'a str, low: i64, high: i64) -> Result<&'a str, String> {
    let (low, high) = match setting.rule {
        Rule::AtLeast(least) => (low.max(least), high),
        Rule::Between(least, most) => (low.max(least), high.min(most)),
        Rule::GzipLevel => (-1, 9),
        _ => (low, high),
    };
    let wanted = || format!("a whole number from {low} to {high} is wanted");
    let parsed: i64 = value.parse().map_err(|_| wanted())?;
    let gzip_zero = setting.rule == Rule::GzipLevel && parsed == 0;
    if (low..=high).contains(&parsed) && !gzip_zero {
        Ok(value)
    } else {
        Err(wanted())
    }
}

fn fraction<'a>(setting: &Setting, value: &'a str) -> Result<&'a str, String> {
    let (low, high) = match setting.rule {
        Rule::Fraction(low, high) => (low, high),
        Rule::Between(low, high) => (low as f64, high as f64),
        _ => (f64::MIN, f64::MAX),
    };
    let parsed: f64 = value.parse().map_err(|_| "a number is wanted".to_owned())?;
    if (low..=high).contains(&parsed) {
        Ok(value)
    } else {
        Err(format!("a number from {low} to {high} is wanted"))
    }
}

fn words<'a>(setting: &Setting, value: &'a str) -> Result<&'a str, String> {
    match setting.rule {
        Rule::OneOf(choices) if !choices.contains(&value) => {
            Err(format!("one of {} is wanted", choices.join(", ")))
        }
        Rule::NonEmpty if value.is_empty() => Err("it cannot be empty".to_owned()),
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Scope, find};

    fn legal(scope: Scope, name: &str, value: &str) -> bool {
        check(find(scope, name).expect("known"), value).is_ok()
    }

    #[test]
    fn limits_hold_at_their_edges() {
        assert!(legal(Scope::Topic, "segment.bytes", "1048576"));
        assert!(!legal(Scope::Topic, "segment.bytes", "1048575"));
        assert!(!legal(Scope::Broker, "num.partitions", "0"));
        assert!(!legal(Scope::Broker, "num.partitions", "2147483648"));
        assert!(legal(Scope::Topic, "cleanup.policy", "compact, delete"));
        assert!(legal(Scope::Topic, "cleanup.policy", ""));
        assert!(!legal(Scope::Topic, "cleanup.policy", "compress"));
        assert!(legal(Scope::Broker, "auto.create.topics.enable", "TRUE"));
        assert!(!legal(Scope::Broker, "auto.create.topics.enable", "yes"));
        assert!(!legal(Scope::Topic, "compression.gzip.level", "0"));
    }

    #[test]
    fn the_error_says_what_is_legal() {
        let setting = find(Scope::Topic, "message.timestamp.type").expect("known");
        let error = check(setting, "Never").expect_err("not a type");
        assert_eq!(
            error.to_string(),
            "message.timestamp.type=Never is not legal: one of CreateTime, LogAppendTime is wanted"
        );
    }
}
