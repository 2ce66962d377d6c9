//! Virtual segments.

use os::disk::SimDisk;
use storage::{Read, ReadOutcome, SegmentLimits};
use types::Offset;

use crate::harness::{check_prefix, open};

#[test]
fn segments_roll_by_bytes_and_are_remembered() {
    let world = open(&SimDisk::new(), 1);
    world.log(0).limit_segments(SegmentLimits {
        bytes: 5000,
        ms: i64::MAX,
        jitter_ms: 0,
        retention_ms: None,
    });
    for sequence in 0..20 {
        world.append(0, sequence, 1, 1000).expect("room");
        world.directory.kick();
    }
    let log = world.log(0);
    let bases = |log: &std::sync::Arc<storage::Log>| {
        log.segments()
            .iter()
            .map(|segment| segment.base.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(bases(&log), [0, 4, 8, 12, 16]);
    assert_eq!(log.segments()[4].next, Offset(20));
    assert_eq!(
        log.segments()
            .iter()
            .map(|segment| segment.max_timestamp)
            .collect::<Vec<_>>(),
        [1003, 1007, 1011, 1015, 1019]
    );
    // A read ends with its segment.
    let read = Read {
        from: Offset(5),
        limit: Offset(20),
        bytes_max: 1 << 20,
        at_least_one: true,
    };
    let ReadOutcome::Ready(slices) = log.read(&read).expect("in range") else {
        panic!("it is in memory")
    };
    assert_eq!(slices.next_offset, Offset(8));
    assert_eq!(check_prefix(&log, 0), 20);
    for checkpointed in [false, true] {
        if checkpointed {
            world.directory.checkpoint().expect("no fault");
        }
        let again = open(&world.disk.copy(), 2);
        assert_eq!(bases(&again.log(0)), [0, 4, 8, 12, 16]);
        // The active segment's size is known again.
        again.log(0).limit_segments(SegmentLimits {
            bytes: 5000,
            ms: i64::MAX,
            jitter_ms: 0,
            retention_ms: None,
        });
        again.append(0, 20, 1, 1000).expect("room");
        assert_eq!(bases(&again.log(0)), [0, 4, 8, 12, 16, 20]);
    }
    log.advance_start(Offset(9)).expect("room");
    // The segment that the start lies in stays whole.
    assert_eq!(bases(&log), [8, 12, 16]);
    let of = |log: &std::sync::Arc<storage::Log>, at: usize| log.segments()[at];
    let whole = of(&log, 1).bytes;
    log.truncate(Offset(13)).expect("no fault");
    assert_eq!(bases(&log), [8, 12]);
    // A quarter of it is left; the time that is told of it is never too small.
    assert_eq!(of(&log, 1).bytes * 4, whole);
    assert_eq!((of(&log, 1).next, of(&log, 1).max_timestamp), (Offset(13), 1015));
}

#[test]
fn segments_roll_by_time() {
    let world = open(&SimDisk::new(), 1);
    world.log(0).limit_segments(SegmentLimits {
        bytes: 1 << 30,
        ms: 10,
        jitter_ms: 0,
        retention_ms: None,
    });
    // Timestamps go up by one a sequence.
    for sequence in 0..30 {
        world.append(0, sequence, 1, 10).expect("room");
    }
    let bases: Vec<i64> = world
        .log(0)
        .segments()
        .iter()
        .map(|segment| segment.base.0)
        .collect();
    assert_eq!(bases, [0, 11, 22]);
}
