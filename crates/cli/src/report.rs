//! What a command has to say: rows of named values, and the items that failed.

use serde_json::{Map, Value, json};

use crate::Kind;

/// A column of the table; in JSON its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The field's name in JSON, in snake case; the table's heading is made from it.
    pub field: &'static str,
    /// Shown only with `-o wide`; JSON always has it.
    pub wide: bool,
}

impl Column {
    /// A column that every table shows.
    pub const fn new(field: &'static str) -> Column {
        Column { field, wide: false }
    }

    /// A column of wide tables.
    pub const fn wide(field: &'static str) -> Column {
        Column { field, wide: true }
    }
}

/// One of several things that did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFailure {
    /// What it is about, such as a topic's name.
    pub item: String,
    /// The error's name, such as Kafka's `TOPIC_ALREADY_EXISTS`.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What a command has to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The name of the list in JSON, such as `topics`.
    pub what: &'static str,
    /// The words of the command that says it, which name the shape: filled in by who runs it.
    pub command: &'static [&'static str],
    /// In the order of the table.
    pub columns: &'static [Column],
    /// One object per thing, with a field for each column; fields that are no column are for JSON only.
    pub rows: Vec<Value>,
    /// What did not work.
    pub failures: Vec<ItemFailure>,
    /// The exit code's kind if there are failures.
    pub failed_kind: Kind,
    /// Nothing was changed: the rows say what would have been.
    pub dry_run: bool,
    /// A sentence for people, shown under the table and not in JSON.
    pub note: Option<String>,
    /// More fields of the JSON object.
    pub more: Vec<(&'static str, Value)>,
    /// Text that stands in place of a table, for what is no list; JSON has the rows.
    pub text: Option<String>,
}

impl Report {
    /// A report without rows.
    pub fn new(what: &'static str, columns: &'static [Column]) -> Report {
        Report {
            what,
            command: &[],
            columns,
            rows: Vec::new(),
            failures: Vec::new(),
            failed_kind: Kind::Failed,
            dry_run: false,
            note: None,
            more: Vec::new(),
            text: None,
        }
    }

    /// A report that says nothing: all there was to say has been written to stdout already.
    pub fn silent() -> Report {
        let mut report = Report::new("", &[]);
        report.text = Some(String::new());
        report
    }

    /// A report with rows.
    pub fn of(what: &'static str, columns: &'static [Column], rows: Vec<Value>) -> Report {
        Report {
            rows,
            ..Report::new(what, columns)
        }
    }

    /// Whether there is nothing for any format.
    pub fn is_silent(&self) -> bool {
        self.what.is_empty()
    }

    /// The one JSON object of a command (`-o json`).
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("schema".to_owned(), json!(crate::shapes::name(self.command)));
        object.insert(self.what.to_owned(), Value::Array(self.rows.clone()));
        for (name, value) in &self.more {
            object.insert((*name).to_owned(), value.clone());
        }
        let failure = |failure: &ItemFailure| {
            let ItemFailure {
                item,
                code,
                message,
                hint,
            } = failure;
            json!({"item": item, "code": code, "message": message, "hint": hint})
        };
        object.insert("errors".to_owned(), self.failures.iter().map(failure).collect());
        object.insert("dry_run".to_owned(), json!(self.dry_run));
        Value::Object(object)
    }
}
