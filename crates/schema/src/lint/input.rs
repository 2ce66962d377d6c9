//! What is looked at: the schema, and whatever else is known of it.

use crate::{Schema, outline::Outline};

/// What the registry knows of a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    pub name: String,
    /// The topic whose records the subject describes.
    pub topic: Option<String>,
    /// Metadata properties, such as owner and domain.
    pub properties: Vec<(String, String)>,
    /// The topic has a key schema, or is declared to have no keys.
    pub key_is_settled: bool,
    /// Days since a record was written to the topic; nothing when nobody looked.
    pub idle_days: Option<u32>,
}

/// Another schema that stands beside this one.
#[derive(Debug)]
pub struct Other<'a> {
    /// Its subject or file.
    pub name: &'a str,
    pub schema: &'a Schema,
    pub outline: Outline,
}

/// A word of the dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub name: String,
    /// Other ways to write it that should not be used.
    pub synonyms: Vec<String>,
}

/// What was seen in the data of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    /// The field's path in the outline.
    pub path: String,
    pub records: u64,
    pub distinct: u64,
}

/// Everything that rules may look at.
#[derive(Debug)]
pub struct Input<'a> {
    pub schema: &'a Schema,
    pub outline: Outline,
    /// Bytes of the schema's text.
    pub text_bytes: usize,
    pub previous: Option<&'a Schema>,
    pub previous_outline: Option<Outline>,
    pub others: Vec<Other<'a>>,
    pub terms: &'a [Term],
    pub subject: Option<&'a Subject>,
    pub samples: &'a [Samples],
    /// The topic goes to the lakehouse.
    pub lake: bool,
}

impl<'a> Input<'a> {
    /// The schema alone; `text` is what it was parsed from.
    pub fn new(schema: &'a Schema, text: &str) -> Input<'a> {
        Input {
            schema,
            outline: schema.outline(),
            text_bytes: text.len(),
            previous: None,
            previous_outline: None,
            others: Vec::new(),
            terms: &[],
            subject: None,
            samples: &[],
            lake: false,
        }
    }

    /// With the version before.
    pub fn after(mut self, previous: &'a Schema) -> Input<'a> {
        self.previous = Some(previous);
        self.previous_outline = Some(previous.outline());
        self
    }

    /// With another schema beside it.
    pub fn beside(mut self, name: &'a str, schema: &'a Schema) -> Input<'a> {
        self.others.push(Other {
            name,
            schema,
            outline: schema.outline(),
        });
        self
    }
}
