//! Lint findings as other programs read them: GitHub's annotations, SARIF 2.1.0, JUnit XML.

use std::fmt::Write as _;

use schema::lint::{Report as Linted, Severity};
use serde_json::json;

/// Workflow commands of GitHub Actions: one line a finding.
pub(super) fn github(results: &[(&str, Linted)]) -> String {
    let mut text = String::new();
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    for (file, linted) in results {
        for finding in &linted.findings {
            let level = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                _ => "notice",
            };
            let said = escape(&format!("{}: {}; {}", finding.path, finding.what, finding.mend));
            let _ = writeln!(
                text,
                "::{level} file={},title={}::{said}",
                escape(file),
                finding.rule
            );
        }
    }
    text
}

/// SARIF 2.1.0, one run.
pub(super) fn sarif(results: &[(&str, Linted)]) -> String {
    let level = |severity| match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        _ => "note",
    };
    let found = results
        .iter()
        .flat_map(|(file, linted)| linted.findings.iter().map(move |finding| (file, finding)));
    let results: Vec<_> = found
        .map(|(file, finding)| {
            json!({
                "ruleId": finding.rule, "level": level(finding.severity),
                "message": {"text": format!("{}; {}", finding.what, finding.mend)},
                "locations": [{
                    "physicalLocation": {"artifactLocation": {"uri": file}},
                    "logicalLocations": [{"fullyQualifiedName": finding.path.as_str()}],
                }],
            })
        })
        .collect();
    let rules = schema::lint::RULES.iter().copied().flatten();
    let rules: Vec<_> = rules
        .map(|rule| json!({"id": rule.id, "shortDescription": {"text": rule.asks}, "help": {"text": rule.why}}))
        .collect();
    let run = json!({"tool": {"driver": {"name": "ottla schema lint", "rules": rules}}, "results": results});
    format!(
        "{}\n",
        json!({"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": [run]})
    )
}

/// JUnit XML: a file is a suite, a finding a failed case.
pub(super) fn junit(results: &[(&str, Linted)]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (file, linted) in results {
        let errors = linted
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .count();
        let count = linted.findings.len().max(1);
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{count}\" failures=\"{errors}\">",
            xml(file)
        );
        for finding in &linted.findings {
            let (name, what) = (
                xml(finding.path.as_str()),
                xml(&format!("{}; {}", finding.what, finding.mend)),
            );
            let inner = match finding.severity {
                Severity::Error => format!("<failure message=\"{what}\"/>"),
                _ => format!("<system-out>{what}</system-out>"),
            };
            let _ = writeln!(
                text,
                "    <testcase classname=\"{}\" name=\"{name}\">{inner}</testcase>",
                finding.rule
            );
        }
        if linted.findings.is_empty() {
            text.push_str("    <testcase classname=\"lint\" name=\"/\"/>\n");
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The day of a time in ms since 1970, as `2026-11-24` (UTC).
pub(super) fn day(ms: i64) -> String {
    // Days since 0000-03-01, in eras of 400 years, so that the leap day ends its year (Hinnant's civil_from_days).
    let days = ms.div_euclid(86_400_000) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_with_leap_years() {
        for (ms, wanted) in [
            (0, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (1_795_478_400_000, "2026-11-24"),
            (-1, "1969-12-31"),
        ] {
            assert_eq!(day(ms), wanted);
        }
    }
}
