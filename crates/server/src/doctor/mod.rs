//! `ottla doctor`: looks at what a node will stand on, before it does or while it runs, and says what to do.
//!
//! `look` files measure, `judge.rs` decides; so what is a fault can be tested without one.

mod disk;
mod judge;
mod machine;
mod network;

use clap::{ArgMatches, Args, FromArgMatches};
use cli::{Column, Command, Context, Failure, ItemFailure, Report};
use serde_json::json;

use crate::commands::StartArgs;
use judge::{Finding, Status};

pub const COMMAND: Command = Command {
    path: &["doctor"],
    about: "Check ports, advertised addresses, disk, limits and clock, and say what to do",
    example: "ottla doctor --data /var/lib/ottla --config ottla.toml -o json",
    arguments: StartArgs::augment_args,
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("check"),
    Column::new("status"),
    Column::new("found"),
    Column::new("what_to_do"),
];

fn run(_: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let args = StartArgs::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(report(&examine(&args)))
}

fn examine(args: &StartArgs) -> Vec<Finding> {
    let config = match crate::start::load(args) {
        Ok(config) => config,
        Err(error) => {
            let found = Finding::fault("settings", format!("{error:#}"));
            return vec![
                found.advice("`ottla start` says the same; docs/reference/settings.md lists all settings"),
            ];
        }
    };
    let mut findings = vec![Finding::good("settings", "legal")];
    findings.extend(network::look(&config, args.insecure));
    findings.extend(disk::look(&config));
    findings.extend(machine::look(&config));
    findings
}

/// Faults end the command with exit code 1, warnings do not.
fn report(findings: &[Finding]) -> Report {
    let row = |finding: &Finding| {
        json!({
            "check": finding.check,
            "status": finding.status.name(),
            "found": finding.found,
            "what_to_do": finding.advice.as_deref().unwrap_or_default(),
        })
    };
    let mut report = Report::of("checks", COLUMNS, findings.iter().map(row).collect());
    let faults = findings.iter().filter(|finding| finding.status == Status::Fault);
    let failure = |finding: &Finding| ItemFailure {
        item: finding.check.to_owned(),
        code: "fault".to_owned(),
        message: finding.found.clone(),
        hint: finding.advice.clone(),
    };
    report.failures = faults.map(failure).collect();
    let warnings = findings
        .iter()
        .filter(|finding| finding.status == Status::Warning)
        .count();
    report.note = Some(match (report.failures.len(), warnings) {
        (0, 0) => "all is well".to_owned(),
        (0, warnings) => format!("{warnings} warnings, no fault"),
        (faults, warnings) => format!("{faults} faults, {warnings} warnings"),
    });
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_fails_the_command_and_a_warning_does_not() {
        let warning = Finding::warning("clock", "nobody sets it").advice("run chrony");
        let good = report(&[Finding::good("settings", "legal"), warning.clone()]);
        assert!(good.failures.is_empty());
        assert_eq!(good.json()["checks"][1]["status"], "warning");
        let bad = report(&[warning, Finding::fault("port", "in use")]);
        assert_eq!(bad.failures.len(), 1);
        assert_eq!(bad.json()["errors"][0]["item"], "port");
    }

    #[test]
    fn illegal_settings_are_the_only_finding() {
        let args = StartArgs {
            set: vec!["num.partitions=many".to_owned()],
            ..StartArgs::default()
        };
        let findings = examine(&args);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].status, Status::Fault);
        assert!(
            findings[0].found.contains("num.partitions"),
            "{}",
            findings[0].found
        );
    }
}
