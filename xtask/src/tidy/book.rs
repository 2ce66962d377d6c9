//! The book in `docs/` and every other page: links lead somewhere, and every page stands in the table of contents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Finding;

const CONTENTS: &str = "docs/SUMMARY.md";
/// Decisions are found by their number, not by reading on.
const NOT_IN_THE_BOOK: &[&str] = &["docs/adr/"];

pub fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let mut pages = BTreeMap::new();
    for path in markdown(root, 0)? {
        let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
        pages.insert(name, std::fs::read_to_string(&path)?);
    }
    let mut findings = Vec::new();
    for (name, text) in &pages {
        for (line, target) in links(text) {
            if let Some(wrong) = broken(root, &pages, name, &target) {
                findings.push(format!("{name}:{line}: {wrong}"));
            }
        }
    }
    findings.extend(missing_pages(&pages));
    Ok(findings)
}

/// Markdown files of the repository, without what builds and downloads leave.
fn markdown(folder: &Path, depth: usize) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let made = name.starts_with('.') || name.starts_with("target") || name == "node_modules";
        if path.is_dir() && !made && depth < 6 {
            found.extend(markdown(&path, depth + 1)?);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Targets of `[text](target)` with their lines, outside of code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, text) in prose(text) {
        for part in text.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((
                    line,
                    target.split_whitespace().next().unwrap_or_default().to_owned(),
                ));
            }
        }
    }
    found
}

/// Lines with their numbers, without fenced code; code spans are emptied.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        let plain: Vec<&str> = line.split('`').step_by(2).collect();
        (!fenced).then(|| (at + 1, plain.join("``")))
    })
}

fn broken(root: &Path, pages: &BTreeMap<String, String>, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(from).parent().unwrap_or(Path::new(""));
    let name = match path {
        "" => from.to_owned(),
        path => normal(&folder.join(path)),
    };
    if !root.join(&name).exists() {
        return Some(format!("the link {target} leads nowhere"));
    }
    let page = pages.get(&name).filter(|_| !anchor.is_empty())?;
    let known: BTreeSet<String> = headings(page).map(|heading| slug(&heading)).collect();
    (!known.contains(anchor)).then(|| format!("{name} has no heading #{anchor}"))
}

/// A path without `..`.
fn normal(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.to_str().unwrap_or_default().split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn headings(text: &str) -> impl Iterator<Item = String> {
    let mut fenced = false;
    text.lines().filter_map(move |line| {
        fenced ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        let is = heading.len() < line.len() && heading.starts_with(' ') && !fenced;
        is.then(|| heading.trim().to_owned())
    })
}

/// The anchor of a heading, as mdBook and GitHub make it.
fn slug(heading: &str) -> String {
    let kept = |letter: char| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter if letter.is_alphanumeric() => Some(letter.to_ascii_lowercase()),
        _ => None,
    };
    heading.chars().filter_map(kept).collect()
}

fn missing_pages(pages: &BTreeMap<String, String>) -> Vec<Finding> {
    let Some(contents) = pages.get(CONTENTS) else {
        return vec![format!("{CONTENTS} is missing")];
    };
    let listed: BTreeSet<String> = links(contents)
        .into_iter()
        .map(|(_, target)| normal(&Path::new("docs").join(target)))
        .collect();
    let unlisted = |name: &&String| {
        let in_book = name.starts_with("docs/") && name.as_str() != CONTENTS;
        in_book && !NOT_IN_THE_BOOK.iter().any(|folder| name.starts_with(folder)) && !listed.contains(*name)
    };
    let found = pages.keys().filter(unlisted);
    found
        .map(|name| format!("{name}: {CONTENTS} does not list it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code() {
        let text = "see [a](b.md) and [c](d.md#e \"title\")\n```sh\n[x](y)\n```\n`[not](this)` [z](#w)\n";
        let found: Vec<String> = links(text).into_iter().map(|(_, target)| target).collect();
        assert_eq!(found, ["b.md", "d.md#e", "#w"]);
    }

    #[test]
    fn a_link_to_nothing_and_a_page_without_a_place_are_found() {
        let page = |text: &str| text.to_owned();
        let pages = BTreeMap::from([
            ("docs/SUMMARY.md".to_owned(), page("- [A](a.md)\n")),
            (
                "docs/a.md".to_owned(),
                page("# The `first` one\n[b](#the-first-one) [c](#no) [d](x/none.md)\n"),
            ),
            ("docs/b.md".to_owned(), page("")),
            ("docs/adr/0001.md".to_owned(), page("")),
        ]);
        assert_eq!(
            missing_pages(&pages),
            ["docs/b.md: docs/SUMMARY.md does not list it"]
        );
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let missing = broken(root, &pages, "docs/a.md", "x/none.md");
        assert!(missing.is_some_and(|wrong| wrong.contains("leads nowhere")));
        assert_eq!(normal(Path::new("docs/x/../a.md")), "docs/a.md");
        assert_eq!(slug("The `first` one, again"), "the-first-one-again");
    }
}
