//! Kafka's UUIDs: 16 bytes, written as 22 characters of URL-safe base64 without padding
//! (`org.apache.kafka.common.Uuid`).

use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(pub [u8; 16]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a Kafka UUID: 22 characters of URL-safe base64 are wanted")]
pub struct InvalidUuid(pub String);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Uuid {
    /// No id: "use the name".
    pub const ZERO: Uuid = Uuid([0; 16]);
    /// Kafka's id of the topic `__cluster_metadata`.
    pub const METADATA_TOPIC: Uuid = Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    pub fn is_zero(self) -> bool {
        self == Uuid::ZERO
    }

    /// A version-4 UUID of 16 random bytes. Kafka keeps the reserved ids and those whose text begins
    /// with '-' out of use, since tools would take it for a flag: `None` then, draw again.
    pub fn from_random(random: [u8; 16]) -> Option<Uuid> {
        let mut bytes = random;
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let starts_with_dash = bytes[0] >> 2 == 62;
        (!starts_with_dash).then_some(Uuid(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 22];
        let value = u128::from_be_bytes(self.0);
        for (index, slot) in text.iter_mut().enumerate() {
            // 128 bits are 21 whole characters and one of two bits.
            let sextet = if index < 21 {
                value >> (122 - 6 * index)
            } else {
                value << 4
            };
            *slot = ALPHABET[(sextet & 63) as usize];
        }
        f.write_str(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uuid {
    type Err = InvalidUuid;

    fn from_str(text: &str) -> Result<Uuid, InvalidUuid> {
        let invalid = || InvalidUuid(text.chars().take(64).collect());
        if text.len() != 22 {
            return Err(invalid());
        }
        let mut value = 0u128;
        for (index, byte) in text.bytes().enumerate() {
            let sextet = ALPHABET
                .iter()
                .position(|letter| *letter == byte)
                .ok_or_else(invalid)? as u128;
            if index < 21 {
                value = (value << 6) | sextet;
            } else {
                value = (value << 2) | (sextet >> 4);
            }
        }
        Ok(Uuid(value.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_topic_has_its_known_text() {
        assert_eq!(Uuid::METADATA_TOPIC.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!("AAAAAAAAAAAAAAAAAAAAAQ".parse(), Ok(Uuid::METADATA_TOPIC));
    }

    #[test]
    fn text_round_trips() {
        let uuid = Uuid([0xfb, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);
        assert_eq!(uuid.to_string().parse(), Ok(uuid));
        assert!("short".parse::<Uuid>().is_err());
        assert!("!AAAAAAAAAAAAAAAAAAAAQ".parse::<Uuid>().is_err());
    }

    #[test]
    fn a_text_that_looks_like_a_flag_is_drawn_again() {
        assert_eq!(Uuid::from_random([0xf8; 16]), None);
        assert!(Uuid::from_random([1; 16]).is_some());
    }
}
