//! The one table of settings.

mod broker;
mod group;
mod topic;
mod words;

/// A setting's type, as Kafka's `ConfigDef.Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
}

impl Kind {
    /// Kafka's number for it in DescribeConfigs (`ConfigDef.Type` as `DescribeConfigsResponse.ConfigType`).
    pub fn code(self) -> i8 {
        match self {
            Kind::Boolean => 1,
            Kind::String => 2,
            Kind::Int => 3,
            Kind::Short => 4,
            Kind::Long => 5,
            Kind::Double => 6,
            Kind::List => 7,
            Kind::Class => 8,
            Kind::Password => 9,
        }
    }
}

/// What a value must be beside its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    Any,
    NonEmpty,
    AtLeast(i64),
    Between(i64, i64),
    Fraction(f64, f64),
    /// One of these; of a list, each.
    OneOf(&'static [&'static str]),
    /// A list of these that is not empty.
    SomeOf(&'static [&'static str]),
    /// One of these, in capitals or not.
    OneOfAnyCase(&'static [&'static str]),
    /// A list of `host:port`.
    Addresses,
    /// A list of `id@host:port`.
    Voters,
    /// A list of `partition:broker`, or `*`.
    Replicas,
    /// latest, earliest, or by_duration: and a duration as in ISO 8601 (`P1DT2H`).
    OffsetReset,
    /// 1 to 9, or -1.
    GzipLevel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Broker,
    Topic,
    Group,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub name: &'static str,
    pub scope: Scope,
    pub kind: Kind,
    pub default: Option<&'static str>,
    pub rule: Rule,
    /// Cannot change while the broker runs.
    pub read_only: bool,
    /// The broker settings that a topic's or group's default comes from, in order.
    pub synonyms: &'static [&'static str],
    /// What it does; none if it is accepted and does nothing yet.
    pub doc: Option<&'static str>,
}

impl Setting {
    pub fn has_effect(&self) -> bool {
        self.doc.is_some()
    }

    pub fn documentation(&self) -> &'static str {
        let idle = || words::of(self.name).unwrap_or("Known from Kafka; it has no effect in this version.");
        self.doc.unwrap_or_else(idle)
    }

    pub fn is_sensitive(&self) -> bool {
        self.kind == Kind::Password
    }
}

const fn broker(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    rule: Rule,
    read_only: bool,
    doc: Option<&'static str>,
) -> Setting {
    Setting {
        name,
        scope: Scope::Broker,
        kind,
        default,
        rule,
        read_only,
        synonyms: &[],
        doc,
    }
}

const fn topic(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    rule: Rule,
    synonyms: &'static [&'static str],
    doc: Option<&'static str>,
) -> Setting {
    Setting {
        name,
        scope: Scope::Topic,
        kind,
        default,
        rule,
        read_only: false,
        synonyms,
        doc,
    }
}

const fn group(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    rule: Rule,
    synonyms: &'static [&'static str],
) -> Setting {
    Setting {
        scope: Scope::Group,
        ..topic(name, kind, default, rule, synonyms, None)
    }
}

/// All settings of a broker, by name.
pub fn broker_settings() -> &'static [Setting] {
    broker::BROKER
}

/// All settings of a topic, by name.
pub fn topic_settings() -> &'static [Setting] {
    topic::TOPIC
}

/// All settings of a group, by name.
pub fn group_settings() -> &'static [Setting] {
    group::GROUP
}

fn table(scope: Scope) -> &'static [Setting] {
    match scope {
        Scope::Broker => broker::BROKER,
        Scope::Topic => topic::TOPIC,
        Scope::Group => group::GROUP,
    }
}

pub fn find(scope: Scope, name: &str) -> Option<&'static Setting> {
    let table = table(scope);
    table
        .binary_search_by(|setting| setting.name.cmp(name))
        .ok()
        .and_then(|at| table.get(at))
}

/// The names that a broker setting is said by, the strongest first: `log.roll.ms` and `log.roll.hours` are one thing.
pub(crate) fn broker_names(name: &'static str) -> &'static [&'static str] {
    let several = |setting: &&Setting| 1 < setting.synonyms.len() && setting.synonyms.contains(&name);
    topic::TOPIC
        .iter()
        .find(several)
        .map_or(&[], |setting| setting.synonyms)
}

/// The name that was most likely meant, if any is near.
pub fn nearest(scope: Scope, name: &str) -> Option<&'static str> {
    let edits_max = 1 + name.len() / 4;
    let near = |setting: &&Setting| setting.name.len().abs_diff(name.len()) <= edits_max;
    let scored = table(scope)
        .iter()
        .filter(near)
        .map(|setting| (distance(setting.name, name), setting.name));
    let (score, nearest) = scored.min()?;
    (score <= edits_max).then_some(nearest)
}

/// Edits between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (j, other) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX);
            let best = (corner + usize::from(letter != *other))
                .min(left + 1)
                .min(above + 1);
            if let Some(place) = row.get_mut(j) {
                *place = left;
            }
            (corner, left) = (above, best);
        }
        if let Some(place) = row.last_mut() {
            *place = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ascend_and_defaults_are_legal() {
        for table in [broker::BROKER, topic::TOPIC, group::GROUP] {
            assert!(table.is_sorted_by_key(|setting| setting.name));
            for setting in table {
                if let Some(default) = setting.default {
                    assert!(
                        crate::value::check(setting, default).is_ok(),
                        "{}={default}",
                        setting.name
                    );
                }
            }
        }
    }

    #[test]
    fn the_table_is_kafkas_whole() {
        assert!(330 < broker::BROKER.len());
        assert_eq!(topic::TOPIC.len(), 33 + 1, "Kafka's and ottla.flush");
        for setting in topic::TOPIC.iter().chain(group::GROUP) {
            for synonym in setting.synonyms {
                assert!(find(Scope::Broker, synonym).is_some(), "{synonym}");
            }
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        assert_eq!(nearest(Scope::Broker, "num.partition"), Some("num.partitions"));
        assert_eq!(nearest(Scope::Broker, "log.dir.s"), Some("log.dirs"));
        assert_eq!(nearest(Scope::Broker, "xyzzy"), None);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
