//! `docs/reference/json.md`: the shapes for people.

use std::fmt::Write;

use super::{ERROR, FAILURE, Field, Holds, SHAPES, Shape, WITHOUT, name};

/// The page.
pub fn page() -> String {
    let mut page = String::from(
        "# JSON\n\nMade from the table of shapes (`crates/cli/src/shapes`); `ottla COMMAND -o help` prints a command's \
         as a JSON Schema.\n\nWith `-o json` a command prints one object: `schema` with the shape's name and version, \
         its list, what stands beside it, `errors` with the items that failed, and `dry_run`. `-o jsonl` prints the \
         list alone, an object a line. Fields may be added under a version, so readers pass over those that they do \
         not know.\n\n| Exit code | Means |\n|---|---|\n| 0 | done |\n| 1 | the operation, or one item of several, \
         failed |\n| 2 | the command line is wrong |\n| 3 | no server answers |\n| 4 | the principal may not do this \
         |\n| 5 | a check (lint, compatibility) did not pass |\n| 130 | interrupted |\n",
    );
    page.push_str("\n## Errors\n\nEach of `errors`:\n\n");
    rows(ERROR, &mut page);
    page.push_str(
        "\nIf the whole command failed, stderr has `{\"schema\":\"ottla.error.v1\",\"error\":{...}}` and stdout \
         nothing:\n\n",
    );
    rows(FAILURE, &mut page);
    for shape in SHAPES {
        section(shape, &mut page);
    }
    let without: Vec<String> = WITHOUT
        .iter()
        .map(|words| format!("`{}`", words.join(" ")))
        .collect();
    let _ = write!(page, "\n## Without JSON\n\n{}\n", without.join(", "));
    page
}

fn section(shape: &Shape, page: &mut String) {
    let when = shape.when.map_or(String::new(), |when| format!(", {when}"));
    let _ = write!(page, "\n## ottla {}{when}\n\n", shape.words.join(" "));
    if shape.rows.is_empty() {
        page.push_str("An object a line, with `-o json` as with `-o jsonl`:\n\n");
    } else {
        let _ = write!(page, "`{}`, `{}`:\n\n", name(shape.words), shape.rows);
    }
    rows(shape.fields, page);
    if !shape.more.is_empty() {
        page.push_str("\nBeside the list:\n\n");
        rows(shape.more, page);
    }
}

fn rows(fields: &[Field], page: &mut String) {
    page.push_str("| Field | Holds | |\n|---|---|---|\n");
    for field in fields {
        row("", field, page);
    }
}

fn row(before: &str, field: &Field, page: &mut String) {
    let null = if field.nullable { " or null" } else { "" };
    let name = field.name;
    let _ = writeln!(
        page,
        "| `{before}{name}` | {}{null} | {} |",
        holds(field.holds),
        field.about
    );
    if let Holds::Objects(fields) = field.holds {
        let before = format!("{before}{name}[].");
        fields.iter().for_each(|field| row(&before, field, page));
    }
}

fn holds(holds: Holds) -> &'static str {
    match holds {
        Holds::Text => "text",
        Holds::Number => "whole number",
        Holds::Fraction => "number",
        Holds::Switch => "true or false",
        Holds::Texts => "list of texts",
        Holds::Numbers => "list of whole numbers",
        Holds::Objects(_) => "list of objects",
        Holds::NamesOfNames => "object of objects of texts",
        Holds::Pairs => "list of [text, text or null]",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_reference_page_is_written_from_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/json.md");
        let page = super::page();
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, &page).expect("the page can be written");
        }
        let committed = std::fs::read_to_string(&path).expect("the page is committed");
        assert!(
            committed == page,
            "docs/reference/json.md is behind the table: run with UPDATE_EXPECT=1"
        );
    }
}
