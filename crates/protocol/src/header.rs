//! What stands before every request and response.
//!
//! Request headers are v2 from a key's first flexible version on, v1 before; `client_id` stays a plain nullable string
//! in both. Response headers are v1 and v0, and v0 always for ApiVersions, so that a client of any age can read it
//! (KIP-511; traps 2 and 102).

use bytes::Bytes;

use crate::view::Cursor;
use crate::{ApiKey, DecodeError, Segments, Str};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeader {
    pub api_key: i16,
    pub api_version: i16,
    pub correlation_id: i32,
    pub client_id: Option<Str>,
}

impl RequestHeader {
    /// Reads the header of a frame, and says where the body begins. A key that is not known has no body to find:
    /// its header ends after the client id.
    pub fn decode_frame(frame: &Bytes) -> Result<(RequestHeader, usize), DecodeError> {
        let mut cursor = Cursor::new(frame);
        let api_key = cursor.i16()?;
        let api_version = cursor.i16()?;
        let correlation_id = cursor.i32()?;
        let key = ApiKey::from_code(api_key);
        // Any negative length is null: Kafka reads it so (trap 115).
        let length = usize::try_from(cursor.i16()?).ok();
        let client_id = match length {
            None => None,
            Some(length) => {
                let at = cursor.position();
                cursor.take(length)?;
                let text = frame.slice(at..at + length);
                Some(Str::from_utf8(text).ok_or(DecodeError::Utf8 { at })?)
            }
        };
        if key.is_some_and(|key| is_flexible(key, api_version)) {
            let mut tags = cursor.tags()?;
            while cursor.next_tag(&mut tags)?.is_some() {}
        }
        Ok((
            RequestHeader {
                api_key,
                api_version,
                correlation_id,
                client_id,
            },
            cursor.position(),
        ))
    }

    /// Writes the header for a request of ours.
    pub fn encode(&self, key: ApiKey, sink: &mut Segments) {
        sink.put_i16(self.api_key);
        sink.put_i16(self.api_version);
        sink.put_i32(self.correlation_id);
        match &self.client_id {
            None => sink.put_i16(-1),
            Some(text) => {
                sink.put_i16(text.len().min(i16::MAX as usize) as i16);
                sink.put_slice(text.as_bytes());
            }
        }
        if is_flexible(key, self.api_version) {
            sink.put_unsigned_varint(0);
        }
    }
}

fn is_flexible(key: ApiKey, version: i16) -> bool {
    key.flexible_from().is_some_and(|first| first <= version)
}

/// Whether a response of this version has a tag section in its header.
pub fn response_is_flexible(key: ApiKey, version: i16) -> bool {
    key != ApiKey::ApiVersions && is_flexible(key, version)
}

pub fn encode_response_header(key: ApiKey, version: i16, correlation_id: i32, sink: &mut Segments) {
    sink.put_i32(correlation_id);
    if response_is_flexible(key, version) {
        sink.put_unsigned_varint(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flexible_header_skips_its_tags() {
        let frame = Bytes::from_static(&[0, 18, 0, 3, 0, 0, 0, 9, 0, 1, b'c', 1, 5, 2, 7, 7, 99]);
        let (header, body_at) = RequestHeader::decode_frame(&frame).expect("whole");
        assert_eq!(
            (header.correlation_id, header.client_id),
            (9, Some(Str::from("c")))
        );
        assert_eq!(frame[body_at..], [99]);
    }

    #[test]
    fn a_negative_client_id_length_is_null() {
        let frame = Bytes::from_static(&[0, 18, 0, 0, 0, 0, 0, 9, 0xff, 0xfe]);
        let (header, _) = RequestHeader::decode_frame(&frame).expect("lenient");
        assert_eq!(header.client_id, None);
    }

    #[test]
    fn a_header_with_a_million_tags_is_refused() {
        let frame = Bytes::from_static(&[0, 18, 0, 3, 0, 0, 0, 9, 0xff, 0xff, 0xc0, 0x84, 0x3d, 0, 0]);
        assert!(matches!(
            RequestHeader::decode_frame(&frame),
            Err(DecodeError::TooManyTags { .. })
        ));
    }

    #[test]
    fn api_versions_answers_without_tags() {
        assert!(!response_is_flexible(ApiKey::ApiVersions, 4));
        assert!(response_is_flexible(ApiKey::Fetch, 12));
        assert!(!response_is_flexible(ApiKey::Fetch, 11));
    }
}
