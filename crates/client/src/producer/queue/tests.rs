//! What a queue does with answers, failures and time.

use record::BatchHeader;

use super::*;

const RULES: Rules = Rules {
    batch_bytes: 1000,
    linger: Duration::from_millis(5),
    delivery_timeout: Duration::from_secs(10),
    codec: Codec::None,
    idempotent: true,
};

fn identity() -> Option<Identity> {
    Some(Identity {
        id: ProducerId(7),
        epoch: ProducerEpoch(0),
    })
}

fn refused(code: ErrorCode) -> Result<Landed> {
    Err(Error::Broker {
        what: "t-0".into(),
        code,
        message: None,
    })
}

fn landed(base_offset: i64) -> Result<Landed> {
    Ok(Landed {
        base_offset: Some(base_offset),
        log_append_time: None,
    })
}

/// A queue with three batches of one record each in flight.
fn three(now: Instant) -> (Queue, Vec<u64>) {
    let mut queue = Queue::default();
    let numbers = (0..3).map(|_| {
        queue.push(|| now, &RULES, 100, (0, None, Some(b"v")), &[]);
        queue.drain(now, &RULES, identity()).expect("a batch").number
    });
    let numbers = numbers.collect();
    (queue, numbers)
}

/// Epoch and first sequence of the next batch.
fn next(queue: &mut Queue, now: Instant) -> Option<(u64, i16, i32)> {
    queue.ready_at(&RULES, true).filter(|at| *at <= now)?;
    let drained = queue.drain(now, &RULES, identity())?;
    let header = BatchHeader::parse(&drained.bytes).expect("whole");
    assert_eq!(record::check_crc(&header, &drained.bytes), Ok(()));
    Some((drained.number, header.producer_epoch.0, header.base_sequence))
}

const NO_PAUSE: fn(u32) -> Duration = |_| Duration::ZERO;

#[tokio::test]
async fn batches_are_sent_again_one_at_a_time_in_their_order() {
    let now = Instant::now();
    let (mut queue, numbers) = three(now);
    for number in &numbers {
        let gone = refused(ErrorCode::NotLeaderOrFollower);
        assert_eq!(queue.answered(now, &RULES, *number, gone, NO_PAUSE), After::Again);
    }
    queue.push(|| now, &RULES, 100, (0, None, Some(b"v")), &[]);
    assert_eq!(next(&mut queue, now), Some((0, 0, 0)));
    assert_eq!(next(&mut queue, now), None);
    assert_eq!(
        queue.answered(now, &RULES, 0, landed(10), NO_PAUSE),
        After::Freed(100)
    );
    assert_eq!(next(&mut queue, now), Some((1, 0, 1)));
    assert_eq!(
        queue.answered(
            now,
            &RULES,
            1,
            refused(ErrorCode::DuplicateSequenceNumber),
            NO_PAUSE
        ),
        After::Freed(100)
    );
    assert_eq!(next(&mut queue, now), Some((2, 0, 2)));
    queue.answered(now, &RULES, 2, landed(12), NO_PAUSE);
    assert_eq!(next(&mut queue, now), Some((3, 0, 3)));
}

#[tokio::test]
async fn a_batch_that_is_given_up_ends_the_epoch_for_those_behind_it() {
    let now = Instant::now();
    let (mut queue, numbers) = three(now);
    assert_eq!(
        queue.answered(
            now,
            &RULES,
            numbers[0],
            refused(ErrorCode::InvalidRecord),
            NO_PAUSE
        ),
        After::Freed(100)
    );
    // The second fails because of the hole; the third is still in flight, so the epoch cannot end yet.
    queue.answered(
        now,
        &RULES,
        numbers[1],
        refused(ErrorCode::OutOfOrderSequenceNumber),
        NO_PAUSE,
    );
    queue.answered(
        now,
        &RULES,
        numbers[2],
        refused(ErrorCode::OutOfOrderSequenceNumber),
        NO_PAUSE,
    );
    assert_eq!(next(&mut queue, now), Some((1, 1, 0)));
    assert_eq!(next(&mut queue, now), None);
    queue.answered(now, &RULES, 1, landed(5), NO_PAUSE);
    assert_eq!(next(&mut queue, now), Some((2, 1, 1)));
}

#[tokio::test]
async fn a_hole_behind_another_batch_waits_for_that_one() {
    let now = Instant::now();
    let (mut queue, numbers) = three(now);
    queue.answered(
        now,
        &RULES,
        numbers[1],
        refused(ErrorCode::OutOfOrderSequenceNumber),
        NO_PAUSE,
    );
    queue.answered(
        now,
        &RULES,
        numbers[2],
        refused(ErrorCode::OutOfOrderSequenceNumber),
        NO_PAUSE,
    );
    assert_eq!(next(&mut queue, now), None);
    queue.answered(now, &RULES, numbers[0], landed(0), NO_PAUSE);
    assert_eq!(next(&mut queue, now), Some((1, 0, 1)), "the same epoch");
}

#[tokio::test]
async fn the_first_batch_of_an_epoch_travels_alone() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for _ in 0..3 {
        queue.push(|| now, &RULES, 990, (0, None, Some(&[0; 900])), &[]);
    }
    assert_eq!(next(&mut queue, now), Some((0, 0, 0)));
    assert_eq!(next(&mut queue, now), None);
    queue.answered(now, &RULES, 0, landed(0), NO_PAUSE);
    assert_eq!(next(&mut queue, now), Some((1, 0, 1)));
    assert_eq!(next(&mut queue, now), Some((2, 0, 2)));
}

