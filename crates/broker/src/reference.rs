//! The reference page of the protocol: which keys and versions are served, beside what Apache Kafka 4.3.1 defines.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use protocol::ApiKey;

use crate::api::{APIS, find};

const HEAD: &str = "# Protocol

Written from the table in `crates/broker/src/api/mod.rs` by its test; change it there. ApiVersions answers from the same
table: a key that is not served is not advertised, and clients do without it. *Defined* is what the message definitions
of Apache Kafka 4.3.1 have.

## Served

| key | API | versions here | defined |
|---|---|---|---|
";

const REST: &str = "
Produce is advertised from version 0, as Kafka does for old clients, although its definition begins at 3.

## Not served

";

/// The page `docs/reference/protocol.md`.
pub fn reference_markdown() -> String {
    let mut page = String::from(HEAD);
    for row in APIS {
        let (key, name) = (row.key.code(), row.key.name());
        let (here, defined) = (said(&row.versions), said(&row.key.valid_versions()));
        let _ = writeln!(page, "| {key} | {name} | {here} | {defined} |");
    }
    page.push_str(REST);
    let missing = ApiKey::ALL.iter().filter(|key| find(key.code()).is_none());
    let names: Vec<String> = missing
        .map(|key| format!("{} ({})", key.name(), key.code()))
        .collect();
    let _ = writeln!(page, "{}.", names.join(", "));
    page
}

fn said(versions: &RangeInclusive<i16>) -> String {
    match (versions.start(), versions.end()) {
        (low, high) if high < low => "none".to_owned(),
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{low} to {high}"),
    }
}
