//! `ottla schema lint`

use std::fmt::Write as _;

use clap::ArgMatches;
use schema::lint::{Finding, Gate, Input, Options, Report as Linted, Severity, Waiver, lint};
use serde_json::{Value, json};

use super::{
    files::{self, Loaded},
    styles,
};
use crate::arguments::{option, pair, repeated, switch, value, values};
use crate::{Column, Command, Context, Failure, ItemFailure, Kind, Report};

pub const COMMAND: Command = Command {
    path: &["schema", "lint"],
    about: "Judge schemas by the rules of docs/reference/lint.md, and give each a grade",
    example: "ottla schema lint demo/schemas/order_careless.avsc",
    arguments,
    run,
};

fn arguments(command: clap::Command) -> clap::Command {
    files::arguments(command)
        .arg(files::files("The schemas, looked at together; - is stdin"))
        .arg(option(
            "previous",
            "FILE",
            "The version before, for the rules about evolution",
        ))
        .arg(
            option(
                "gate",
                "GATE",
                "What errors lead to: enforce (default), enforce-new (only what --previous lacks), warn",
            )
            .value_parser(["enforce", "enforce-new", "warn"]),
        )
        .arg(repeated(
            "rule",
            "ID=SEVERITY",
            "Another severity for a rule: error, warning, info, off",
        ))
        .arg(option(
            "waivers",
            "FILE",
            "Agreed exceptions: [{\"rule\", \"path\", \"reason\", \"until\"}]",
        ))
        .arg(switch("lake", "The topic goes to the lakehouse: its rules count"))
        .arg(
            option(
                "style",
                "STYLE",
                "How the table is written: text (default), github, sarif, junit",
            )
            .value_parser(["text", "github", "sarif", "junit"]),
        )
}

const COLUMNS: &[Column] = &[
    Column::new("file"),
    Column::new("severity"),
    Column::new("rule"),
    Column::new("path"),
    Column::new("what"),
    Column::new("mend"),
    Column::wide("why"),
];

fn run(_: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let options = options(matches)?;
    let previous = value(matches, "previous")
        .map(|file| files::must_load(file, matches))
        .transpose()?;
    let mut report = Report::new("findings", COLUMNS);
    report.failed_kind = Kind::CheckFailed;
    let mut loaded = Vec::new();
    for file in values(matches, "file") {
        match files::load(file, matches)? {
            Err(error) => report.failures.push(files::invalid(file, error)),
            Ok(schema) => loaded.push(schema),
        }
    }
    let mut results = Vec::new();
    for one in &loaded {
        results.push((
            one.file.as_str(),
            judge(one, &loaded, previous.as_ref(), matches, &options),
        ));
    }
    for (file, linted) in &results {
        report
            .rows
            .extend(linted.findings.iter().map(|finding| row(file, finding)));
        if !linted.passes {
            report.failures.push(failure(file, linted));
        }
    }
    report.text = Some(match value(matches, "style") {
        Some("github") => styles::github(&results),
        Some("sarif") => styles::sarif(&results),
        Some("junit") => styles::junit(&results),
        _ => for_people(&results),
    });
    report.more = vec![(
        "files",
        results
            .iter()
            .map(|(file, linted)| summary(file, linted))
            .collect(),
    )];
    Ok(report)
}

fn judge(
    one: &Loaded,
    all: &[Loaded],
    previous: Option<&Loaded>,
    matches: &ArgMatches,
    options: &Options,
) -> Linted {
    let mut input = Input::new(&one.schema, &one.source.text);
    if let Some(previous) = previous {
        input = input.after(&previous.schema);
    }
    for other in all.iter().filter(|other| other.file != one.file) {
        input = input.beside(&other.file, &other.schema);
    }
    input.lake = matches.get_flag("lake");
    lint(&input, options)
}

fn options(matches: &ArgMatches) -> Result<Options, Failure> {
    let gate = match value(matches, "gate") {
        Some("warn") => Gate::Warn,
        Some("enforce-new") => Gate::EnforceNew,
        _ => Gate::Enforce,
    };
    let mut severities = Vec::new();
    for given in values(matches, "rule") {
        let (id, name) = pair(given, "rule")?;
        schema::lint::find(id).ok_or_else(|| {
            Failure::usage(format!("there is no rule {id}")).hint("docs/reference/lint.md lists them")
        })?;
        let severity = Severity::ALL.into_iter().find(|severity| severity.name() == name);
        let severity = severity.ok_or_else(|| {
            Failure::usage(format!("{name} is no severity")).hint("use error, warning, info or off")
        })?;
        severities.push((id.to_owned(), severity));
    }
    let waivers = match value(matches, "waivers") {
        Some(file) => waivers(file)?,
        None => Vec::new(),
    };
    Ok(Options {
        gate,
        severities,
        waivers,
        today: styles::day(crate::now_ms()),
    })
}

fn waivers(file: &str) -> Result<Vec<Waiver>, Failure> {
    let wrong = |what: String| Failure::usage(format!("{file}: {what}"));
    let value: Value = serde_json::from_str(&files::text(file)?).map_err(|error| wrong(error.to_string()))?;
    let list = value
        .as_array()
        .ok_or_else(|| wrong("waivers are a list".to_owned()))?;
    let member = |waiver: &Value, name: &str| {
        waiver
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let read = |waiver: &Value| {
        let [rule, path, reason, until] =
            ["rule", "path", "reason", "until"].map(|name| member(waiver, name));
        if rule.is_empty() || path.is_empty() || reason.is_empty() {
            return Err(wrong(format!("{waiver} lacks rule, path or reason")));
        }
        Ok(Waiver {
            rule,
            path,
            reason,
            until,
        })
    };
    list.iter().map(read).collect()
}

fn row(file: &str, finding: &Finding) -> Value {
    json!({
        "file": file, "severity": finding.severity.name(), "rule": finding.rule, "path": finding.path.as_str(),
        "what": finding.what, "mend": finding.mend, "why": finding.why,
    })
}

fn summary(file: &str, linted: &Linted) -> Value {
    json!({
        "file": file, "grade": linted.grade.to_string(), "passes": linted.passes, "findings": linted.findings.len(),
        "waived": linted.waived.len(), "inherited": linted.inherited.len(), "expired_waivers": linted.expired.len(),
    })
}

fn failure(file: &str, linted: &Linted) -> ItemFailure {
    let errors = linted
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    ItemFailure {
        item: file.to_owned(),
        code: "LINT".to_owned(),
        message: format!("{errors} errors, grade {}", linted.grade),
        hint: Some("each finding says how to mend it; docs/reference/lint.md says why".to_owned()),
    }
}

fn for_people(results: &[(&str, Linted)]) -> String {
    let mut text = String::new();
    for (file, linted) in results {
        let _ = writeln!(text, "{file}: grade {}", linted.grade);
        for finding in &linted.findings {
            let (severity, rule) = (finding.severity.name(), finding.rule);
            let _ = writeln!(text, "  {severity:<8}{rule} {}: {}", finding.path, finding.what);
            let _ = writeln!(text, "          {}", finding.mend);
        }
        for (count, what) in [
            (linted.waived.len(), "waived"),
            (linted.inherited.len(), "as in the previous version"),
        ] {
            if count > 0 {
                let _ = writeln!(text, "  {count} {what}");
            }
        }
        for waiver in &linted.expired {
            let _ = writeln!(
                text,
                "  the waiver of {} at {} ended on {}",
                waiver.rule, waiver.path, waiver.until
            );
        }
    }
    text
}
