//! Message indexes: the path from a file to the message that a record holds, and its bytes on the wire.
//!
//! Schema Registry's wire format: the count and then each position as zig-zag varints; the common path `[0]`, the
//! first message of the file, is the single byte 0.

use prost_reflect::MessageDescriptor;

use super::ProtobufSchema;

/// Nesting of messages that the wire may name; the parser allows 31.
const DEPTH_MAX: usize = 64;

/// Positions: of a message in the file, of a message inside that one, and so on. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageIndexes(Vec<u32>);

/// Why bytes are no message indexes, or name no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    #[error("message indexes end after {0} bytes")]
    Short(usize),
    #[error("{0} message indexes, 1 to {DEPTH_MAX} are possible")]
    Count(i64),
    #[error("message index {0} is out of range")]
    Range(i64),
    #[error("no message at {0:?} in this file")]
    Missing(Vec<u32>),
}

impl MessageIndexes {
    /// The first message of the file.
    pub fn first() -> MessageIndexes {
        MessageIndexes(vec![0])
    }

    /// The positions, outermost first.
    pub fn positions(&self) -> &[u32] {
        &self.0
    }

    /// The path to `message` inside its file. The messages that stand for map entries are not counted: nobody wrote
    /// them, and Schema Registry's Java clients count what is written.
    pub fn of(message: &MessageDescriptor) -> MessageIndexes {
        let mut positions = Vec::new();
        let mut at = Some(message.clone());
        while let Some(message) = at {
            let parent = message.parent_message();
            let position = match &parent {
                Some(parent) => written(parent.child_messages()).position(|child| child == message),
                None => message
                    .parent_file()
                    .messages()
                    .position(|other| other == message),
            };
            positions.push(
                position
                    .and_then(|position| u32::try_from(position).ok())
                    .unwrap_or_default(),
            );
            at = parent;
        }
        positions.reverse();
        MessageIndexes(positions)
    }

    /// Appends the bytes.
    ///
    /// ```
    /// use schema::protobuf::MessageIndexes;
    /// let mut bytes = Vec::new();
    /// MessageIndexes::first().write(&mut bytes);
    /// assert_eq!(bytes, [0]);
    /// assert_eq!(MessageIndexes::read(&[4, 2, 0, 99]).unwrap().0.positions(), [1, 0]);
    /// ```
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.0 == [0] {
            out.push(0);
            return;
        }
        write_varint(out, self.0.len() as i64);
        self.0
            .iter()
            .for_each(|position| write_varint(out, i64::from(*position)));
    }

    /// Reads from the front of `bytes`; answers how many bytes were read.
    pub fn read(bytes: &[u8]) -> Result<(MessageIndexes, usize), IndexError> {
        let mut at = 0;
        let count = read_varint(bytes, &mut at)?;
        if count == 0 {
            return Ok((MessageIndexes::first(), at));
        }
        let positions = usize::try_from(count).ok().filter(|count| *count <= DEPTH_MAX);
        let mut found = Vec::new();
        for _ in 0..positions.ok_or(IndexError::Count(count))? {
            let position = read_varint(bytes, &mut at)?;
            found.push(u32::try_from(position).map_err(|_| IndexError::Range(position))?);
        }
        Ok((MessageIndexes(found), at))
    }
}

impl ProtobufSchema {
    /// The message at that path.
    pub fn message_at(&self, indexes: &MessageIndexes) -> Result<MessageDescriptor, IndexError> {
        let missing = || IndexError::Missing(indexes.0.clone());
        let mut positions = indexes.0.iter().map(|position| *position as usize);
        let first = positions.next().ok_or_else(missing)?;
        let mut message = self.file().messages().nth(first).ok_or_else(missing)?;
        for position in positions {
            let child = written(message.child_messages())
                .nth(position)
                .ok_or_else(missing)?;
            message = child;
        }
        Ok(message)
    }
}

fn written(messages: impl Iterator<Item = MessageDescriptor>) -> impl Iterator<Item = MessageDescriptor> {
    messages.filter(|message| !message.is_map_entry())
}

fn write_varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn read_varint(bytes: &[u8], at: &mut usize) -> Result<i64, IndexError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or(IndexError::Short(bytes.len()))?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    Err(IndexError::Range(value as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Limits, Source};

    #[test]
    fn every_message_is_found_by_its_indexes() {
        let text = "syntax=\"proto3\"; message A { map<string, int32> m = 1; message B {} message C { message D {} } }
            message E {}";
        let source = Source::new(Format::Protobuf, text);
        let schema = ProtobufSchema::parse_source(&source, &Limits::default()).unwrap();
        for (name, positions) in [
            ("A", vec![0]),
            ("A.B", vec![0, 0]),
            ("A.C.D", vec![0, 1, 0]),
            ("E", vec![1]),
        ] {
            let indexes = MessageIndexes::of(&schema.message(name).unwrap());
            assert_eq!(indexes.positions(), positions, "{name}");
            assert_eq!(schema.message_at(&indexes).unwrap().full_name(), name);
            let mut bytes = Vec::new();
            indexes.write(&mut bytes);
            bytes.push(9);
            assert_eq!(MessageIndexes::read(&bytes).unwrap(), (indexes, bytes.len() - 1));
        }
        assert_eq!(
            schema.message_at(&MessageIndexes(vec![7])),
            Err(IndexError::Missing(vec![7]))
        );
    }

    #[test]
    fn bytes_that_are_no_indexes_are_refused() {
        assert_eq!(MessageIndexes::read(&[]), Err(IndexError::Short(0)));
        assert_eq!(MessageIndexes::read(&[4, 0]), Err(IndexError::Short(2)));
        assert_eq!(MessageIndexes::read(&[1]), Err(IndexError::Count(-1)));
        assert_eq!(MessageIndexes::read(&[130, 1]), Err(IndexError::Count(65)));
        assert_eq!(MessageIndexes::read(&[2, 1]), Err(IndexError::Range(-1)));
        assert!(matches!(
            MessageIndexes::read(&[0xff; 11]),
            Err(IndexError::Range(_))
        ));
    }
}
