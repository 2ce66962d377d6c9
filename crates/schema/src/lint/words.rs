//! Names as words: how they are written, and the lists that rules know.

/// The words of a name: `customerId`, `customer_id` and `CUSTOMER_ID` are `customer`, `id`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous = ' ';
    for letter in name.chars() {
        let starts = !letter.is_alphanumeric() || (letter.is_uppercase() && !previous.is_uppercase());
        if starts || words.is_empty() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        previous = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `customer_id`.
pub(super) fn is_snake(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.chars().all(plain)
        && !name.contains("__")
        && !name.ends_with('_')
}

/// `customerId`.
pub(super) fn is_camel(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// `CustomerId`.
pub(super) fn is_pascal(name: &str) -> bool {
    let shouts = name.len() > 1
        && name
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit());
    name.starts_with(|letter: char| letter.is_ascii_uppercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric())
        && !shouts
}

/// `CUSTOMER_ID`.
pub(super) fn is_upper_snake(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_uppercase())
        && name
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
}

/// The name in snake case.
pub(super) fn snake(name: &str) -> String {
    words(name).join("_")
}

/// The words of a text, lower case.
pub(super) fn text_words(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Whether any of `wanted` stands in the text as a word or words of its own.
pub(super) fn says(text: &str, wanted: &[&str]) -> bool {
    let text = format!(" {} ", text_words(text).join(" "));
    wanted.iter().any(|word| text.contains(&format!(" {word} ")))
}

/// Whether the last word of a name is one of `list`.
pub(super) fn ends_with(name: &str, list: &[&str]) -> bool {
    words(name)
        .last()
        .is_some_and(|last| list.contains(&last.as_str()))
}

/// Ends of names, and words in texts, that say what a number counts.
pub(super) const UNITS: &[&str] = &[
    "ns",
    "us",
    "ms",
    "s",
    "seconds",
    "second",
    "minutes",
    "minute",
    "hours",
    "hour",
    "days",
    "day",
    "weeks",
    "months",
    "years",
    "nanoseconds",
    "microseconds",
    "milliseconds",
    "millis",
    "micros",
    "nanos",
    "bytes",
    "byte",
    "bits",
    "kb",
    "mb",
    "gb",
    "kib",
    "mib",
    "gib",
    "cents",
    "percent",
    "pct",
    "ratio",
    "meters",
    "metres",
    "meter",
    "km",
    "kilometers",
    "cm",
    "mm",
    "miles",
    "kg",
    "kilograms",
    "grams",
    "g",
    "mg",
    "pounds",
    "celsius",
    "fahrenheit",
    "kelvin",
    "degrees",
    "degree",
    "radians",
    "watts",
    "kwh",
    "volts",
    "amperes",
    "hertz",
    "hz",
    "count",
    "pieces",
    "items",
    "units",
    "times",
    "dollars",
    "euros",
    "eur",
    "usd",
    "gbp",
    "litres",
    "liters",
    "ml",
    "pixels",
    "px",
    "points",
    "steps",
    "requests",
    "records",
    "messages",
    "events",
    "users",
    "rows",
    "persons",
    "people",
    "seats",
    "stars",
];

/// Phrases in texts that say what a number counts.
pub(super) const COUNTS: &[&str] = &[
    "number of",
    "count of",
    "how many",
    "unit",
    "units of",
    "position of",
    "index of",
    "version",
];

/// Names whose numbers have no unit.
pub(super) const UNITLESS: &[&str] = &[
    "id",
    "ids",
    "version",
    "index",
    "offset",
    "port",
    "number",
    "no",
    "sequence",
    "seq",
    "revision",
    "epoch",
    "partition",
    "year",
    "month",
    "latitude",
    "longitude",
    "lat",
    "lon",
    "code",
    "type",
    "status",
    "flag",
    "hash",
    "ordinal",
    "rank",
];

pub(super) const TIMES: &[&str] = &[
    "time",
    "timestamp",
    "date",
    "datetime",
    "at",
    "ts",
    "day",
    "birthday",
    "deadline",
    "expiry",
    "expires",
];

/// Names of the moment at which an event happened.
pub(super) const EVENT_TIMES: &[&str] = &[
    "time",
    "event_time",
    "occurred_at",
    "happened_at",
    "event_timestamp",
    "timestamp",
    "event_at",
    "ts",
];

pub(super) const MONEY: &[&str] = &[
    "price", "amount", "cost", "fee", "tax", "salary", "balance", "revenue", "payment", "discount", "refund",
    "charge", "subtotal",
];

/// Names whose strings hold one of a few words.
pub(super) const CHOICES: &[&str] = &[
    "status", "type", "kind", "state", "level", "category", "priority", "severity", "mode",
];

pub(super) const ABBREVIATIONS: &[(&str, &str)] = &[
    ("usr", "user"),
    ("acct", "account"),
    ("qty", "quantity"),
    ("ts", "time"),
    ("cust", "customer"),
    ("prod", "product"),
    ("amt", "amount"),
    ("addr", "address"),
    ("desc", "description"),
    ("msg", "message"),
    ("num", "number"),
    ("pmt", "payment"),
    ("txn", "transaction"),
    ("dt", "date"),
    ("cnt", "count"),
    ("org", "organization"),
    ("tel", "telephone"),
    ("val", "value"),
    ("cat", "category"),
    ("mgr", "manager"),
    ("dept", "department"),
];

pub(super) const PERSONAL: &[&str] = &[
    "email",
    "phone",
    "telephone",
    "mobile",
    "ssn",
    "iban",
    "dob",
    "birthday",
    "birthdate",
    "passport",
    "surname",
];
/// Words that only together name something personal.
pub(super) const PERSONAL_PAIRS: &[(&str, &str)] = &[
    ("first", "name"),
    ("last", "name"),
    ("full", "name"),
    ("family", "name"),
    ("birth", "date"),
    ("date", "birth"),
    ("credit", "card"),
    ("card", "number"),
    ("tax", "id"),
    ("street", "address"),
    ("home", "address"),
    ("ip", "address"),
    ("national", "id"),
    ("driving", "licence"),
];

pub(super) const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "credential",
    "credentials",
    "pin",
    "cvv",
    "cvc",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_words_however_it_is_written() {
        for name in [
            "customerId",
            "customer_id",
            "CUSTOMER_ID",
            "CustomerId",
            "customer-id",
        ] {
            assert_eq!(words(name), ["customer", "id"], "{name}");
        }
        assert_eq!(words("HTTPCode"), ["httpcode"]);
        assert_eq!(words("_"), Vec::<String>::new());
    }

    #[test]
    fn cases_are_told_apart() {
        assert!(is_snake("order_id") && !is_snake("orderId") && !is_snake("order__id") && !is_snake("_a"));
        assert!(is_camel("orderId") && is_camel("order") && !is_camel("order_id"));
        assert!(is_pascal("OrderLine") && is_pascal("A") && !is_pascal("ORDER") && !is_pascal("orderLine"));
        assert!(is_upper_snake("NOT_PAID") && !is_upper_snake("Paid"));
    }
}
