//! Codecs against everything that could lie on a disk: states that were reached, values that were chosen, bytes that
//! nobody wrote. `OTTLA_CASES` asks for more.

use proptest::prelude::*;
use record::BatchHeader;
use storage::format::checkpoint::{Checkpoint, ExtentRecord, LogRecord, RunRecord};
use storage::format::codec::{from_blocks, to_blocks};
use storage::format::footer::{FineExtent, Footer, FooterRun, Trailer};
use storage::format::{ChunkHeader, Entry, EntryType, GroupHeader, payload_crc_of_batches};
use storage::state::{Marker, PartitionState};
use types::{LeaderEpoch, Lsn, Offset, ProducerEpoch, ProducerId};

use crate::samples;

fn cases(short: usize) -> usize {
    std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(short)
}

/// A step of a log's life: kind, producer, number, count.
type Step = (u8, u8, u32, u8);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec((0u8..8, 0u8..6, any::<u32>(), 1u8..5), 0..80)
}

fn live(steps: &[Step]) -> PartitionState {
    live_with_restarts(steps, usize::MAX)
}

/// After every so many steps the state is read back from its bytes.
fn live_with_restarts(steps: &[Step], every: usize) -> PartitionState {
    let mut state = PartitionState::default();
    let mut end = 0;
    for (at, (kind, producer, number, count)) in steps.iter().enumerate() {
        if at % every == every - 1 {
            state = PartitionState::decode(&samples::state_bytes(&state)).expect("ours");
        }
        let marker = Marker {
            aborts: number % 2 == 0,
            coordinator_epoch: (number % 5) as i32,
            transaction_version: 1,
        };
        let is_marker = *kind == 0;
        let header = BatchHeader {
            base_offset: Offset(end),
            batch_length: 49,
            leader_epoch: LeaderEpoch(0),
            magic: 2,
            crc: 0,
            attributes: if is_marker {
                3 << 4
            } else {
                i16::from(kind % 2) << 4
            },
            last_offset_delta: i32::from(*count) - 1,
            base_timestamp: 0,
            max_timestamp: i64::from(*number),
            producer_id: ProducerId(i64::from(*producer) - 1),
            producer_epoch: ProducerEpoch((number % 3) as i16),
            base_sequence: (number % 0x7fff_ffff) as i32,
            records_count: i32::from(*count),
        };
        match kind {
            5 => state.apply_epoch(LeaderEpoch((number % 20) as i32), Offset(end)),
            6 => state.apply_start(Offset(i64::from(*number) % (end + 1))),
            7 => state.apply_high_watermark(Offset(i64::from(*number) % (end + 1))),
            _ => {
                state.apply_batch(&header, is_marker.then_some(&marker));
                end = header.next_offset().0;
            }
        }
    }
    state
}

