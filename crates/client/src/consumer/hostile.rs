//! What the consumer does with answers, laid open for the harness of changed bytes (`crate::hostile`).

use bytes::Bytes;
use protocol::messages::fetch_response::FetchResponse;

use super::decode::{Chunk, DecodeRules, decode, end_of};
use super::group::hostile::read_member;
use super::session::Session;
use crate::{Isolation, TopicPartition};

const DECOMPRESSED_BYTES_MAX: usize = 1 << 20;

/// Follows an answer's session, and reads all its records as a committed reader does. Gives how many there are.
pub(crate) fn read_answer(answer: &FetchResponse) -> usize {
    let mut session = Session::default();
    session.answered(answer);
    session.answered(answer);
    let mut count = 0;
    for partition in answer.responses.iter().flat_map(|topic| &topic.partitions) {
        let aborted = partition.aborted_transactions.iter().flatten();
        let aborted = aborted.map(|one| (one.producer_id, one.first_offset)).collect();
        let bytes = partition
            .records
            .as_ref()
            .map_or(Bytes::new(), |records| records.to_bytes());
        count += read(bytes, aborted, Isolation::ReadCommitted, usize::MAX, true);
    }
    count
}

/// Reads batches as if their checksums held, with and without a limit of records a poll.
pub(crate) fn read_batches(bytes: Bytes, limit: u8) -> usize {
    let plain = Isolation::ReadUncommitted;
    read(bytes.clone(), Vec::new(), plain, usize::from(limit).max(1), false);
    read(bytes, Vec::new(), plain, usize::MAX, false)
}

fn read(
    bytes: Bytes,
    aborted: Vec<(i64, i64)>,
    isolation: Isolation,
    limit: usize,
    check_crcs: bool,
) -> usize {
    let rules = DecodeRules {
        isolation,
        check_crcs,
        decompressed_bytes_max: DECOMPRESSED_BYTES_MAX,
    };
    let length = bytes.len();
    let mut next = Some(Chunk {
        partition: TopicPartition::new("t", 0),
        incarnation: 0,
        from: 0,
        to: end_of(&bytes).map_or(0, |(to, _)| to),
        bytes,
        aborted,
        high_watermark: 0,
    });
    let (mut count, mut turns) = (0, 0);
    while let Some(chunk) = next {
        let Ok((records, rest)) = decode(chunk, &rules, limit) else {
            break;
        };
        count += records.iter().count();
        next = rest;
        turns += 1;
        // A limit of one record makes as many turns as there are records, which is bounded by the bytes.
        assert!(turns <= DECOMPRESSED_BYTES_MAX + length, "reading does not end");
    }
    count
}

/// Reads what members of a group say of themselves.
pub(crate) fn read_members(changed: impl Fn(Vec<u8>) -> Bytes) {
    read_member(changed);
}
