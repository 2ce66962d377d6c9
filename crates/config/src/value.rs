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
        Kind::List => words(setting, value).or_else(refuse),
        Kind::Boolean | Kind::String | Kind::Class | Kind::Password => word(setting, value).or_else(refuse),
    }
}

/// As [`check`], for a value that a client says: a word that a list has twice counts once (KIP-1161).
pub fn check_said<'a>(setting: &Setting, value: &'a str) -> Result<&'a str, Error> {
    if setting.kind == Kind::List {
        check(setting, &once_each(value))?;
        return Ok(value.trim());
    }
    check(setting, value)
}

fn once_each(value: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in value.split(',').map(str::trim) {
        if word.is_empty() || !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(",")
}

/// A legal value as tools see it: parsed and written again (`ConfigDef.convertToString`).
pub fn shown(kind: Kind, value: &str) -> String {
    let value = value.trim();
    match kind {
        Kind::Boolean => value.to_ascii_lowercase(),
        Kind::Int | Kind::Short | Kind::Long => {
            let parsed = value.parse::<i64>();
            parsed.map_or_else(|_| value.to_owned(), |number| number.to_string())
        }
        Kind::Double => value
            .parse::<f64>()
            .map_or_else(|_| value.to_owned(), java_double),
        Kind::List => once_each(value),
        Kind::String | Kind::Class | Kind::Password => value.to_owned(),
    }
}

/// Java's `Double.toString`, for the magnitudes that settings have.
fn java_double(number: f64) -> String {
    let plain = (1e-3..1e7).contains(&number.abs()) || number == 0.0;
    if plain {
        return format!("{number:?}");
    }
    let text = format!("{number:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
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

/// A list: no word comes twice, none is empty.
fn words<'a>(setting: &Setting, value: &'a str) -> Result<&'a str, String> {
    let may_be_empty = !matches!(setting.rule, Rule::SomeOf(_) | Rule::NonEmpty);
    if value.is_empty() {
        return if may_be_empty {
            Ok(value)
        } else {
            Err("it cannot be empty".to_owned())
        };
    }
    if setting.rule == Rule::Replicas && value == "*" {
        return Ok(value);
    }
    let words: Vec<&str> = value.split(',').map(str::trim).collect();
    for (at, said) in words.iter().enumerate() {
        let before = words.get(..at).unwrap_or_default();
        if said.is_empty() || before.contains(said) {
            return Err("a list names each word once, and none is empty".to_owned());
        }
        word(setting, said)?;
    }
    Ok(value)
}

fn word<'a>(setting: &Setting, value: &'a str) -> Result<&'a str, String> {
    let legal = match setting.rule {
        Rule::OneOf(choices) | Rule::SomeOf(choices) => choices.contains(&value),
        Rule::OneOfAnyCase(choices) => choices.iter().any(|choice| choice.eq_ignore_ascii_case(value)),
        Rule::NonEmpty => !value.is_empty(),
        Rule::Addresses => is_address(value),
        Rule::Voters => value
            .split_once('@')
            .is_some_and(|(id, address)| id.parse::<i32>().is_ok() && is_address(address)),
        Rule::Replicas => value
            .split_once(':')
            .is_some_and(|(partition, broker)| is_number(partition) && is_number(broker)),
        Rule::OffsetReset => is_offset_reset(value),
        Rule::Any | Rule::AtLeast(_) | Rule::Between(..) | Rule::Fraction(..) | Rule::GzipLevel => true,
    };
    if legal {
        Ok(value)
    } else {
        Err(wanted(setting.rule))
    }
}

fn wanted(rule: Rule) -> String {
    match rule {
        Rule::OneOf(choices) | Rule::SomeOf(choices) | Rule::OneOfAnyCase(choices) => {
            format!("one of {} is wanted", choices.join(", "))
        }
        Rule::Addresses => "host:port is wanted".to_owned(),
        Rule::Voters => "id@host:port is wanted".to_owned(),
        Rule::Replicas => "partition:broker, or * alone, is wanted".to_owned(),
        Rule::OffsetReset => "latest, earliest or by_duration:PnDTnHnMn.nS is wanted".to_owned(),
        _ => "it cannot be empty".to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit())
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && is_number(port))
}

fn is_offset_reset(value: &str) -> bool {
    match value.strip_prefix("by_duration:") {
        Some(duration) => is_duration(&duration.to_ascii_uppercase()),
        None => matches!(value, "latest" | "earliest"),
    }
}

/// `PnDTnHnMn.nS`: each part may be absent, but not all, and nothing follows `T` only if there is no `T`.
fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else {
        return false;
    };
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (rest, None),
    };
    let days = date.is_empty() || date.strip_suffix('D').is_some_and(is_number);
    let clock = time.map_or(!date.is_empty(), is_clock);
    days && clock
}

/// `nHnMn.nS`, in this order, at least one.
fn is_clock(text: &str) -> bool {
    let mut rest = text;
    for unit in ['H', 'M'] {
        if let Some((number, after)) = rest.split_once(unit) {
            if !is_number(number) {
                return false;
            }
            rest = after;
        }
    }
    let seconds = |text: &str| {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        is_number(whole) && (part.is_empty() || is_number(part))
    };
    !text.is_empty() && (rest.is_empty() || rest.strip_suffix('S').is_some_and(seconds))
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
    fn values_are_shown_as_java_writes_them() {
        for (kind, said, wanted) in [
            (Kind::Int, " +77 ", "77"),
            (Kind::Boolean, " TRUE ", "true"),
            (Kind::Double, "0.50", "0.5"),
            (Kind::Double, "2", "2.0"),
            (Kind::Double, "1e10", "1.0E10"),
            (Kind::Double, "1.7976931348623157E308", "1.7976931348623157E308"),
            (Kind::List, " compact , delete,compact", "compact,delete"),
            (Kind::String, " zstd", "zstd"),
        ] {
            assert_eq!(shown(kind, said), wanted, "{kind:?} {said:?}");
        }
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
