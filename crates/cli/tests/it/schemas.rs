//! The examples of docs/schemas.md run, and say what stands there; exit codes are as they are told.

use std::path::{Path, PathBuf};

use cli::{COMMANDS, Context, Failure, Kind, Report};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the words behind `ottla`, with files under the repository's root.
fn run(words: &[&str]) -> Result<Report, Failure> {
    let found = COMMANDS
        .iter()
        .find(|command| words.starts_with(command.path))
        .expect("the command is there");
    let rest = words[found.path.len()..].iter().map(|word| {
        let path = root().join(word);
        if path.is_file() {
            path.to_string_lossy().into_owned()
        } else {
            (*word).to_owned()
        }
    });
    let args: Vec<String> = std::iter::once("ottla".to_owned()).chain(rest).collect();
    let matches = (found.arguments)(clap::Command::new("ottla"))
        .try_get_matches_from(args)
        .map_err(|error| Failure::usage(error.to_string()))?;
    (found.run)(&Context::default(), &matches)
}

fn exit(result: &Result<Report, Failure>) -> u8 {
    match result {
        Ok(report) if report.failures.is_empty() => 0,
        Ok(report) => report.failed_kind.code(),
        Err(failure) => failure.kind.code(),
    }
}

/// All that a command says, however it says it; files are named as they were typed.
fn said(result: &Result<Report, Failure>) -> String {
    let all = match result {
        Ok(report) => {
            let rows: Vec<String> = report.rows.iter().map(ToString::to_string).collect();
            let text = report.text.clone().unwrap_or_default();
            format!(
                "{text}\n{}\n{}",
                rows.join("\n"),
                report.note.clone().unwrap_or_default()
            )
        }
        Err(failure) => failure.to_string(),
    };
    all.replace(&format!("{}/", root().to_string_lossy()), "")
}

#[test]
fn the_examples_of_the_page_run() {
    let page = std::fs::read_to_string(root().join("docs/schemas.md")).expect("the page is there");
    let mut examples = 0;
    let mut last = None;
    let mut in_console = false;
    for line in page.lines() {
        match line {
            "```console" => in_console = true,
            "```" => in_console = false,
            _ if !in_console => {}
            _ => match (line.strip_prefix("$ ottla "), line.strip_prefix("[exit ")) {
                (Some(command), _) => {
                    let words: Vec<&str> = command.split(' ').collect();
                    last = Some((command, run(&words)));
                }
                (None, Some(code)) => {
                    let (command, result) = last.take().expect("a command stands above");
                    let wanted: u8 = code.trim_end_matches(']').parse().expect("a number");
                    assert_eq!(exit(&result), wanted, "{command}: {}", said(&result));
                    examples += 1;
                }
                (None, None) => {
                    let (command, result) = last.as_ref().expect("a command stands above");
                    assert!(
                        said(result).contains(line),
                        "{command} does not say {line:?} but\n{}",
                        said(result)
                    );
                }
            },
        }
    }
    assert!(examples >= 8, "{examples} examples");
}

#[test]
fn a_wrong_command_line_a_missing_file_and_a_failed_check_are_told_apart() {
    let careless = "demo/schemas/order_careless.avsc";
    assert_eq!(
        exit(&run(&["schema", "check", careless, "--mode", "UPWARD"])),
        Kind::Usage.code()
    );
    assert_eq!(exit(&run(&["schema", "check", "README.md"])), Kind::Usage.code());
    assert_eq!(
        exit(&run(&["schema", "lint", careless, "--rule", "EF999=off"])),
        Kind::Usage.code()
    );
    assert_eq!(exit(&run(&["schema", "check", "gone.avsc"])), Kind::Failed.code());
    assert_eq!(exit(&run(&["schema", "check", careless])), 0);
    assert_eq!(exit(&run(&["schema", "lint", careless, "--gate", "warn"])), 0);
    let invalid = run(&["schema", "check", careless, "--type", "protobuf"]);
    assert_eq!(exit(&invalid), Kind::CheckFailed.code());
    let report = invalid.expect("a report with a failure");
    assert_eq!(report.failures[0].code, "INVALID_SCHEMA");
    assert!(report.failures[0].hint.is_some());
}

#[test]
fn lint_speaks_the_languages_of_other_programs() {
    let text = |style: &str| {
        let words = [
            "schema",
            "lint",
            "demo/schemas/order_careless.avsc",
            "--style",
            style,
        ];
        run(&words).expect("it runs").text.expect("there is a text")
    };
    assert!(
        text("github")
            .lines()
            .all(|line| line.starts_with("::error file=")
                || line.starts_with("::warning file=")
                || line.starts_with("::notice file="))
    );
    let sarif: serde_json::Value = serde_json::from_str(&text("sarif")).expect("SARIF is JSON");
    assert_eq!(sarif["version"], "2.1.0");
    assert!(
        sarif["runs"][0]["results"]
            .as_array()
            .is_some_and(|results| results.len() > 10)
    );
    assert!(text("junit").contains("<testcase classname=\"EF030\" name=\"/payment_type\"><failure "));
}

#[test]
fn a_new_version_that_is_no_worse_passes_the_ratchet() {
    let careless = "demo/schemas/order_careless.avsc";
    let again = run(&[
        "schema",
        "lint",
        careless,
        "--previous",
        careless,
        "--gate",
        "enforce-new",
    ]);
    assert_eq!(exit(&again), 0, "{}", said(&again));
}
