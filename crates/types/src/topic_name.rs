//! Topic names and Kafka's rule for them (`org.apache.kafka.common.internals.Topic`).

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A legal topic name: 1 to 249 of `[a-zA-Z0-9._-]`, neither `.` nor `..`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Arc<str>);

/// Why a topic name was refused; the text says what is legal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopicName {
    #[error("the topic name is empty")]
    Empty,
    #[error("the topic name cannot be \".\" or \"..\"")]
    Dots,
    #[error("the topic name is {length} characters long, at most 249 are allowed")]
    TooLong { length: usize },
    #[error(
        "the topic name \"{name}\" contains characters other than ASCII letters and digits, '.', '_' and '-'"
    )]
    Character { name: String },
}

impl TopicName {
    pub const LENGTH_MAX: usize = 249;

    pub fn new(name: &str) -> Result<TopicName, InvalidTopicName> {
        if name.is_empty() {
            return Err(InvalidTopicName::Empty);
        }
        if name == "." || name == ".." {
            return Err(InvalidTopicName::Dots);
        }
        if Self::LENGTH_MAX < name.len() {
            return Err(InvalidTopicName::TooLong { length: name.len() });
        }
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if !name.bytes().all(legal) {
            return Err(InvalidTopicName::Character {
                name: name.to_owned(),
            });
        }
        Ok(TopicName(name.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Two names that differ only in `.` and `_` collide: Kafka's metric names cannot tell them apart.
    pub fn collides_with(&self, other: &TopicName) -> bool {
        let same = |(a, b): (u8, u8)| a == b || (matches!(a, b'.' | b'_') && matches!(b, b'.' | b'_'));
        self.0.len() == other.0.len() && self.0.bytes().zip(other.0.bytes()).all(same)
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for TopicName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_limit_is_249() {
        assert!(TopicName::new(&"a".repeat(249)).is_ok());
        assert_eq!(
            TopicName::new(&"a".repeat(250)),
            Err(InvalidTopicName::TooLong { length: 250 })
        );
    }

    #[test]
    fn odd_names_are_refused() {
        for name in ["", ".", "..", "a b", "a/b", "ä"] {
            assert!(TopicName::new(name).is_err(), "{name}");
        }
        assert!(TopicName::new("__consumer_offsets-1.x").is_ok());
    }

    #[test]
    fn dots_and_underscores_collide() {
        let name = |name| TopicName::new(name).expect("legal");
        assert!(name("a.b_c").collides_with(&name("a_b.c")));
        assert!(!name("a.b").collides_with(&name("a-b")));
    }
}
