//! The reference page, made from the table.

use super::{Example, RULES};

/// Every rule with what it asks, why, and both examples, in Markdown.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Lint rules\n\nMade from the table of rules. Severities can be changed, and findings waived, where the rules are run \
         (`ottla schema lint --help`).\n",
    );
    for family in RULES {
        for rule in *family {
            let formats: Vec<&str> = rule.formats.iter().map(|format| format.name()).collect();
            page.push_str(&format!("\n## {}\n\n{}.\n\n", rule.id, rule.asks));
            page.push_str(&format!("Why: {}.\n\n", rule.why));
            let (severity, needs) = (rule.severity, rule.needs.words());
            page.push_str(&format!(
                "Default: {severity}. Formats: {}. Looks at: {needs}.\n",
                formats.join(", ")
            ));
            page.push_str(&example("Fails", &rule.fails));
            page.push_str(&example("Passes", &rule.passes));
        }
    }
    page
}

fn example(title: &str, example: &Example) -> String {
    let mut text = format!("\n{title}:\n\n```\n{}\n```\n", example.text.trim());
    if !example.previous.is_empty() {
        text.push_str(&format!("\nafter\n\n```\n{}\n```\n", example.previous.trim()));
    }
    if !example.other.is_empty() {
        text.push_str(&format!("\nbeside\n\n```\n{}\n```\n", example.other.trim()));
    }
    text
}
