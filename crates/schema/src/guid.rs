//! Schema Registry's GUID: one name for one content, the same in every registry.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Reference, digest::md5};

/// Metadata of a registered schema, as far as it counts for its identity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    pub tags: BTreeMap<String, BTreeSet<String>>,
    pub properties: BTreeMap<String, String>,
    pub sensitive: BTreeSet<String>,
}

/// Rules of a registered schema, as far as they count for its identity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleSet {
    pub migration_rules: Vec<Rule>,
    pub domain_rules: Vec<Rule>,
    pub encoding_rules: Vec<Rule>,
}

/// One rule; texts as in the REST API, absent ones empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    pub name: String,
    pub doc: String,
    /// TRANSFORM or CONDITION.
    pub kind: String,
    /// UPGRADE, DOWNGRADE, UPDOWN, WRITE, READ or WRITEREAD.
    pub mode: String,
    pub rule_type: String,
    pub tags: BTreeSet<String>,
    pub params: BTreeMap<String, String>,
    pub expr: String,
    pub on_success: String,
    pub on_failure: String,
    pub disabled: bool,
}

/// The GUID of a schema text with its direct references, metadata and rules: an MD5 shown as a UUID.
///
/// ```
/// let guid = schema::guid("\"string\"", &[], None, None);
/// assert_eq!(guid.len(), 36);
/// assert_ne!(guid, schema::guid("\"int\"", &[], None, None));
/// ```
pub fn guid(
    text: &str,
    references: &[Reference],
    metadata: Option<&Metadata>,
    rules: Option<&RuleSet>,
) -> String {
    let mut content = text.as_bytes().to_vec();
    for reference in references {
        content.extend_from_slice(reference.name.as_bytes());
        content.extend_from_slice(reference.subject.as_bytes());
        content.extend_from_slice(&reference.version.to_be_bytes());
    }
    if let Some(metadata) = metadata {
        content.push(1);
        metadata.append_to(&mut content);
    }
    if let Some(rules) = rules {
        content.push(1);
        let lists = [&rules.migration_rules, &rules.domain_rules, &rules.encoding_rules];
        lists
            .into_iter()
            .flatten()
            .for_each(|rule| rule.append_to(&mut content));
    }
    show(u128::from_be_bytes(md5(&content)))
}

fn show(digest: u128) -> String {
    let hex = format!("{digest:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

impl Metadata {
    fn append_to(&self, content: &mut Vec<u8>) {
        for (path, tags) in &self.tags {
            content.extend_from_slice(path.as_bytes());
            tags.iter()
                .for_each(|tag| content.extend_from_slice(tag.as_bytes()));
        }
        for (name, value) in &self.properties {
            content.extend_from_slice(name.as_bytes());
            content.extend_from_slice(value.as_bytes());
        }
        self.sensitive
            .iter()
            .for_each(|name| content.extend_from_slice(name.as_bytes()));
    }
}

impl Rule {
    /// In the order of the fields of the client's `Rule` entity.
    fn append_to(&self, content: &mut Vec<u8>) {
        for text in [&self.name, &self.doc, &self.kind, &self.mode, &self.rule_type] {
            content.extend_from_slice(text.as_bytes());
        }
        self.tags
            .iter()
            .for_each(|tag| content.extend_from_slice(tag.as_bytes()));
        for (name, value) in &self.params {
            content.extend_from_slice(name.as_bytes());
            content.extend_from_slice(value.as_bytes());
        }
        for text in [&self.expr, &self.on_success, &self.on_failure] {
            content.extend_from_slice(text.as_bytes());
        }
        if self.disabled {
            content.push(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_the_md5_of_the_content_as_a_uuid() {
        // MD5 of the eight bytes "string" with quotes, computed with md5sum.
        assert_eq!(
            guid("\"string\"", &[], None, None),
            "095d71cf-1255-6b9d-5e33-0ad575b3df5d"
        );
    }

    #[test]
    fn everything_that_is_registered_with_a_text_counts() {
        let reference = |version| Reference {
            name: "n".into(),
            subject: "s".into(),
            version,
            ..Reference::default()
        };
        let rules = |disabled| RuleSet {
            domain_rules: vec![Rule {
                name: "r".into(),
                disabled,
                ..Rule::default()
            }],
            ..RuleSet::default()
        };
        let metadata = Metadata {
            sensitive: ["x".to_owned()].into(),
            ..Metadata::default()
        };
        let all = [
            guid("t", &[], None, None),
            guid("t", &[reference(1)], None, None),
            guid("t", &[reference(2)], None, None),
            guid("t", &[], Some(&Metadata::default()), None),
            guid("t", &[], Some(&metadata), None),
            guid("t", &[], None, Some(&rules(false))),
            guid("t", &[], None, Some(&rules(true))),
        ];
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
