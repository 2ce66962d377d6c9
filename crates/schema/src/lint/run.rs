//! Running the rules: severities, waivers, the ratchet, the grade.

use std::{collections::HashSet, fmt};

use super::{Input, Needs, RULES, Rule, Severity, tree::Found};
use crate::Path;

/// One thing that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static str,
    pub severity: Severity,
    pub path: Path,
    /// What is wrong there.
    pub what: String,
    /// How to mend it.
    pub mend: String,
    /// Why readers care.
    pub why: &'static str,
}

/// What a finding leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gate {
    /// Nothing is looked for.
    Off,
    /// Findings are told, and stop nothing.
    Warn,
    /// Errors stop.
    #[default]
    Enforce,
    /// Errors stop that the previous version does not have (ratchet).
    EnforceNew,
}

/// An agreed exception.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiver {
    /// The rule's id.
    pub rule: String,
    /// The path, or `*` for everywhere.
    pub path: String,
    pub reason: String,
    /// The last day on which it holds, `2027-01-31`; empty for ever.
    pub until: String,
}

/// How the rules are run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub gate: Gate,
    /// Other severities than the table's, by rule id.
    pub severities: Vec<(String, Severity)>,
    pub waivers: Vec<Waiver>,
    /// Today, `2026-11-24`, for the waivers' end; empty: none ends.
    pub today: String,
}

/// What a schema is worth to its readers: A is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// No error, no warning.
    A,
    /// No error, at most three warnings.
    B,
    /// At most two errors.
    C,
    /// At most six errors.
    D,
    /// More.
    E,
}

impl Grade {
    fn of(findings: &[Finding]) -> Grade {
        let count = |severity| {
            findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .count()
        };
        match (count(Severity::Error), count(Severity::Warning)) {
            (0, 0) => Grade::A,
            (0, 1..=3) => Grade::B,
            (0..=2, _) => Grade::C,
            (3..=6, _) => Grade::D,
            _ => Grade::E,
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Errors first, then by path.
    pub findings: Vec<Finding>,
    /// Findings that a waiver covers.
    pub waived: Vec<Finding>,
    /// Findings that the previous version has as well, under [`Gate::EnforceNew`].
    pub inherited: Vec<Finding>,
    /// Waivers that have ended.
    pub expired: Vec<Waiver>,
    /// Of everything that is not waived, inherited or not.
    pub grade: Grade,
    /// Whether the gate lets the schema through.
    pub passes: bool,
}

/// Runs every rule that has what it needs.
///
/// ```
/// use schema::{Format, Schema, Source, lint::{Grade, Input, Options, lint}};
/// let text = r#"{"type": "record", "name": "order", "fields": [{"name": "status", "type": "string"}]}"#;
/// let schema = Schema::parse(&Source::new(Format::Avro, text))?;
/// let report = lint(&Input::new(&schema, text), &Options::default());
/// assert!(!report.passes);
/// assert!(report.findings.iter().any(|finding| finding.rule == "EF030"));
/// # Ok::<(), schema::SchemaError>(())
/// ```
pub fn lint(input: &Input<'_>, options: &Options) -> Report {
    let found = if options.gate == Gate::Off {
        Vec::new()
    } else {
        findings(input, options)
    };
    let is_expired = |waiver: &&Waiver| {
        !waiver.until.is_empty() && !options.today.is_empty() && waiver.until < options.today
    };
    let expired: Vec<Waiver> = options.waivers.iter().filter(is_expired).cloned().collect();
    let (waived, open): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(|finding| {
        let covers = |waiver: &Waiver| {
            waiver.rule == finding.rule && (waiver.path == "*" || waiver.path == finding.path.as_str())
        };
        options
            .waivers
            .iter()
            .any(|waiver| covers(waiver) && !expired.contains(waiver))
    });
    let grade = Grade::of(&open);
    let known = match (options.gate, input.previous) {
        (Gate::EnforceNew, Some(previous)) => {
            let before = findings(
                &Input {
                    text_bytes: 0,
                    ..Input::new(previous, "")
                },
                options,
            );
            before
                .into_iter()
                .map(|finding| (finding.rule, finding.path))
                .collect()
        }
        _ => HashSet::new(),
    };
    let (inherited, mut findings): (Vec<Finding>, Vec<Finding>) = open
        .into_iter()
        .partition(|finding| known.contains(&(finding.rule, finding.path.clone())));
    findings.sort_by(|a, b| (b.severity, &a.path, a.rule).cmp(&(a.severity, &b.path, b.rule)));
    let stops = findings.iter().any(|finding| finding.severity == Severity::Error);
    let passes = matches!(options.gate, Gate::Off | Gate::Warn) || !stops;
    Report {
        findings,
        waived,
        inherited,
        expired,
        grade,
        passes,
    }
}

fn findings(input: &Input<'_>, options: &Options) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES.iter().copied().flatten() {
        let severity = severity(rule, input, options);
        if severity == Severity::Off
            || !rule.formats.contains(&input.outline.format)
            || !has(input, rule.needs)
        {
            continue;
        }
        let mut found = Found::default();
        (rule.check)(input, &mut found);
        let finding = |(path, what, mend)| Finding {
            rule: rule.id,
            severity,
            path,
            what,
            mend,
            why: rule.why,
        };
        findings.extend(found.0.into_iter().map(finding));
    }
    findings
}

fn severity(rule: &Rule, _input: &Input<'_>, options: &Options) -> Severity {
    let own = options.severities.iter().find(|(id, _)| id == rule.id);
    own.map_or(rule.severity, |(_, severity)| *severity)
}

fn has(input: &Input<'_>, needs: Needs) -> bool {
    match needs {
        Needs::Schema => true,
        Needs::Previous => input.previous.is_some(),
        Needs::Subject => input.subject.is_some(),
        Needs::Others => !input.others.is_empty() || !input.terms.is_empty(),
        Needs::Samples => !input.samples.is_empty(),
        Needs::Lake => input.lake,
    }
}