proptest! {
    #[test]
    fn a_state_that_was_lived_is_its_bytes(steps in steps()) {
        let state = live(&steps);
        let bytes = samples::state_bytes(&state);
        let read = PartitionState::decode(&bytes).expect("ours");
        prop_assert_eq!(read.first_unstable(), state.first_unstable());
        prop_assert_eq!(read, state);
    }

    #[test]
    fn a_state_goes_on_after_its_bytes_as_without_them(steps in steps(), every in 1usize..10) {
        prop_assert_eq!(live_with_restarts(&steps, every), live(&steps));
    }

    #[test]
    fn the_stable_offset_is_never_above_an_open_transaction(steps in steps(), watermark in 0i64..400) {
        let state = live(&steps);
        let stable = state.last_stable_offset(Offset(watermark));
        prop_assert!(stable <= Offset(watermark));
        for open in state.producers.iter().filter_map(|(_, producer)| producer.open_since) {
            prop_assert!(stable <= open.max(state.log_start));
        }
    }

    #[test]
    fn aborted_transactions_come_by_first_offset(steps in steps(), from in 0i64..300, span in 0i64..100) {
        let state = live(&steps);
        let found = state.aborted_between(Offset(from), Offset(from + span));
        prop_assert!(found.windows(2).all(|pair| pair[0].1 <= pair[1].1));
        let slow = state.aborted.iter().filter(|row| row.1.0 < from + span && from <= row.2.0).count();
        prop_assert_eq!(found.len(), slow);
    }

    #[test]
    fn headers_of_any_value_round_trip(words in any::<[u64; 8]>(), small in any::<(u16, u16, u32, u32, i64)>()) {
        let chunk = ChunkHeader {
            stream: small.0,
            chunk_id: words[0],
            life: words[1],
            chunk_bytes: words[2],
            first_lsn: words[3],
            prev_chunk_id: words[4],
            prev_end: words[5],
            prev_chain: small.2,
            ..samples::chunk_header()
        };
        prop_assert_eq!(ChunkHeader::decode(&chunk.encode()), Ok(Some(chunk)));
        let group = GroupHeader {
            crc: small.2,
            chain: small.3,
            entries: small.0,
            flags: small.1,
            group_bytes: words[0],
            lsn: words[1],
            synced_lsn: words[2],
            wall_ms: small.4,
        };
        prop_assert_eq!(GroupHeader::decode(&group.encode()), Some(group));
        let entry = Entry {
            kind: EntryType::from_code((small.0 % 9) as u8 + 1).expect("known"),
            target: samples::target(small.2 as i32),
            incarnation: small.3,
            payload_bytes: small.2,
            base_offset: Offset(words[3] as i64),
            next_offset: Offset(words[4] as i64),
            leader_epoch: LeaderEpoch(small.3 as i32),
            payload_crc: small.2,
            max_timestamp: small.4,
        };
        prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        let trailer = Trailer { position: words[5], bytes: words[6], is_delta: words[7] % 2 == 0 };
        prop_assert_eq!(Trailer::decode(words[7], &trailer.encode(words[7])), Some(trailer));
        prop_assert_eq!(Trailer::decode(words[7] ^ 1, &trailer.encode(words[7])), None);
    }

    #[test]
    fn footers_and_checkpoints_of_any_value_round_trip(
        rows in proptest::collection::vec((any::<[i64; 4]>(), any::<[u32; 4]>(), 0usize..6), 0..40),
        life: u64,
    ) {
        let runs = rows.iter().map(|(long, word, extents)| FooterRun {
            target: samples::target(word[0] as i32),
            incarnation: word[1],
            base: Offset(long[0]),
            next: Offset(long[1]),
            bytes: long[2] as u64,
            batches: word[2],
            max_timestamp: long[2],
            max_wall_ms: long[3],
            first_lsn: Lsn(long[0] as u64),
            last_lsn: Lsn(long[1] as u64),
            extents: vec![FineExtent { offset_delta: word[0], position: word[1], bytes: word[2], ts_delta: word[3], cover_crc: 0 }; *extents],
        });
        let footer = Footer { runs: runs.collect(), ..samples::footer() };
        prop_assert_eq!(Footer::decode(life, &footer.encode(life)), Ok(footer));
        let logs = rows.iter().map(|(long, word, extents)| LogRecord {
            stream: word[0] as u16,
            target: samples::target(word[1] as i32),
            incarnation: word[2],
            topic_name: format!("topic-{}", word[3]),
            end: Offset(long[0]),
            indexed: Offset(long[1]),
            damaged: word[0] % 2 == 0,
            state: vec![7; *extents],
            runs: vec![RunRecord { chunk: long[2] as u64, base: Offset(long[3]), bytes: long[0] as u64, max_timestamp: long[1] }; *extents],
            extents: vec![ExtentRecord {
                chunk: long[0] as u64,
                base: Offset(long[1]),
                next: Offset(long[2]),
                position: long[3] as u64,
                bytes: word[0],
                max_timestamp: long[2],
            }; *extents],
        });
        let checkpoint = Checkpoint { logs: logs.collect(), ..samples::checkpoint() };
        prop_assert_eq!(Checkpoint::decode(life, &checkpoint.encode(life)), Ok(checkpoint));
    }
}

