//! Fetch sessions (KIP-227): what a consumer asks for again and again is remembered, and only news is answered.
//!
//! Owns the sessions, their partitions and their epochs. Knows nothing of logs: what a partition answered is told to
//! it, and it says whether that is news. Rules: `org.apache.kafka.server.FetchSession` of Kafka 4.3; traps 42 and 43.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::Str;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use types::{ErrorCode, TopicId};

/// A topic as the client names it: by id from version 13 on, by name before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TopicKey {
    Name(Str),
    Id(TopicId),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PartitionKey {
    pub topic: TopicKey,
    pub partition: i32,
}

/// What is asked of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub fetch_offset: i64,
    pub bytes_max: i32,
    pub current_leader_epoch: i32,
    pub last_fetched_epoch: i32,
    pub log_start_offset: i64,
}

/// What a partition answered, as far as it can be news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    pub high_watermark: i64,
    pub log_start_offset: i64,
    pub has_records: bool,
    pub has_error: bool,
    pub diverges: bool,
}

#[derive(Debug, Clone)]
struct Cached {
    wanted: Wanted,
    /// -1 after an error: the next answer is news.
    high_watermark: i64,
    log_start_offset: i64,
}

/// One session. Its partitions are kept in the order in which they are served.
#[derive(Debug)]
pub struct Session {
    id: i32,
    uses_ids: bool,
    epoch: i32,
    order: VecDeque<PartitionKey>,
    partitions: FxHashMap<PartitionKey, Cached>,
    last_used: u64,
}

/// The sessions of a broker, at most so many (`max.incremental.fetch.session.cache.slots`).
#[derive(Debug)]
pub struct FetchSessions {
    slots: usize,
    /// A session may be thrown out for a newer one once it was unused this long.
    eviction_ms: u64,
    inner: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    sessions: FxHashMap<i32, Arc<Mutex<Session>>>,
}

/// How a request is served.
#[derive(Debug, Clone)]
pub enum Context {
    /// No session: everything that was asked for is answered.
    Sessionless,
    /// A new session, or none if no slot was free (id 0): answered in full.
    Full(Option<Arc<Mutex<Session>>>),
    /// Only news is answered.
    Incremental(Arc<Mutex<Session>>),
}

/// A request's session fields.
#[derive(Debug)]
pub struct Asked {
    pub session_id: i32,
    pub session_epoch: i32,
    pub uses_ids: bool,
    pub partitions: SmallVec<[(PartitionKey, Wanted); 1]>,
    pub forgotten: Vec<PartitionKey>,
}

const INITIAL_EPOCH: i32 = 0;
const FINAL_EPOCH: i32 = -1;

/// Epochs count 1, 2, ... and wrap to 1: 0 and -1 mean other things.
fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX {
        1
    } else {
        epoch.saturating_add(1)
    }
}

