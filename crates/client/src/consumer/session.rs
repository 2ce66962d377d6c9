//! Fetch sessions on the client's side (KIP-227): only what changed is said, only what is new is answered.

use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic, ForgottenTopic};
use protocol::messages::fetch_response::FetchResponse;
use rustc_hash::FxHashMap;
use types::{ErrorCode, TopicId};

use crate::TopicPartition;

/// From this version on topics go by id.
pub(super) const BY_ID_FROM: i16 = 13;

/// A partition as it is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) partition: TopicPartition,
    pub(super) topic_id: TopicId,
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) last_fetched_epoch: i32,
}

/// The session with one broker.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: i32,
    /// 0 opens a session; what follows counts up.
    epoch: i32,
    /// What the broker remembers.
    known: FxHashMap<TopicPartition, Wanted>,
    by_id: bool,
}

impl Session {
    /// Adds what the broker must hear so that it fetches exactly `wanted`.
    pub(super) fn fill(
        &mut self,
        request: &mut FetchRequest,
        wanted: Vec<Wanted>,
        version: i16,
        partition_bytes_max: i32,
    ) {
        let by_id = BY_ID_FROM <= version;
        if by_id != self.by_id {
            self.restart();
            self.by_id = by_id;
        }
        (request.session_id, request.session_epoch) = (self.id, self.epoch);
        let full = self.epoch == 0;
        if full {
            self.known.clear();
        }
        let next: FxHashMap<TopicPartition, Wanted> = wanted
            .iter()
            .map(|one| (one.partition.clone(), one.clone()))
            .collect();
        for one in &wanted {
            if self.known.get(&one.partition) != Some(one) {
                add(&mut request.topics, one, by_id, partition_bytes_max);
            }
        }
        for (partition, before) in &self.known {
            // A topic made anew has another id: the old one is forgotten.
            if next
                .get(partition)
                .is_none_or(|now| now.topic_id != before.topic_id)
            {
                forget(&mut request.forgotten_topics_data, before, by_id);
            }
        }
        self.known = next;
    }

    /// Follows an answer. Says whether its partitions may be read.
    pub(super) fn answered(&mut self, answer: &FetchResponse) -> bool {
        match ErrorCode::from_code(answer.error_code) {
            Some(ErrorCode::None) => {}
            Some(ErrorCode::FetchSessionIdNotFound) => {
                self.id = 0;
                self.epoch = 0;
                return false;
            }
            _ => {
                self.restart();
                return false;
            }
        }
        if answer.session_id == 0 {
            // The broker has no room for a session: every fetch is whole.
            (self.id, self.epoch) = (0, 0);
        } else {
            self.id = answer.session_id;
            self.epoch = if self.epoch == i32::MAX { 1 } else { self.epoch + 1 };
        }
        true
    }

    /// The next fetch closes this session and opens another.
    pub(super) fn restart(&mut self) {
        self.epoch = 0;
        self.known.clear();
    }
}

fn add(topics: &mut Vec<FetchTopic>, one: &Wanted, by_id: bool, partition_bytes_max: i32) {
    let item = FetchPartition {
        partition: one.partition.partition,
        current_leader_epoch: one.leader_epoch,
        fetch_offset: one.offset,
        last_fetched_epoch: one.last_fetched_epoch,
        log_start_offset: -1,
        partition_max_bytes: partition_bytes_max,
        ..FetchPartition::default()
    };
    let same = |topic: &&mut FetchTopic| match by_id {
        true => topic.topic_id == one.topic_id,
        false => topic.topic == *one.partition.topic,
    };
    match topics.iter_mut().find(same) {
        Some(topic) => topic.partitions.push(item),
        None => topics.push(FetchTopic {
            topic: if by_id {
                Default::default()
            } else {
                (&*one.partition.topic).into()
            },
            topic_id: if by_id { one.topic_id } else { TopicId::ZERO },
            partitions: vec![item],
            ..FetchTopic::default()
        }),
    }
}

fn forget(topics: &mut Vec<ForgottenTopic>, one: &Wanted, by_id: bool) {
    topics.push(ForgottenTopic {
        topic: if by_id {
            Default::default()
        } else {
            (&*one.partition.topic).into()
        },
        topic_id: if by_id { one.topic_id } else { TopicId::ZERO },
        partitions: vec![one.partition.partition],
        ..ForgottenTopic::default()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(partition: i32, offset: i64) -> Wanted {
        Wanted {
            partition: TopicPartition::new("t", partition),
            topic_id: types::Uuid([1; 16]),
            offset,
            leader_epoch: 0,
            last_fetched_epoch: -1,
        }
    }

    fn request(session: &mut Session, wanted: Vec<Wanted>) -> FetchRequest {
        let mut request = FetchRequest::default();
        session.fill(&mut request, wanted, 17, 100);
        request
    }

    fn answer(session_id: i32, error_code: i16) -> FetchResponse {
        FetchResponse {
            session_id,
            error_code,
            ..FetchResponse::default()
        }
    }

    fn said(request: &FetchRequest) -> Vec<i32> {
        request
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .map(|one| one.partition)
            .collect()
    }

    #[test]
    fn only_changes_are_said_once_a_session_is_open() {
        let mut session = Session::default();
        let first = request(&mut session, vec![wanted(0, 0), wanted(1, 0)]);
        assert_eq!(
            (first.session_id, first.session_epoch, said(&first)),
            (0, 0, vec![0, 1])
        );
        assert!(session.answered(&answer(9, 0)));
        let second = request(&mut session, vec![wanted(0, 5), wanted(1, 0)]);
        assert_eq!(
            (second.session_id, second.session_epoch, said(&second)),
            (9, 1, vec![0])
        );
        session.answered(&answer(9, 0));
        let third = request(&mut session, vec![wanted(1, 0)]);
        assert_eq!((third.session_epoch, said(&third)), (2, vec![]));
        assert_eq!(third.forgotten_topics_data[0].partitions, [0]);
    }

    #[test]
    fn a_lost_session_begins_anew() {
        let mut session = Session::default();
        request(&mut session, vec![wanted(0, 0)]);
        session.answered(&answer(9, 0));
        request(&mut session, vec![wanted(0, 1)]);
        assert!(!session.answered(&answer(0, ErrorCode::FetchSessionIdNotFound.code())));
        let again = request(&mut session, vec![wanted(0, 1)]);
        assert_eq!(
            (again.session_id, again.session_epoch, said(&again)),
            (0, 0, vec![0])
        );
        session.answered(&answer(10, 0));
        session.restart();
        let closing = request(&mut session, vec![wanted(0, 1)]);
        assert_eq!((closing.session_id, closing.session_epoch), (10, 0));
    }
}
