//! Sizes, headers, and words that have no place in a file.

use std::path::Path;

use super::Finding;

const FILE_LINES_MAX: usize = 1000;
const FUNCTION_LINES_MAX: usize = 80;
/// Only here may `unsafe`, files and sockets be named.
const SEAM: &str = "crates/os/";
const SEAM_WORDS: &[&str] = &["std::fs", "tokio::net"];
const UNSAFE_BLOCKS_MAX: usize = 20;

pub fn check(root: &Path, path: &Path) -> anyhow::Result<Vec<Finding>> {
    let text = std::fs::read_to_string(path)?;
    let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
    let mut findings = Vec::new();
    let mut say = |line: usize, what: String| findings.push(format!("{name}:{line}: {what}"));
    if !text.starts_with("//!") {
        say(1, "the first line says what the file owns (//!)".into());
    }
    let lines = text.lines().count();
    if FILE_LINES_MAX < lines {
        say(
            lines,
            format!("{lines} lines, at most {FILE_LINES_MAX}: give each role a file"),
        );
    }
    let is_test = name.contains("/tests/") || name.contains("/examples/");
    let is_shell = ["xtask/", "crates/server/", "crates/cli/"]
        .iter()
        .any(|shell| name.starts_with(shell));
    for (at, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        if line.contains(concat!("TO", "DO")) || line.contains(concat!("FIX", "ME")) {
            say(at + 1, "what is left to do belongs into an issue".into());
        }
        if name.starts_with(SEAM) || is_test || is_shell {
            continue;
        }
        for word in SEAM_WORDS {
            if code.contains(word) {
                say(at + 1, format!("{word} is for crate os alone"));
            }
        }
        if code.contains("unsafe ") && code.contains('{') {
            say(at + 1, "unsafe is for crate os alone".into());
        }
    }
    let blocks = text.matches("unsafe {").count();
    if UNSAFE_BLOCKS_MAX < blocks {
        say(1, format!("{blocks} unsafe blocks, at most {UNSAFE_BLOCKS_MAX}"));
    }
    findings.extend(super::logs::check(&name, &text));
    findings.extend(long_functions(&name, &text));
    Ok(findings)
}

/// Functions by their indentation: formatted code closes one where it opened it.
fn long_functions(name: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let starts = [
            "fn ",
            "pub fn ",
            "async fn ",
            "pub async fn ",
            "pub(super) fn ",
            "pub(crate) fn ",
        ];
        if !starts.iter().any(|start| trimmed.starts_with(start)) {
            continue;
        }
        let close = format!("{}}}", " ".repeat(line.len() - trimmed.len()));
        let end = lines.iter().skip(at).position(|line| *line == close);
        if let Some(length) = end.filter(|length| FUNCTION_LINES_MAX < *length) {
            findings.push(format!(
                "{name}:{}: a function of {length} lines, at most {FUNCTION_LINES_MAX}",
                at + 1
            ));
        }
    }
    findings
}