impl FetchSessions {
    pub fn new(slots: usize, eviction_ms: u64) -> FetchSessions {
        FetchSessions {
            slots,
            eviction_ms,
            inner: Mutex::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.inner.lock().sessions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds or makes the session of a request. `random` is the id to try for a new one.
    pub fn begin(
        &self,
        asked: &Asked,
        now_ms: u64,
        random: impl FnMut() -> i32,
    ) -> Result<Context, ErrorCode> {
        let full = asked.session_epoch == INITIAL_EPOCH || asked.session_epoch == FINAL_EPOCH;
        if full {
            if asked.session_id != 0 {
                self.inner.lock().sessions.remove(&asked.session_id);
            }
            if asked.session_epoch == FINAL_EPOCH {
                return Ok(Context::Sessionless);
            }
            return Ok(Context::Full(self.open(asked, now_ms, random)));
        }
        let known = self.inner.lock().sessions.get(&asked.session_id).cloned();
        let session = known.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        let emptied = {
            let mut session = session.lock();
            if session.uses_ids != asked.uses_ids {
                return Err(ErrorCode::FetchSessionTopicIdError);
            }
            if session.epoch != asked.session_epoch {
                return Err(ErrorCode::InvalidFetchSessionEpoch);
            }
            session.update(asked);
            session.last_used = now_ms;
            session.epoch = next_epoch(session.epoch);
            session.partitions.is_empty()
        };
        if emptied {
            self.inner.lock().sessions.remove(&asked.session_id);
            return Ok(Context::Sessionless);
        }
        Ok(Context::Incremental(session))
    }

    fn open(
        &self,
        asked: &Asked,
        now_ms: u64,
        mut random: impl FnMut() -> i32,
    ) -> Option<Arc<Mutex<Session>>> {
        if asked.partitions.is_empty() {
            return None;
        }
        let mut table = self.inner.lock();
        if self.slots <= table.sessions.len() {
            let oldest = table
                .sessions
                .iter()
                .min_by_key(|(_, session)| session.lock().last_used);
            let (id, last_used) = oldest.map(|(id, session)| (*id, session.lock().last_used))?;
            if now_ms.saturating_sub(last_used) < self.eviction_ms {
                return None;
            }
            table.sessions.remove(&id);
        }
        let id = loop {
            let id = random() & i32::MAX;
            if id != 0 && !table.sessions.contains_key(&id) {
                break id;
            }
        };
        let mut session = Session {
            id,
            uses_ids: asked.uses_ids,
            epoch: next_epoch(INITIAL_EPOCH),
            order: VecDeque::new(),
            partitions: FxHashMap::default(),
            last_used: now_ms,
        };
        session.update(asked);
        let session = Arc::new(Mutex::new(session));
        table.sessions.insert(id, session.clone());
        Some(session)
    }
}

impl Session {
    pub fn id(&self) -> i32 {
        self.id
    }

    /// All partitions of the session, in the order in which they are to be served.
    pub fn partitions(&self) -> SmallVec<[(PartitionKey, Wanted); 1]> {
        let wanted = |key: &PartitionKey| Some((key.clone(), self.partitions.get(key)?.wanted));
        self.order.iter().filter_map(wanted).collect()
    }

    fn update(&mut self, asked: &Asked) {
        for (key, wanted) in &asked.partitions {
            match self.partitions.get_mut(key) {
                Some(cached) => cached.wanted = *wanted,
                None => {
                    self.order.push_back(key.clone());
                    let cached = Cached {
                        wanted: *wanted,
                        high_watermark: -1,
                        log_start_offset: -1,
                    };
                    self.partitions.insert(key.clone(), cached);
                }
            }
        }
        for key in &asked.forgotten {
            if self.partitions.remove(key).is_some() {
                self.order.retain(|known| known != key);
            }
        }
    }

    /// Whether an answer is news to the client; remembers what it was told.
    pub fn is_news(&mut self, key: &PartitionKey, answered: &Answered) -> bool {
        let Some(cached) = self.partitions.get_mut(key) else {
            return true;
        };
        let moved = cached.high_watermark != answered.high_watermark
            || cached.log_start_offset != answered.log_start_offset;
        cached.high_watermark = if answered.has_error {
            -1
        } else {
            answered.high_watermark
        };
        cached.log_start_offset = answered.log_start_offset;
        answered.has_records || answered.has_error || answered.diverges || moved
    }

    /// A partition that sent records goes to the end of the row, so that none starves.
    pub fn served(&mut self, key: &PartitionKey) {
        if let Some(place) = self.order.iter().position(|known| known == key)
            && let Some(key) = self.order.remove(place)
        {
            self.order.push_back(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted = Wanted {
        fetch_offset: 0,
        bytes_max: 1 << 20,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        log_start_offset: -1,
    };
    const QUIET: Answered = Answered {
        high_watermark: 5,
        log_start_offset: 0,
        has_records: false,
        has_error: false,
        diverges: false,
    };

    fn key(partition: i32) -> PartitionKey {
        PartitionKey {
            topic: TopicKey::Name(Str::from("t")),
            partition,
        }
    }

    fn asked(session_id: i32, session_epoch: i32, partitions: &[i32]) -> Asked {
        let partitions = partitions
            .iter()
            .map(|partition| (key(*partition), WANTED))
            .collect();
        Asked {
            session_id,
            session_epoch,
            uses_ids: false,
            partitions,
            forgotten: Vec::new(),
        }
    }

    fn open(sessions: &FetchSessions, id: i32) -> Arc<Mutex<Session>> {
        match sessions.begin(&asked(0, 0, &[0, 1]), 0, || id) {
            Ok(Context::Full(Some(session))) => session,
            other => unreachable!("a session was wanted, not {other:?}"),
        }
    }

    #[test]
    fn epochs_count_from_one_and_wrap_to_one() {
        assert_eq!(next_epoch(0), 1);
        assert_eq!(next_epoch(i32::MAX), 1);
    }

    #[test]
    fn an_incremental_request_needs_the_next_epoch() {
        let sessions = FetchSessions::new(10, 1000);
        open(&sessions, 7);
        let wrong = sessions.begin(&asked(7, 2, &[]), 0, || 8).err();
        assert_eq!(wrong, Some(ErrorCode::InvalidFetchSessionEpoch));
        assert!(matches!(
            sessions.begin(&asked(7, 1, &[]), 0, || 8),
            Ok(Context::Incremental(_))
        ));
        assert!(matches!(
            sessions.begin(&asked(7, 2, &[]), 0, || 8),
            Ok(Context::Incremental(_))
        ));
        let unknown = sessions.begin(&asked(9, 1, &[]), 0, || 8).err();
        assert_eq!(unknown, Some(ErrorCode::FetchSessionIdNotFound));
    }

    #[test]
    fn names_and_ids_do_not_mix_in_a_session() {
        let sessions = FetchSessions::new(10, 1000);
        open(&sessions, 7);
        let by_id = Asked {
            uses_ids: true,
            ..asked(7, 1, &[])
        };
        assert_eq!(
            sessions.begin(&by_id, 0, || 8).err(),
            Some(ErrorCode::FetchSessionTopicIdError)
        );
    }

    #[test]
    fn a_session_without_partitions_is_closed() {
        let sessions = FetchSessions::new(10, 1000);
        open(&sessions, 7);
        let forgotten = Asked {
            forgotten: vec![key(0), key(1)],
            ..asked(7, 1, &[])
        };
        assert!(matches!(
            sessions.begin(&forgotten, 0, || 8),
            Ok(Context::Sessionless)
        ));
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn a_full_request_closes_the_session_that_it_names() {
        let sessions = FetchSessions::new(10, 1000);
        open(&sessions, 7);
        assert!(matches!(
            sessions.begin(&asked(7, -1, &[0]), 0, || 8),
            Ok(Context::Sessionless)
        ));
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn without_a_slot_the_answer_is_full_and_names_no_session() {
        let sessions = FetchSessions::new(1, 1000);
        open(&sessions, 7);
        assert!(matches!(
            sessions.begin(&asked(0, 0, &[0]), 999, || 8),
            Ok(Context::Full(None))
        ));
        assert!(matches!(
            sessions.begin(&asked(0, 0, &[0]), 1000, || 8),
            Ok(Context::Full(Some(_)))
        ));
        assert_eq!(sessions.len(), 1);
    }

    #[test]
    fn only_news_is_answered_and_errors_are_news_twice() {
        let sessions = FetchSessions::new(10, 1000);
        let session = open(&sessions, 7);
        let mut session = session.lock();
        assert!(session.is_news(&key(0), &QUIET));
        assert!(!session.is_news(&key(0), &QUIET));
        assert!(session.is_news(
            &key(0),
            &Answered {
                high_watermark: 6,
                ..QUIET
            }
        ));
        let failed = Answered {
            high_watermark: -1,
            has_error: true,
            ..QUIET
        };
        assert!(session.is_news(&key(0), &failed));
        assert!(session.is_news(&key(0), &QUIET));
    }

    #[test]
    fn a_served_partition_goes_to_the_end() {
        let sessions = FetchSessions::new(10, 1000);
        let session = open(&sessions, 7);
        let mut session = session.lock();
        session.served(&key(0));
        let order: Vec<i32> = session
            .partitions()
            .iter()
            .map(|(key, _)| key.partition)
            .collect();
        assert_eq!(order, [1, 0]);
    }
}