/// Whatever is in front of it, a decoder answers; what it accepts is no larger than what it read.
fn decode_everything(bytes: &[u8]) {
    let _ = ChunkHeader::decode(bytes);
    if let Some(group) = GroupHeader::decode(bytes) {
        assert!(group.table_end() <= 64 + 64 * usize::from(u16::MAX));
    }
    let _ = (
        Entry::decode(bytes),
        payload_crc_of_batches(bytes),
        Trailer::decode(1, bytes),
    );
    for (header, batch) in record::batches(bytes).flatten() {
        let _ = Marker::of_batch(&header, batch);
    }
    // Behind sound checksums, so that the bytes reach the fields.
    if let Ok(footer) = Footer::decode(1, &to_blocks(1, bytes)) {
        let extents: usize = footer.runs.iter().map(|run| run.extents.len()).sum();
        let states: usize = footer.states.iter().map(|state| state.state.len()).sum();
        assert!(footer.runs.len() * 92 + extents * 16 + states <= bytes.len());
    }
    if let Ok(checkpoint) = Checkpoint::decode(1, &checkpoint_of(bytes)) {
        let held = |log: &LogRecord| log.runs.len() * 32 + log.extents.len() * 44 + log.state.len();
        assert!(checkpoint.logs.iter().map(held).sum::<usize>() <= bytes.len());
    }
    if let Ok(state) = PartitionState::decode(bytes) {
        assert_eq!(samples::state_bytes(&state), bytes, "one state, one form");
    }
    if let Ok(body) = from_blocks(1, bytes) {
        assert!(body.len() <= bytes.len());
    }
    storage::dump::lines(bytes, &mut |_| {});
}

/// A checkpoint file with this body.
fn checkpoint_of(body: &[u8]) -> Vec<u8> {
    let blocks = to_blocks(1, body);
    let mut file = samples::checkpoint().encode(1)[..64].to_vec();
    file[24..32].copy_from_slice(&(blocks.len() as u64).to_le_bytes());
    let crc = record::crc32c(&file[..60]);
    file[60..].copy_from_slice(&crc.to_le_bytes());
    file.extend_from_slice(&blocks);
    file
}

#[test]
fn any_bytes_get_an_answer() {
    bolero::check!()
        .with_iterations(cases(5_000))
        .for_each(decode_everything);
}

/// Something that we wrote, by number.
fn written(which: u8) -> Vec<u8> {
    let body = |blocks: &[u8], salt| from_blocks(salt, blocks).expect("ours");
    match which % 6 {
        0 => samples::chunk(),
        1 => samples::state_bytes(&samples::state()),
        2 => body(&samples::footer().encode(1), 1),
        3 => body(&samples::checkpoint().encode(1)[64..], 1),
        4 => [samples::batch(0), samples::abort_marker(2, 1)].concat(),
        _ => samples::group(41, 0, &samples::entries()),
    }
}

#[test]
fn what_we_wrote_with_bytes_changed_and_cut_gets_an_answer() {
    let originals: Vec<Vec<u8>> = (0..6).map(written).collect();
    let generator = bolero::generator::produce::<(u8, u16, [(u16, u8); 3])>();
    bolero::check!()
        .with_generator(generator)
        .with_iterations(cases(5_000))
        .for_each(|(which, cut, edits)| {
            let mut bytes = originals[usize::from(*which) % originals.len()].clone();
            for (at, value) in edits {
                let place = usize::from(*at) % bytes.len();
                bytes[place] = *value;
            }
            if cut % 4 == 0 {
                bytes.truncate(usize::from(*cut) % (bytes.len() + 1));
            }
            decode_everything(&bytes);
        });
}

#[test]
fn an_idle_partition_is_small() {
    let mut state = PartitionState::default();
    state.apply_epoch(LeaderEpoch(0), Offset(0));
    // One epoch row of 16 bytes, in the smallest vector there is.
    assert!(
        size_of::<PartitionState>() + 4 * 16 <= 300,
        "{} B",
        size_of::<PartitionState>()
    );
    assert_eq!(size_of::<RunRecord>(), 32);
}
