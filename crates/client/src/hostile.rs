//! The client's reading of answers, without sockets: honest answers with bytes changed, cut or added, and rubbish, go
//! through everything that reads them. Nothing panics, and what decoding takes is bounded. `OTTLA_CASES` says how many.

use std::sync::Arc;

use bytes::Bytes;
use protocol::header::response_is_flexible;
use protocol::messages::fetch_response::{
    AbortedTransaction, FetchResponse, FetchableTopicResponse, PartitionData,
};
use protocol::messages::metadata_response::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::messages::*;
use protocol::{ApiKey, Encode, Segments};
use record::{BatchBuilder, BatchOptions, Codec};
use types::Uuid;

use crate::admin::read_assignment;
use crate::consumer::hostile as consumer;
use crate::metadata::Metadata;
use crate::producer::hostile as producer;
use crate::wire::{Request, Versions, decode};

/// An answer as a broker would frame it behind the size.
fn framed(key: ApiKey, version: i16, body: &impl Encode) -> Vec<u8> {
    let mut sink = Segments::new();
    sink.put_i32(7);
    if response_is_flexible(key, version) {
        sink.put_slice(&[0]);
    }
    body.encode(version, &mut sink).expect("the version can say it");
    sink.into_bytes().to_vec()
}

fn metadata() -> MetadataResponse {
    let broker = |node_id| MetadataResponseBroker {
        node_id,
        host: "host".into(),
        port: 9092,
        rack: Some("a".into()),
        ..MetadataResponseBroker::default()
    };
    let partition = |partition_index| MetadataResponsePartition {
        partition_index,
        leader_id: partition_index % 2,
        leader_epoch: 3,
        replica_nodes: vec![0, 1],
        isr_nodes: vec![0],
        ..MetadataResponsePartition::default()
    };
    MetadataResponse {
        brokers: vec![broker(0), broker(1)],
        topics: vec![MetadataResponseTopic {
            name: Some("t".into()),
            topic_id: Uuid([7; 16]),
            partitions: (0..3).map(partition).collect(),
            ..MetadataResponseTopic::default()
        }],
        ..MetadataResponse::default()
    }
}

/// Batches of three records, one with each codec, the last of a transaction.
fn batches() -> Vec<u8> {
    let mut all = Vec::new();
    for (n, codec) in (0i64..).zip(Codec::ALL) {
        let mut builder = BatchBuilder::new(BatchOptions {
            codec,
            base_offset: types::Offset(3 * n),
            is_transactional: n == 4,
            producer_id: types::ProducerId(n),
            producer_epoch: types::ProducerEpoch(0),
            base_sequence: 0,
            ..BatchOptions::default()
        });
        for _ in 0..3 {
            builder.push(1000, Some(b"key"), Some(b"some value"));
        }
        all.extend(builder.build().expect("memory suffices"));
    }
    all
}

fn fetched() -> FetchResponse {
    FetchResponse {
        session_id: 5,
        responses: vec![FetchableTopicResponse {
            topic_id: Uuid([7; 16]),
            partitions: vec![PartitionData {
                high_watermark: 15,
                last_stable_offset: 15,
                aborted_transactions: Some(vec![AbortedTransaction {
                    producer_id: 4,
                    first_offset: 12,
                    ..AbortedTransaction::default()
                }]),
                records: Some(Bytes::from(batches()).into()),
                ..PartitionData::default()
            }],
            ..FetchableTopicResponse::default()
        }],
        ..FetchResponse::default()
    }
}

/// Changes bytes as a script says: flips, a run, a cut, an insertion; or the script is all there is.
fn changed(mut honest: Vec<u8>, script: &[u8]) -> Bytes {
    for step in script.chunks(4) {
        let at = |place: usize| step.get(place).copied().unwrap_or(0);
        let place = usize::from(u16::from_be_bytes([at(1), at(2)])) % honest.len().max(1);
        match at(0) % 8 {
            0..=3 => {
                if let Some(byte) = honest.get_mut(place) {
                    *byte ^= at(3) | 1;
                }
            }
            4 => {
                if let Some(byte) = honest.get_mut(place) {
                    *byte = at(3);
                }
            }
            5 => honest.truncate(place.max(1)),
            6 => honest.insert(place, at(3)),
            _ if script.len().is_multiple_of(7) => honest = script.to_vec(),
            _ => honest
                .iter_mut()
                .skip(place)
                .take(4)
                .for_each(|byte| *byte = 0xff),
        }
    }
    honest.into()
}

