//! A line at level ERROR is for a person: it says what to do (`action = "..."`).

use super::Finding;

pub fn check(name: &str, text: &str) -> Vec<Finding> {
    if name.contains("/tests/") || name.contains("/examples/") || name.starts_with("xtask/") {
        return Vec::new();
    }
    let calls = text.match_indices("error!(");
    let calls = calls
        .filter(|(at, _)| !text[..*at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_'));
    let silent = calls.filter(|(at, _)| !call(&text[*at..]).contains("action ="));
    silent
        .map(|(at, _)| {
            let line = text[..at].lines().count();
            format!("{name}:{line}: an error line says what a person should do: action = \"...\"")
        })
        .collect()
}

/// A macro's call up to its closing parenthesis; parentheses in strings count as any other letter.
fn call(text: &str) -> &str {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '(' if !in_string => depth += 1,
            ')' if !in_string => {
                depth -= 1;
                if depth == 0 {
                    return &text[..at];
                }
            }
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_an_action_is_found() {
        let good = "tracing::error!(%error, action = \"replace the disk :)\", \"it failed\");";
        assert!(check("crates/x/src/a.rs", good).is_empty());
        let bad = "fn f() {\n    error!(%error, \"it failed (\");\n    other(action = 1);\n}";
        assert_eq!(check("crates/x/src/a.rs", bad).len(), 1);
        assert!(check("crates/x/src/a.rs", bad)[0].starts_with("crates/x/src/a.rs:2:"));
        assert!(check("crates/x/src/a.rs", "compile_error!(\"no\");").is_empty());
    }
}
