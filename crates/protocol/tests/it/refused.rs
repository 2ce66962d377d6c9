//! What is refused: the shapes of the known CVEs, cut messages, fields that a version does not have.

use bytes::{BufMut, Bytes, BytesMut};
use protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use protocol::messages::produce_request::ProduceRequest;
use protocol::{Budget, Decode, DecodeError, Encode, EncodeError, Reader, Segments};

use crate::every_message::every_message;
use crate::golden::committed;

fn metadata(version: i16, body: &[u8]) -> Result<MetadataRequest, DecodeError> {
    let mut budget = Budget::before_authentication(body.len());
    MetadataRequest::decode(
        &mut Reader::new(Bytes::copy_from_slice(body)),
        version,
        &mut budget,
    )
}

/// CVE-2022-34917: a count with nothing behind it.
#[test]
fn an_array_count_beyond_the_frame_is_refused() {
    for (version, body) in [
        (0, &[0x7f, 0xff, 0xff, 0xff][..]),
        (9, &[0xff, 0xff, 0xff, 0xff, 0x0f][..]),
    ] {
        let refused = metadata(version, body);
        assert!(
            matches!(refused, Err(DecodeError::CountExceedsFrame { .. })),
            "v{version}: {refused:?}"
        );
    }
    // Kafka reads any negative count as null, and v0 has no null here.
    assert_eq!(
        metadata(0, &[0x80, 0, 0, 0]),
        Err(DecodeError::Null { field: "Topics" })
    );
}

/// CVE-2026-111108: few bytes on the wire for many in memory.
#[test]
fn an_honest_count_of_tiny_elements_meets_the_budget() {
    let topics = 1 << 20;
    let mut body = BytesMut::new();
    body.put_i32(topics);
    body.put_bytes(0, 2 * topics as usize);
    // Two bytes each, some sixty in memory.
    let refused = metadata(0, &body);
    assert_eq!(refused, Err(DecodeError::Budget));
}

/// CVE-2026-111115 is the same in the header, see `protocol::header`.
#[test]
fn a_tag_count_beyond_the_limit_is_refused() {
    let mut body = vec![1, 0, 0, 0, 65];
    assert_eq!(
        metadata(9, &body),
        Err(DecodeError::CountExceedsFrame { at: 5, count: 65 })
    );
    body.extend([0; 200]);
    assert_eq!(metadata(9, &body), Err(DecodeError::TooManyTags { max: 64 }));
}

#[test]
fn unknown_tags_are_kept_up_to_their_limits() {
    let with_tags = |count: u8, bytes: usize| {
        // No topic, three booleans, then the tags.
        let mut body = BytesMut::from(&[1, 0, 0, 0, count][..]);
        for tag in 0..count {
            body.put_u8(tag);
            let low = (bytes & 0x7f) as u8 | 0x80;
            body.put_slice(&[low, (bytes >> 7 & 0x7f) as u8 | 0x80, (bytes >> 14) as u8]);
            body.put_bytes(7, bytes);
        }
        metadata(9, &body).map(|message| message.unknown_tagged_fields.len())
    };
    assert_eq!(with_tags(64, 1), Ok(64));
    assert_eq!(with_tags(65, 1), Err(DecodeError::TooManyTags { max: 64 }));
    assert_eq!(with_tags(1, 64 << 10), Ok(1));
    assert_eq!(
        with_tags(2, (32 << 10) + 1),
        Err(DecodeError::UnknownBytes { max: 64 << 10 })
    );
}

#[test]
fn no_golden_message_can_be_cut_short() {
    let every = every_message();
    for golden in committed() {
        let codec = every
            .iter()
            .find(|codec| codec.name == golden.name && codec.area == golden.area);
        let codec = codec.expect("a codec of every golden message");
        for length in 0..golden.bytes.len() {
            let cut = golden.bytes.slice(..length);
            let read = codec.decode(cut, golden.version, &mut Budget::after_authentication(length));
            assert!(
                read.is_err(),
                "{} v{} of {length} bytes was read",
                golden.name,
                golden.version
            );
        }
    }
}

#[test]
fn a_field_that_a_version_lacks_is_refused_unless_it_is_the_default() {
    let mut sink = Segments::new();
    let message = MetadataRequest {
        topics: Some(Vec::new()),
        ..MetadataRequest::default()
    };
    assert_eq!(message.encode(0, &mut sink), Ok(()));
    let message = MetadataRequest {
        allow_auto_topic_creation: false,
        ..message
    };
    assert!(matches!(
        message.encode(3, &mut sink),
        Err(EncodeError::Unsupported { version: 3, .. })
    ));
    assert_eq!(message.encode(4, &mut sink), Ok(()));
}

#[test]
fn null_is_refused_in_versions_that_have_none() {
    let mut sink = Segments::new();
    let message = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    assert_eq!(
        message.encode(0, &mut sink),
        Err(EncodeError::Null {
            field: "Topics",
            version: 0
        })
    );
    assert_eq!(message.encode(1, &mut sink), Ok(()));
    assert_eq!(
        metadata(0, &[0xff; 4]),
        Err(DecodeError::Null { field: "Topics" })
    );
    assert_eq!(metadata(1, &[0xff; 4]).map(|message| message.topics), Ok(None));
    let unnamed = MetadataRequestTopic {
        name: None,
        ..MetadataRequestTopic::default()
    };
    let message = MetadataRequest {
        topics: Some(vec![unnamed]),
        ..MetadataRequest::default()
    };
    assert!(matches!(
        message.encode(9, &mut sink),
        Err(EncodeError::Null { version: 9, .. })
    ));
}

#[test]
fn text_longer_than_a_short_is_refused_both_ways() {
    let long = "x".repeat(32_768);
    let message = ProduceRequest {
        transactional_id: Some(long.as_str().into()),
        ..ProduceRequest::default()
    };
    for version in [3, 9] {
        let written = message.encode(version, &mut Segments::new());
        assert_eq!(written, Err(EncodeError::TooLong { length: 32_768 }));
    }
    let mut body = BytesMut::from(&[0x81, 0x80, 0x02][..]);
    body.put_slice(long.as_bytes());
    let mut budget = Budget::after_authentication(body.len());
    let read = ProduceRequest::decode(&mut Reader::new(body.freeze()), 9, &mut budget);
    assert!(
        matches!(read, Err(DecodeError::Length { length: 32_768, .. })),
        "{read:?}"
    );
}
