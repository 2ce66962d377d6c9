//! Going over from one chunk to the next (invariant 3), and chunks that are read while they die (invariant 5).

use os::Random;
use os::disk::SimDisk;
use storage::{Read, ReadOutcome};
use types::Offset;

use crate::harness::{PATH, World, check_prefix, open};

fn cases(short: u64) -> u64 {
    std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(short)
}

fn chunks(world: &World) -> Vec<std::path::PathBuf> {
    let is_chunk = |path: &std::path::PathBuf| {
        path.starts_with(format!("{PATH}/chunks"))
            && path.extension().is_some_and(|extension| extension == "stream")
    };
    world
        .disk
        .files()
        .into_iter()
        .map(|(path, _)| path)
        .filter(is_chunk)
        .collect()
}

#[test]
fn a_power_loss_around_a_chunk_switch_loses_nothing_acknowledged() {
    let mut switches = 0;
    for seed in 0..cases(12) {
        let random = Random::seeded(seed);
        let world = open(&SimDisk::new(), seed);
        let (mut acknowledged, mut known) = (0, chunks(&world).len());
        for sequence in 0..300 {
            world
                .append(0, sequence, 1, 200 + (random.u64() % 1500) as usize)
                .expect("room");
            if random.u64().is_multiple_of(3) {
                world.directory.kick();
            }
            if random.u64().is_multiple_of(12) {
                world.directory.sync_now().expect("no fault");
                acknowledged = world.log(0).synced_end().0;
            }
            let now = chunks(&world).len();
            if now == known {
                continue;
            }
            (known, switches) = (now, switches + 1);
            for crash in 0..6 {
                let image = world.disk.crash(&Random::seeded(seed * 1000 + crash));
                let again = open(&image, seed + 1);
                assert_eq!(
                    again.report.damage,
                    Vec::<String>::new(),
                    "seed {seed} crash {crash}"
                );
                let found = check_prefix(&again.log(0), 0);
                assert!(
                    acknowledged <= found,
                    "seed {seed} crash {crash}: {found} of {acknowledged}"
                );
                assert_eq!(again.commit(0, found as i32, 1), Offset(found));
                // And once more, at once.
                let third = open(&again.disk.crash(&Random::seeded(crash)), seed + 2);
                assert_eq!(
                    check_prefix(&third.log(0), 0),
                    found + 1,
                    "seed {seed} crash {crash}"
                );
            }
        }
    }
    assert!(20 < switches, "{switches}");
}

#[test]
fn a_chunk_is_sealed_footed_and_durable_before_the_next_one_is_there() {
    let world = open(&SimDisk::new(), 1);
    let mut sealed = 0;
    for sequence in 0..300 {
        world.append(0, sequence, 1, 1000).expect("room");
        let before = chunks(&world);
        world.directory.kick();
        if before.len() == chunks(&world).len() {
            continue;
        }
        // Of what was written without a sync, this image holds nothing or anything.
        for seed in 0..8 {
            let image = os::Disk::Simulated(world.disk.crash(&Random::seeded(seed)));
            if !image.exists(chunks(&world).last().expect("the next one")) {
                continue;
            }
            let bytes = image
                .read(before.last().expect("the one before"))
                .expect("readable");
            let told = storage::dump::chunk(&bytes);
            assert!(told.contains(" seal next_chunk "), "{told}");
            assert!(
                told.contains(" footer bytes ") && !told.contains("broken"),
                "{told}"
            );
            sealed += 1;
        }
    }
    assert!(3 < sealed, "{sealed}");
}

#[test]
fn a_chunk_that_is_being_read_is_not_recycled() {
    let world = open(&SimDisk::new(), 1);
    for sequence in 0..150 {
        world.append(0, sequence, 1, 1000).expect("room");
        world.directory.kick();
    }
    world.directory.sync_now().expect("no fault");
    let again = open(&world.disk.copy(), 2);
    let log = again.log(0);
    let read = Read {
        from: Offset(0),
        limit: Offset(10),
        bytes_max: 4000,
        at_least_one: true,
    };
    // Brings the fine index into memory, so that the next read holds its chunk.
    let ReadOutcome::Cold(first) = log.read(&read).expect("in range") else {
        panic!("nothing is in memory")
    };
    let truth: Vec<u8> = first.run().expect("sound").segments.concat();
    let held = log.read(&read).expect("in range");
    log.advance_start(Offset(140)).expect("room");
    again.directory.checkpoint().expect("no fault");
    for sequence in 150..900 {
        again.append(0, sequence, 1, 1000).expect("room");
        again.directory.kick();
        if sequence % 50 == 0 {
            log.advance_start(Offset(i64::from(sequence) - 5)).expect("room");
            again.directory.checkpoint().expect("no fault");
        }
    }
    let slices = match held {
        ReadOutcome::Ready(slices) => slices,
        ReadOutcome::Cold(cold) => cold.run().expect("its chunk is as it was"),
    };
    assert_eq!(slices.segments.concat(), truth);
}