macro_rules! read_any {
    ($($key:ident: $request:ident::$Request:ident => $response:ident::$Response:ident;)*) => {
        /// Decodes any answer of the protocol as the generic call does.
        fn read_any(choice: u8, version: u8, script: &[u8]) {
            let readers: &[fn(u8, &[u8])] = &[$(|version, script| {
                type Asked = $request::$Request;
                let versions = <Asked as Request>::VERSIONS;
                let span = versions.end() - versions.start() + 1;
                let version = versions.start() + i16::from(version) % span;
                let honest = framed(ApiKey::$key, version, &$response::$Response::default());
                let _ = decode::<$response::$Response>(ApiKey::$key, version, changed(honest, script));
            },)*];
            readers[usize::from(choice) % readers.len()](version, script);
        }
    };
}

crate::every_request!(read_any);

fn read_metadata(version: u8, script: &[u8]) {
    let version = 9 + i16::from(version % 5);
    let frame = changed(framed(ApiKey::Metadata, version, &metadata()), script);
    let Ok(answer) = decode::<MetadataResponse>(ApiKey::Metadata, version, frame) else {
        return;
    };
    let known = Metadata::default().updated(&metadata(), true);
    for all in [false, true] {
        let image = known.updated(&answer, all);
        for topic in image.topics() {
            let indexes: Vec<i32> = topic.partitions.iter().map(|one| one.index.0).collect();
            assert!((0..).zip(&indexes).all(|(place, index)| place == *index));
        }
    }
}

fn read_versions(script: &[u8]) {
    let honest = framed(
        ApiKey::ApiVersions,
        0,
        &api_versions_response::ApiVersionsResponse::default(),
    );
    let frame = changed(honest, script);
    if let Ok(answer) = decode(ApiKey::ApiVersions, 0, frame) {
        let versions = Versions::new(&answer);
        let _ = versions.choose(ApiKey::Fetch, &(4..=18), "x");
        let _ = versions.all();
    }
}

fn read_fetched(version: u8, script: &[u8]) {
    let version = 13 + i16::from(version % 6);
    let frame = changed(framed(ApiKey::Fetch, version, &fetched()), script);
    if let Ok(answer) = decode::<FetchResponse>(ApiKey::Fetch, version, frame) {
        consumer::read_answer(&answer);
    }
}

fn one_case((kind, version, script): &(u8, u8, Vec<u8>)) {
    match kind % 10 {
        0 => read_any(script.first().copied().unwrap_or(0), *version, script),
        1 | 2 => read_metadata(*version, script),
        3 => read_versions(script),
        4 | 5 => read_fetched(*version, script),
        6 | 7 => {
            consumer::read_batches(changed(batches(), script), *version);
        }
        8 => {
            consumer::read_members(|honest| changed(honest, script));
            let _ = read_assignment(&changed(
                vec![0, 3, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 0],
                script,
            ));
        }
        _ => {
            producer::read_answer(|key, version, honest| {
                decode(key, version, changed(framed(key, version, honest), script))
            });
            crate::wire::hostile::cut_frames(script);
        }
    }
}

#[test]
fn changed_answers_settle_and_nothing_panics() {
    let cases = std::env::var("OTTLA_CASES").ok();
    let cases = cases.and_then(|text| text.parse().ok()).unwrap_or(3_000);
    bolero::check!()
        .with_type::<(u8, u8, Vec<u8>)>()
        .with_iterations(cases)
        .for_each(one_case);
}

/// The honest answers are read in full: a harness that changed nothing would otherwise prove nothing.
#[test]
fn unchanged_answers_are_read() {
    let frame = Bytes::from(framed(ApiKey::Fetch, 16, &fetched()));
    let answer: FetchResponse = decode(ApiKey::Fetch, 16, frame).expect("honest");
    assert_eq!(
        consumer::read_answer(&answer),
        12,
        "those of the aborted transaction are left out"
    );
    assert_eq!(consumer::read_batches(batches().into(), 0), 15);
    let frame = Bytes::from(framed(ApiKey::Metadata, 12, &metadata()));
    let answer: MetadataResponse = decode(ApiKey::Metadata, 12, frame).expect("honest");
    let image = Metadata::default().updated(&answer, true);
    let name: Arc<str> = "t".into();
    assert_eq!(image.topic(&name).map(|topic| topic.partitions.len()), Some(3));
}
