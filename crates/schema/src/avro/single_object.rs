//! Single-object encoding: one datum that names its schema by a fingerprint.

use super::model::AvroSchema;

const MARKER: [u8; 2] = [0xc3, 0x01];

/// Appends the header of a datum of `schema`: C3 01 and the CRC-64-AVRO of its canonical form, little-endian.
///
/// ```
/// use schema::avro::{AvroSchema, put_single_object_header, take_single_object_header};
/// let schema = AvroSchema::parse("\"int\"")?;
/// let mut bytes = Vec::new();
/// put_single_object_header(&schema, &mut bytes);
/// bytes.push(4);
/// let (fingerprint, datum) = take_single_object_header(&bytes).unwrap();
/// assert_eq!((fingerprint, datum), (schema.fingerprint_rabin(), [4].as_slice()));
/// # Ok::<(), schema::SchemaError>(())
/// ```
pub fn put_single_object_header(schema: &AvroSchema, out: &mut Vec<u8>) {
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&schema.fingerprint_rabin().to_le_bytes());
}

/// The fingerprint of the schema and the datum; nothing when the bytes are not in single-object encoding.
pub fn take_single_object_header(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let rest = bytes.strip_prefix(&MARKER)?;
    let (fingerprint, datum) = rest.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*fingerprint), datum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_are_no_single_object() {
        assert_eq!(
            take_single_object_header(&[0xc3, 0x02, 0, 0, 0, 0, 0, 0, 0, 0]),
            None
        );
        assert_eq!(
            take_single_object_header(&[0xc3, 0x01, 0, 0, 0, 0, 0, 0, 0]),
            None
        );
        assert_eq!(
            take_single_object_header(&[0xc3, 0x01, 1, 0, 0, 0, 0, 0, 0, 0]),
            Some((1, [].as_slice()))
        );
    }
}
