//! Rust types in and out of the binary encoding, by serde, with no values in between.
//!
//! | Avro | Rust |
//! |---|---|
//! | record | struct, or a map with text keys; fields by name |
//! | union with null | `Option` |
//! | other unions | the type of the branch; an enum whose variants are named as the branches |
//! | enum | unit variants, or text |
//! | bytes, fixed | bytes (`serde_bytes`-like), or a sequence of `u8` |

mod de;
mod ser;

use serde::{Deserialize, Serialize};

use super::{DataError, Decoder, Encoder};

impl Decoder {
    /// Reads one datum that takes all of `bytes` as a Rust type. What it borrows comes from the bytes or, for defaults,
    /// from this decoder.
    ///
    /// ```
    /// use schema::{Work, avro::{AvroSchema, Decoder, Encoder}};
    /// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    /// struct Order {
    ///     id: i64,
    ///     note: Option<String>,
    /// }
    /// let schema = AvroSchema::parse(
    ///     r#"{"type": "record", "name": "Order", "fields": [
    ///         {"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"]}]}"#,
    /// )?;
    /// let order = Order { id: 7, note: Some("fragile".into()) };
    /// let mut bytes = Vec::new();
    /// Encoder::new(&schema).serialize(&order, &mut bytes)?;
    /// let decoder = Decoder::new(&schema, &schema, &mut Work::default())?;
    /// assert_eq!(decoder.deserialize::<Order>(&bytes)?, order);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn deserialize<'de, T: Deserialize<'de>>(&'de self, bytes: &'de [u8]) -> Result<T, DataError> {
        de::from_bytes(self, bytes)
    }
}

impl Encoder {
    /// Appends the encoding of a Rust value. After an error `out` is as it was.
    ///
    /// Fields in the schema's order are written straight; others are put in order first.
    pub fn serialize<T: Serialize + ?Sized>(&self, value: &T, out: &mut Vec<u8>) -> Result<(), DataError> {
        let before = out.len();
        let done = ser::append(self, value, out);
        if done.is_err() {
            out.truncate(before);
        }
        done
    }
}

#[cfg(test)]
mod tests;
