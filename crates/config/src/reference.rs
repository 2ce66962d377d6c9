//! The reference page of all settings, written from the table.

use std::fmt::Write as _;

use crate::table::{self, Kind, Rule, Setting};

const HEAD: &str = "# Settings

Written from the table in `crates/config/src/table` by its test; change it there. Names, types, defaults and limits are
those of Apache Kafka 4.3; names that begin with `ottla.` are ours. *Can change* says what may be altered while a broker
runs (`kafka-configs --alter`).
";

/// The page `docs/reference/settings.md`.
pub fn reference_markdown() -> String {
    let mut page = HEAD.to_owned();
    for (title, settings) in [
        ("Broker", table::broker_settings()),
        ("Topic", table::topic_settings()),
        ("Group", table::group_settings()),
    ] {
        page.push_str(&format!("\n## {title}\n\n"));
        page.push_str(
            "| name | type | default | legal | can change | what it does |\n|---|---|---|---|---|---|\n",
        );
        settings.iter().for_each(|setting| row(&mut page, setting));
    }
    page
}

fn row(page: &mut String, setting: &Setting) {
    let default = match setting.default {
        None => "none".to_owned(),
        Some("") => "empty".to_owned(),
        Some(default) => format!("`{default}`"),
    };
    let (name, kind, legal) = (setting.name, kind(setting.kind), legal(setting.rule));
    let doc = setting.documentation().replace('|', "\\|");
    // Writing into a string cannot fail.
    let change = if setting.read_only { "no" } else { "yes" };
    let _ = writeln!(
        page,
        "| `{name}` | {kind} | {default} | {legal} | {change} | {doc} |"
    );
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::String => "text",
        Kind::Int | Kind::Short | Kind::Long => "number",
        Kind::Double => "fraction",
        Kind::List => "list",
        Kind::Class => "class",
        Kind::Password => "secret",
    }
}

fn legal(rule: Rule) -> String {
    match rule {
        Rule::Any => String::new(),
        Rule::NonEmpty => "not empty".to_owned(),
        Rule::AtLeast(least) => format!("from {least}"),
        Rule::Between(least, most) => format!("{least} to {most}"),
        Rule::Fraction(least, most) => format!("{least} to {most}"),
        Rule::OneOf(choices) | Rule::SomeOf(choices) | Rule::OneOfAnyCase(choices) => choices.join(", "),
        Rule::GzipLevel => "1 to 9, or -1".to_owned(),
        Rule::Addresses => "host:port, ...".to_owned(),
        Rule::Voters => "id@host:port, ...".to_owned(),
        Rule::Replicas => "partition:broker, ..., or *".to_owned(),
        Rule::OffsetReset => "latest, earliest, by_duration:PnDTnHnMn.nS".to_owned(),
    }
}