#[tokio::test]
async fn a_sixth_batch_waits_for_the_answer_of_the_first() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for _ in 0..8 {
        queue.push(|| now, &RULES, 990, (0, None, Some(&[0; 900])), &[]);
    }
    assert_eq!(next(&mut queue, now), Some((0, 0, 0)));
    queue.answered(now, &RULES, 0, landed(0), NO_PAUSE);
    for n in 1..=5 {
        assert_eq!(next(&mut queue, now), Some((n, 0, n as i32)));
    }
    assert_eq!(next(&mut queue, now), None);
    // Those behind it were answered, but the broker may have stored them behind it.
    for n in 2..=5 {
        queue.answered(now, &RULES, n, landed(n as i64), NO_PAUSE);
        assert_eq!(next(&mut queue, now), None);
    }
    queue.answered(now, &RULES, 1, landed(1), NO_PAUSE);
    assert_eq!(next(&mut queue, now), Some((6, 0, 6)));
    assert_eq!(next(&mut queue, now), Some((7, 0, 7)));
}

#[tokio::test]
async fn linger_ends_with_time_a_full_batch_or_a_hurry() {
    let now = Instant::now();
    let mut queue = Queue::default();
    assert!(queue.push(|| now, &RULES, 100, (0, None, Some(b"v")), &[]).news);
    assert!(!queue.push(|| now, &RULES, 100, (0, None, Some(b"v")), &[]).news);
    assert_eq!(queue.ready_at(&RULES, false), Some(now + RULES.linger));
    assert_eq!(queue.ready_at(&RULES, true), Some(now));
    assert!(
        queue
            .push(|| now, &RULES, 960, (0, None, Some(&[0; 930])), &[])
            .news
    );
    assert_eq!(queue.ready_at(&RULES, false), Some(now));
}

#[tokio::test]
async fn time_runs_out_for_what_is_not_in_flight() {
    let now = Instant::now();
    let (mut queue, numbers) = three(now);
    let later = now + RULES.delivery_timeout;
    assert_eq!(queue.expire(later, &RULES, &Error::Closed), 0);
    let gone = refused(ErrorCode::NotLeaderOrFollower);
    assert_eq!(
        queue.answered(later, &RULES, numbers[0], gone, NO_PAUSE),
        After::Freed(100)
    );
    assert!(queue.broken);
}

#[test]
fn sequences_wrap_to_zero() {
    assert_eq!(plus(i32::MAX, 1), 0);
    assert_eq!(plus(i32::MAX - 1, 3), 1);
}

/// Sends everything that the queue has to a broker that takes batches up to a size, one after the other. Gives what it
/// took: epoch, first sequence and number of records of each batch.
fn deliver(queue: &mut Queue, now: Instant, bytes_max: usize) -> Vec<(i16, i32, i32)> {
    let mut taken: Vec<(i16, i32, i32)> = Vec::new();
    while queue.ready_at(&RULES, true).is_some_and(|at| at <= now) {
        let drained = queue.drain(now, &RULES, identity()).expect("it is ready");
        let header = BatchHeader::parse(&drained.bytes).expect("whole");
        let epoch = header.producer_epoch.0;
        let last = taken.last().filter(|(of, ..)| *of == epoch);
        let expected = last.map_or(0, |(_, first, count)| first + count);
        let outcome = if bytes_max < drained.bytes.len() {
            refused(ErrorCode::MessageTooLarge)
        } else if header.base_sequence != expected {
            refused(ErrorCode::OutOfOrderSequenceNumber)
        } else {
            taken.push((epoch, header.base_sequence, header.records_count));
            landed(i64::from(header.base_sequence))
        };
        queue.answered(now, &RULES, drained.number, outcome, NO_PAUSE);
    }
    taken
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_cut_until_it_fits() {
    let now = Instant::now();
    let mut queue = Queue::default();
    let mut taken: Vec<Taken> = Vec::new();
    for _ in 0..9 {
        taken.push(queue.push(|| now, &RULES, 100, (0, None, Some(&[7; 80])), &[]));
    }
    let sequences = deliver(&mut queue, now, 300);
    assert_eq!(sequences.iter().map(|(_, _, count)| count).sum::<i32>(), 9);
    assert!(queue.is_empty() && !queue.broken, "no epoch was lost over it");
    for fate in taken.iter().map(|taken| &taken.fate) {
        fate.settled().await;
    }
    // What comes later begins as small as what fitted.
    for _ in 0..9 {
        queue.push(|| now, &RULES, 100, (0, None, Some(&[7; 80])), &[]);
    }
    assert!(2 < queue.len(), "{} batches", queue.len());
}

#[tokio::test]
async fn a_record_that_is_too_large_by_itself_fails_and_those_beside_it_do_not() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for bytes in [10, 500, 10] {
        queue.push(|| now, &RULES, bytes + 20, (0, None, Some(&vec![7; bytes])), &[]);
    }
    // The one behind it begins an epoch, since its sequence would leave a hole.
    assert_eq!(deliver(&mut queue, now, 300), [(0, 0, 1), (1, 0, 1)]);
    assert!(queue.is_empty());
}
