//! The batches of one partition and their sequences. Decides what may be sent and what a failure means; sends nothing.
//!
//! Batches leave in order. While one waits to be sent again no later one leaves before it (the rule of the Java
//! client's `RecordAccumulator.shouldStopDrainBatchesForPartition`), so an idempotent producer's sequences reach the
//! broker without holes. A hole that cannot be filled, because a batch was given up, ends the epoch: when nothing is
//! in flight, what is left starts again at sequence 0 of the next (KIP-360).
//!
//! A broker that knows nothing of a producer takes its first batch at any sequence. So the first batch of an epoch
//! travels alone: were it refused because the partition is not ready, the second could be taken in its place.
//!
//! A batch that its topic finds too large is cut in two, again and again down to single records (KIP-126).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use record::{BatchOptions, BatchWriter, Codec, HeaderRef, with_producer};
use tokio::time::Instant;
use types::{ErrorCode, ProducerEpoch, ProducerId};

use super::record::{Fate, Landed, Part};
use super::split;
use crate::{Error, Result};

/// How many batches the oldest unanswered one and those sent behind it may be, answered or not. A broker remembers the
/// last five of a producer (`ProducerStateEntry`): were a sixth stored, it would not know the first again when that is
/// sent anew. Requests are counted by connection, which does not bound it: leaders move while answers are out, and
/// what was sent later may be answered earlier.
const WINDOW_MAX: u64 = 5;

/// A producer's identity at the brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: ProducerId,
    pub(super) epoch: ProducerEpoch,
}

/// A batch that takes records.
#[derive(Debug)]
struct Open {
    writer: BatchWriter,
    fate: Arc<Fate>,
    created: Instant,
    /// What its records may take at most, which is what they hold of the buffer.
    held_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    InFlight,
    /// To be sent again, not before this.
    Again(Instant),
}

/// A batch that was sent at least once.
#[derive(Debug)]
struct Sent {
    number: u64,
    /// Counts the batches as brokers see them, one after the other.
    place: u64,
    bytes: Bytes,
    part: Part,
    created: Instant,
    held_bytes: usize,
    count: i32,
    base_sequence: i32,
    attempts: u32,
    state: State,
}

/// A batch to be put into a request.
#[derive(Debug, Clone)]
pub(super) struct Drained {
    pub(super) number: u64,
    pub(super) bytes: Bytes,
}

/// What a batch's answer left to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It is over: so many bytes of the buffer are free.
    Freed(usize),
    /// It is sent again.
    Again,
}

/// What holds for every partition of a producer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) batch_bytes: usize,
    pub(super) linger: Duration,
    pub(super) delivery_timeout: Duration,
    pub(super) codec: Codec,
    pub(super) idempotent: bool,
}

/// The batches of one partition.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Oldest first; only the last may still take records.
    waiting: VecDeque<Open>,
    /// Oldest first.
    sent: VecDeque<Sent>,
    identity: Option<Identity>,
    next_sequence: i32,
    next_number: u64,
    next_place: u64,
    /// The epoch cannot go on.
    broken: bool,
    /// The broker has taken a batch of this epoch.
    confirmed: bool,
    /// How large the last batches became.
    typical_bytes: usize,
    /// What the topic found too large: batches stay below it.
    too_large_bytes: Option<usize>,
    /// Why the last batch that was answered goes out again.
    refused: Option<Error>,
}

