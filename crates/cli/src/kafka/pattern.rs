//! Patterns of names: regular expressions that must match the whole name, several by commas (`IncludeList`).

use regex::Regex;

use super::Stop;

#[derive(Debug)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    pub(crate) fn new(text: &str) -> Result<Pattern, Stop> {
        let trimmed = text.trim().replace(',', "|").replace(' ', "");
        let quotes = |c| c == '"' || c == '\'';
        let trimmed = trimmed.trim_start_matches(quotes).trim_end_matches(quotes);
        let wrong = |_| Stop::Usage(format!("{text} is an invalid regex."));
        Regex::new(&format!("^(?:{trimmed})$"))
            .map(Pattern)
            .map_err(wrong)
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// Kafka's own topics (`Topic.isInternal`).
pub(crate) fn is_internal(topic: &str) -> bool {
    matches!(
        topic,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_the_whole_name_or_one_of_several() {
        let pattern = Pattern::new("a.*,b").expect("good");
        assert!(
            pattern.matches("abc")
                && pattern.matches("b")
                && !pattern.matches("bc")
                && !pattern.matches("ca")
        );
        assert!(Pattern::new("(").is_err());
    }
}
