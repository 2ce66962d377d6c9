//! Arbitrary bytes, mostly golden messages with something changed. A few thousand rounds in an ordinary run;
//! `OTTLA_FUZZ_ROUNDS=1000000` makes it a million for each request, and `cargo bolero` fuzzes without end.

use std::time::Duration;

use bolero::TypeGenerator;
use bytes::Bytes;
use protocol::header::RequestHeader;
use protocol::messages::{fetch_request, produce_request};
use protocol::{ApiKey, DecodeError};

use crate::codec::Codec;
use crate::every_message::every_message;
use crate::golden::committed;

/// What is done to a golden message.
#[derive(Debug, Clone, TypeGenerator)]
struct Change {
    which: u16,
    at: u16,
    put: [u8; 4],
    puts: u8,
    cut: u16,
    cuts: bool,
    tail: [u8; 8],
    tails: u8,
}

impl Change {
    fn of(&self, golden: &[(i16, Bytes)]) -> (i16, Vec<u8>) {
        let Some((version, bytes)) = golden.get(usize::from(self.which) % golden.len().max(1)) else {
            return (0, Vec::new());
        };
        let mut bytes = bytes.to_vec();
        let at = usize::from(self.at) % (bytes.len() + 1);
        for (place, put) in bytes
            .iter_mut()
            .skip(at)
            .zip(&self.put)
            .take(usize::from(self.puts % 5))
        {
            *place = *put;
        }
        if self.cuts {
            bytes.truncate(usize::from(self.cut) % (bytes.len() + 1));
        }
        bytes.extend(self.tail.iter().take(usize::from(self.tails) % 9));
        (*version, bytes)
    }
}

fn rounds(ordinary: usize) -> usize {
    std::env::var("OTTLA_FUZZ_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ordinary)
}

fn golden_of(codec: &Codec) -> Vec<(i16, Bytes)> {
    let same = committed()
        .into_iter()
        .filter(|golden| golden.area == codec.area && golden.name == codec.name);
    same.map(|golden| (golden.version, golden.bytes)).collect()
}

/// What is read whole can be written, and what is written then never changes any more.
fn check_body(codec: &Codec, version: i16, body: Bytes) {
    let Ok(written) = codec.again(body.clone(), version) else {
        return;
    };
    let written = written.unwrap_or_else(|error| panic!("{} v{version}: {error}: {body:?}", codec.name));
    let again = codec
        .again(written.clone(), version)
        .expect("our own bytes are read");
    assert_eq!(again, Ok(written), "{} v{version} of {body:?}", codec.name);
}

/// The view refuses what the owned request refuses, but for its limits on memory, which a view does not need.
fn check_view(codec: &Codec, version: i16, body: &Bytes) {
    let view = match codec.name {
        "ProduceRequest" => produce_request::view::ProduceRequest::decode(body, version).map(drop),
        "FetchRequest" => fetch_request::view::FetchRequest::decode(body, version).map(drop),
        _ => return,
    };
    let mut budget = protocol::Budget::new(usize::MAX);
    let owned = codec.decode(body.clone(), version, &mut budget).map(drop);
    let limit = |error: &DecodeError| {
        use DecodeError::{CountExceedsFrame, TooManyTags, Trailing, UnknownBytes};
        matches!(
            error,
            CountExceedsFrame { .. } | TooManyTags { .. } | Trailing { .. } | UnknownBytes { .. }
        )
    };
    match (&view, &owned) {
        (Ok(()), Err(error)) => assert!(
            limit(error),
            "{} v{version}: only the owned fails: {error}",
            codec.name
        ),
        (Err(error), Ok(())) => panic!(
            "{} v{version}: only the view fails: {error}: {body:?}",
            codec.name
        ),
        _ => {}
    }
}

#[test]
fn changed_requests_never_panic_and_settle_in_one_round() {
    for codec in every_message().iter().filter(|codec| codec.key.is_some()) {
        let golden = golden_of(codec);
        bolero::check!()
            .with_iterations(rounds(300))
            .with_test_time(Duration::MAX)
            .with_type::<Change>()
            .for_each(|change| {
                let (version, body) = change.of(&golden);
                let body = Bytes::from(body);
                check_view(codec, version, &body);
                check_body(codec, version, body);
            });
    }
}

#[test]
fn changed_responses_and_records_never_panic_and_settle_in_one_round() {
    for codec in every_message().iter().filter(|codec| codec.key.is_none()) {
        let golden = golden_of(codec);
        let many = rounds(100);
        bolero::check!()
            .with_iterations(many)
            .with_test_time(Duration::MAX)
            .with_type::<Change>()
            .for_each(|change| {
                let (version, body) = change.of(&golden);
                check_body(codec, version, Bytes::from(body));
            });
    }
}

#[test]
fn changed_headers_never_panic_and_the_body_lies_in_the_frame() {
    let headers: Vec<(i16, Bytes)> = ApiKey::ALL
        .iter()
        .map(|key| {
            let version = *key.valid_versions().end();
            let [key_high, key_low] = key.code().to_be_bytes();
            let [high, low] = version.to_be_bytes();
            let header = [
                key_high, key_low, high, low, 0, 0, 0, 7, 0, 2, b'm', b'e', 1, 3, 1, 9, 42, 42,
            ];
            (version, Bytes::copy_from_slice(&header))
        })
        .collect();
    bolero::check!()
        .with_iterations(rounds(20_000))
        .with_test_time(Duration::MAX)
        .with_type::<Change>()
        .for_each(|change| {
            let (_, frame) = change.of(&headers);
            let frame = Bytes::from(frame);
            if let Ok((header, body_at)) = RequestHeader::decode_frame(&frame) {
                assert!(body_at <= frame.len());
                assert_eq!(header.api_key.to_be_bytes(), frame[..2]);
            }
        });
}