/// The place of a record that was taken.
pub(super) struct Taken {
    pub(super) fate: Arc<Fate>,
    pub(super) index: i32,
    /// The sender has something to look at: a batch began or one is full.
    pub(super) news: bool,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.sent.is_empty()
    }

    /// Why batches go out again, if the last answer was a refusal.
    pub(super) fn refused(&self) -> Option<&Error> {
        self.refused.as_ref()
    }

    /// Batches that are not delivered yet.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.sent.len()
    }

    /// A batch of so many bytes takes no more.
    fn batch_bytes(&self, rules: &Rules) -> usize {
        self.too_large_bytes
            .map_or(rules.batch_bytes, |bytes| bytes.min(rules.batch_bytes))
    }

    /// Adds a record that holds `held_bytes` of the buffer.
    pub(super) fn push(
        &mut self,
        now: impl FnOnce() -> Instant,
        rules: &Rules,
        held_bytes: usize,
        (timestamp, key, value): (i64, Option<&[u8]>, Option<&[u8]>),
        headers: &[HeaderRef<'_>],
    ) -> Taken {
        let batch_bytes = self.batch_bytes(rules);
        let fits = |open: &Open| open.writer.bytes() + held_bytes <= batch_bytes;
        let begins = !self.waiting.back().is_some_and(fits);
        if begins {
            let full_before = self.waiting.back().map(|open| open.writer.bytes());
            self.typical_bytes = full_before
                .unwrap_or(self.typical_bytes)
                .max(self.typical_bytes / 2);
            let room = self
                .typical_bytes
                .clamp(1 << 10, batch_bytes.max(1 << 10))
                .max(held_bytes + 61);
            self.waiting.push_back(Open {
                writer: BatchWriter::with_capacity(room),
                fate: Arc::default(),
                created: now(),
                held_bytes: 0,
            });
        }
        let open = self.waiting.back_mut().expect("one was pushed if none was there");
        let index = open.writer.push(timestamp, key, value, headers);
        open.held_bytes += held_bytes;
        Taken {
            fate: open.fate.clone(),
            index,
            news: begins || batch_bytes <= open.writer.bytes(),
        }
    }

    /// When there is something to send, if nothing else happens; `None` if only an answer can change that.
    pub(super) fn ready_at(&self, rules: &Rules, hurry: bool) -> Option<Instant> {
        if let Some(first) = self.sent.front() {
            let mut in_flight = self.sent.iter().map(|sent| sent.state == State::InFlight);
            let alone = self.broken || (rules.idempotent && !self.confirmed);
            if alone && in_flight.clone().any(|flies| flies) {
                return None;
            }
            if let State::Again(at) = first.state {
                return Some(at);
            }
            if in_flight.any(|flies| !flies) {
                return None;
            }
            if rules.idempotent && WINDOW_MAX <= self.next_place.saturating_sub(first.place) {
                return None;
            }
        }
        let first = self.waiting.front()?;
        let full = 1 < self.waiting.len() || self.batch_bytes(rules) <= first.writer.bytes();
        Some(if full || hurry {
            first.created
        } else {
            first.created + rules.linger
        })
    }

    /// When the oldest batch has had its time.
    pub(super) fn expires_at(&self, rules: &Rules) -> Option<Instant> {
        let sent = self.sent.front().map(|sent| sent.created);
        let created = sent.or(self.waiting.front().map(|open| open.created))?;
        Some(created + rules.delivery_timeout)
    }

    /// Takes the next batch to send, with the identity that batches of a new epoch get. A batch that cannot be
    /// finished is over, and `None` comes back.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        rules: &Rules,
        identity: Option<Identity>,
    ) -> Option<Drained> {
        self.settle_epoch(identity);
        if let Some(first) = self
            .sent
            .front_mut()
            .filter(|first| first.state != State::InFlight)
        {
            first.state = State::InFlight;
            first.attempts += 1;
            return Some(Drained {
                number: first.number,
                bytes: first.bytes.clone(),
            });
        }
        let open = self.waiting.pop_front()?;
        self.typical_bytes = open.writer.bytes().max(self.typical_bytes / 2);
        let count = open.writer.count();
        let base_sequence = if rules.idempotent { self.next_sequence } else { -1 };
        let own = self.identity.filter(|_| rules.idempotent);
        let options = BatchOptions {
            codec: rules.codec,
            producer_id: own.map_or(ProducerId::NONE, |own| own.id),
            producer_epoch: own.map_or(ProducerEpoch::NONE, |own| own.epoch),
            base_sequence,
            ..BatchOptions::default()
        };
        let bytes = match open.writer.finish(&options) {
            Ok(bytes) => bytes,
            // Codecs fail on memory alone, which would have ended the process.
            Err(error) => {
                Part::whole(open.fate).settle(Err(Error::Connect {
                    address: "the compressor".into(),
                    source: Arc::new(error),
                }));
                return None;
            }
        };
        self.next_sequence = plus(self.next_sequence, count);
        let number = self.next_number;
        self.next_number += 1;
        let place = self.next_place;
        self.next_place += 1;
        self.sent.push_back(Sent {
            number,
            place,
            bytes: bytes.clone(),
            part: Part::whole(open.fate),
            created: open.created.min(now),
            held_bytes: open.held_bytes,
            count,
            base_sequence,
            attempts: 1,
            state: State::InFlight,
        });
        Some(Drained { number, bytes })
    }

    /// Moves to the next epoch, or to another producer id, where that is due and nothing is in flight.
    fn settle_epoch(&mut self, identity: Option<Identity>) {
        let in_flight = self.sent.iter().any(|sent| sent.state == State::InFlight);
        let Some(given) = identity.filter(|_| !in_flight) else {
            return;
        };
        let next = match self.identity {
            None => given,
            // Another id was given out meanwhile: what was sent before keeps its own until it is delivered.
            Some(own) if own.id != given.id && (self.broken || self.sent.is_empty()) => given,
            Some(own) if self.broken => Identity {
                id: own.id,
                epoch: ProducerEpoch(own.epoch.0.saturating_add(1)),
            },
            Some(_) => return,
        };
        self.identity = Some(next);
        self.broken = false;
        self.confirmed = false;
        self.next_sequence = 0;
        for sent in &mut self.sent {
            sent.base_sequence = self.next_sequence;
            sent.bytes = with_producer(&sent.bytes, next.id, next.epoch, sent.base_sequence);
            self.next_sequence = plus(self.next_sequence, sent.count);
        }
    }

    /// Whether the epochs of the producer's id are used up here.
    pub(super) fn needs_another_id(&self) -> bool {
        self.broken && self.identity.is_some_and(|own| own.epoch.0 == i16::MAX)
    }

    /// A batch was answered, or its connection ended.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        rules: &Rules,
        number: u64,
        outcome: Result<Landed>,
        pause: impl FnOnce(u32) -> Duration,
    ) -> After {
        let Some(place) = self.sent.iter().position(|sent| sent.number == number) else {
            return After::Again;
        };
        let error = match outcome {
            Ok(landed) => {
                self.confirmed = true;
                self.refused = None;
                return self.over(place, Ok(landed));
            }
            Err(error) => error,
        };
        if error.code() == Some(ErrorCode::DuplicateSequenceNumber) {
            let landed = Landed {
                base_offset: None,
                log_append_time: None,
            };
            self.confirmed = true;
            return self.over(place, Ok(landed));
        }
        let hole = rules.idempotent && breaks_sequence(&error);
        // Behind another batch a hole is the other's: it is filled when that one is sent again.
        if hole && place == 0 {
            self.broken = true;
        }
        let Some(sent) = self.sent.get_mut(place) else {
            return After::Again;
        };
        let expired = sent.created + rules.delivery_timeout <= now;
        if error.code() == Some(ErrorCode::MessageTooLarge) && !expired && self.cut(now, place) {
            return After::Again;
        }
        let Some(sent) = self.sent.get_mut(place) else {
            return After::Again;
        };
        if (hole || error.is_retriable()) && !expired {
            sent.state = State::Again(now + pause(sent.attempts));
            self.refused = Some(error);
            return After::Again;
        }
        self.broken |= rules.idempotent;
        self.over(place, Err(error))
    }

    /// Puts the two halves of a batch in its place, to be sent at once. Says whether it could be cut.
    fn cut(&mut self, now: Instant, place: usize) -> bool {
        let halves = self.sent.get(place).and_then(|sent| split::halves(&sent.bytes));
        let Some([first, second]) = halves else {
            return false;
        };
        let Some(whole) = self.sent.remove(place) else {
            return false;
        };
        self.too_large_bytes = Some(first.plain_bytes.max(second.plain_bytes));
        let first_held = whole.held_bytes / 2;
        let first_count = first.count;
        let parts = whole.part.cut(first_count);
        let held = [first_held, whole.held_bytes - first_held];
        // One more batch for brokers to remember.
        self.next_place += 1;
        self.sent
            .iter_mut()
            .skip(place)
            .for_each(|behind| behind.place += 1);
        let sequences = [whole.base_sequence, plus(whole.base_sequence, first_count)];
        for (step, half) in [first, second].into_iter().enumerate() {
            let (Some(part), Some(held_bytes), Some(sequence)) =
                (parts.get(step), held.get(step), sequences.get(step))
            else {
                continue;
            };
            let sent = Sent {
                number: self.next_number,
                place: whole.place + step as u64,
                bytes: half.bytes,
                part: part.clone(),
                created: whole.created,
                held_bytes: *held_bytes,
                count: half.count,
                base_sequence: if whole.base_sequence < 0 { -1 } else { *sequence },
                attempts: whole.attempts,
                state: State::Again(now),
            };
            self.next_number += 1;
            self.sent.insert(place + step, sent);
        }
        true
    }

    fn over(&mut self, place: usize, outcome: Result<Landed>) -> After {
        match self.sent.remove(place) {
            Some(sent) => {
                sent.part.settle(outcome);
                After::Freed(sent.held_bytes)
            }
            None => After::Again,
        }
    }

    /// Gives up what has had its time and is not in flight. Gives the bytes that are free.
    pub(super) fn expire(&mut self, now: Instant, rules: &Rules, why: &Error) -> usize {
        let mut freed = 0;
        let over = |created: Instant| created + rules.delivery_timeout <= now;
        while let Some(first) = self
            .sent
            .front()
            .filter(|one| one.state != State::InFlight && over(one.created))
        {
            freed += first.held_bytes;
            first.part.settle(Err(why.clone()));
            self.broken |= rules.idempotent;
            self.sent.pop_front();
        }
        while let Some(first) = self.waiting.front().filter(|one| over(one.created)) {
            freed += first.held_bytes;
            Part::whole(first.fate.clone()).settle(Err(why.clone()));
            self.waiting.pop_front();
        }
        freed
    }

    /// Gives up everything.
    pub(super) fn fail_all(&mut self, why: &Error) -> usize {
        let mut freed = 0;
        let waiting = self.waiting.drain(..);
        for (part, held_bytes) in self
            .sent
            .drain(..)
            .map(|sent| (sent.part, sent.held_bytes))
            .chain(waiting.map(|open| (Part::whole(open.fate), open.held_bytes)))
        {
            part.settle(Err(why.clone()));
            freed += held_bytes;
        }
        freed
    }

    /// What deliveries of all batches so far hang on.
    pub(super) fn fates(&self) -> impl Iterator<Item = Arc<Fate>> {
        let sent = self.sent.iter().map(|sent| sent.part.fate.clone());
        sent.chain(self.waiting.iter().map(|open| open.fate.clone()))
    }
}

/// Sequences wrap from the largest i32 to 0.
pub(super) fn plus(sequence: i32, count: i32) -> i32 {
    ((i64::from(sequence) + i64::from(count)) & i64::from(i32::MAX)) as i32
}

fn breaks_sequence(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            ErrorCode::OutOfOrderSequenceNumber
                | ErrorCode::UnknownProducerId
                | ErrorCode::InvalidProducerEpoch
                | ErrorCode::InvalidProducerIdMapping
        )
    )
}

#[cfg(test)]
mod tests;
