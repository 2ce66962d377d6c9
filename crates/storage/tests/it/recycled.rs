//! Readers that stall while chunks are used again: they get their own bytes or an error, never the next life's.

use os::Random;
use os::disk::SimDisk;
use storage::{ColdRead, Read, ReadOutcome};
use types::Offset;

use crate::harness::{World, open, target, values};

/// Asserts that what a stalled reader gets is what lay there when it began.
fn check_stalled(from: i64, cold: ColdRead) -> bool {
    let Ok(slices) = cold.run() else { return false };
    let whole: Vec<u8> = slices
        .segments
        .iter()
        .flat_map(|segment| segment.iter().copied())
        .collect();
    let mut next = from;
    for batch in record::batches(&whole) {
        let (header, bytes) = batch.expect("whole batches");
        assert_eq!(header.base_offset.0, next);
        for record in record::walk(&header, &bytes[record::HEADER_BYTES..]) {
            let text = String::from_utf8_lossy(record.expect("sound").value.unwrap_or_default()).into_owned();
            assert!(text.starts_with(&format!("0/{next}/")), "{text} at {next}");
            next += 1;
        }
    }
    from < next
}

fn stall(world: &World, from: i64) -> Option<(i64, ColdRead)> {
    let log = world.log(0);
    let read = Read {
        from: Offset(from),
        limit: log.written_end(),
        bytes_max: 3000,
        at_least_one: true,
    };
    match log.read(&read) {
        Ok(ReadOutcome::Cold(cold)) => Some((from, cold)),
        _ => None,
    }
}

#[test]
fn a_consumer_stalled_over_many_lives_sees_no_foreign_byte() {
    let mut served = 0;
    for seed in 0..4 {
        let random = Random::seeded(seed);
        let world = open(&SimDisk::new(), seed);
        world.disk.set_cold(true);
        let mut stalled = Vec::new();
        for sequence in 0..2400 {
            world.append(0, sequence, 1, 1000).expect("room");
            world.directory.kick();
            if random.u64().is_multiple_of(40) {
                let log = world.log(0);
                let (start, end) = (log.log_start().0, log.written_end().0);
                stalled.extend(stall(
                    &world,
                    start + (random.u64() % (end - start) as u64) as i64,
                ));
            }
            if sequence % 150 == 149 {
                world
                    .log(0)
                    .advance_start(Offset(i64::from(sequence) - 40))
                    .expect("room");
                world.directory.checkpoint().expect("no fault");
            }
            // Some go on, others wait for many more lives.
            if sequence % 500 == 499 {
                let half = stalled.len() / 2;
                served += stalled
                    .drain(..half)
                    .filter_map(|(from, cold)| check_stalled(from, cold).then_some(()))
                    .count();
            }
        }
        served += stalled
            .into_iter()
            .filter_map(|(from, cold)| check_stalled(from, cold).then_some(()))
            .count();
        let log = world.log(0);
        assert_eq!(
            values(&log).expect("sound").len() as i64,
            log.written_end().0 - log.log_start().0
        );
    }
    assert!(20 < served, "{served}");
}

#[test]
fn a_start_after_many_lives_takes_no_group_of_an_earlier_one() {
    for seed in 0..12 {
        let random = Random::seeded(seed);
        let world = open(&SimDisk::new(), seed);
        let mut acknowledged = 0;
        for sequence in 0..900 {
            // Groups of one length: those of the life before end where these do.
            world.append(0, sequence, 1, 1000).expect("room");
            world.directory.kick();
            if sequence % 100 == 99 {
                world
                    .log(0)
                    .advance_start(Offset(i64::from(sequence) - 20))
                    .expect("room");
                world.directory.checkpoint().expect("no fault");
            }
            if random.u64().is_multiple_of(30) {
                world.directory.sync_now().expect("no fault");
                acknowledged = i64::from(sequence) + 1;
            }
        }
        let again = open(&world.disk.crash(&random), seed + 50);
        assert_eq!(again.report.damage, Vec::<String>::new(), "seed {seed}");
        let log = again.directory.log(target(0)).expect("there");
        let found = values(&log).expect("sound");
        assert!(acknowledged <= log.written_end().0, "seed {seed}");
        for (at, (offset, text)) in (log.log_start().0..).zip(&found) {
            assert!(
                *offset == at && text.starts_with(&format!("0/{at}/")),
                "seed {seed}: {text} at {offset}"
            );
        }
    }
}
