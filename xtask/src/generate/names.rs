//! Rust names for Kafka's names.

/// `TopicData` -> `topic_data`, `LastKnownELR` -> `last_known_elr`.
pub fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(index + 1);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if starts_word {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// A field's name, escaped where it is a Rust keyword.
pub fn field(name: &str) -> String {
    let name = snake(name);
    let keyword = matches!(
        name.as_str(),
        "type" | "match" | "ref" | "final" | "move" | "use" | "self" | "in"
    );
    if keyword { format!("r#{name}") } else { name }
}
