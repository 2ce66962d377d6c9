//! A shard with a log under it, and a disk that lags behind.

use std::sync::Arc;

use coordinator::group::{
    Answer, Commit, Effects, GroupConfig, GroupShard, Join, Now, OffsetToCommit, Record, State, Sync, Ticket,
};
use protocol::Str;
use types::{ErrorCode, Offset, Uuid};

/// The records as bytes, how many are committed, and the shard that leads.
pub struct World {
    pub shard: GroupShard,
    log: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    pub committed: usize,
    pub now: Now,
    pub config: Arc<GroupConfig>,
    /// Where batches end: a log is cut nowhere else.
    batches: Vec<usize>,
    /// Answers that leave when the log is committed up to their place.
    held: Vec<(usize, Ticket, Answer)>,
    /// What time alone wrote, for whoever looks.
    pub timed: Vec<Timed>,
    /// A node that never led: it only reads the log.
    follower: State,
    tickets: u64,
    /// Records that one decision wrote at most, for whoever counts.
    pub decisions: usize,
}

impl World {
    pub fn new(config: GroupConfig) -> World {
        let now = Now {
            elapsed_ms: 1_000,
            wall_ms: 1_700_000_000_000,
        };
        let config = Arc::new(config);
        let (shard, effects) = GroupShard::load(State::default(), config.clone(), now);
        assert!(effects.is_empty(), "an empty log decides nothing");
        World {
            shard,
            log: Vec::new(),
            committed: 0,
            now,
            config,
            batches: Vec::new(),
            held: Vec::new(),
            timed: Vec::new(),
            follower: State::default(),
            tickets: 0,
            decisions: 0,
        }
    }

    pub fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    pub fn end(&self) -> usize {
        self.log.len()
    }

    /// Appends and applies a decision; gives the place below which its answers wait.
    pub fn settle(&mut self, effects: Effects) -> usize {
        self.decisions += 1;
        for record in &effects.records {
            let (key, value) = record.encode().expect("short");
            self.log.push((key.to_vec(), value.map(|value| value.to_vec())));
            let end = Offset(self.log.len() as i64);
            self.shard.apply(end, record);
            self.follower
                .apply(end, &read(self.log.last().expect("just pushed")));
        }
        assert_eq!(self.shard.state(), &self.follower, "leader and follower differ");
        let end = self.log.len();
        self.batches.push(end);
        let answers = effects.answers.into_iter();
        self.held
            .extend(answers.map(|(ticket, answer)| (end, ticket, answer)));
        end
    }

    /// The disk has caught up; the answers that waited for it leave.
    pub fn commit(&mut self) -> Vec<(Ticket, Answer)> {
        let heard = self.commit_and_tell().into_iter();
        heard.map(|(_, ticket, answer)| (ticket, answer)).collect()
    }

    /// As [`World::commit`], with the end of the log at which each answer was decided.
    pub fn commit_and_tell(&mut self) -> Vec<(usize, Ticket, Answer)> {
        self.committed = self.log.len();
        self.batches.clear();
        std::mem::take(&mut self.held)
    }

    /// Where the log may be cut, were the coordinator to resign now.
    pub fn cuts(&self) -> Vec<usize> {
        let mut cuts = vec![self.committed];
        cuts.extend(&self.batches);
        cuts
    }

    /// Another coordinator takes over with `kept` records, at least what is committed. Everybody who waited hears
    /// NOT_COORDINATOR; gives their tickets.
    pub fn resign(&mut self, kept: usize) -> Vec<Ticket> {
        assert!(
            self.committed <= kept && kept <= self.log.len(),
            "committed records are never lost"
        );
        let mut gone = self.shard.waiting();
        gone.extend(
            std::mem::take(&mut self.held)
                .into_iter()
                .map(|(_, ticket, _)| ticket),
        );
        let lost = kept < self.log.len();
        self.log.truncate(kept);
        self.batches.retain(|end| *end <= kept);
        let mut state = State::default();
        for (index, bytes) in self.log.iter().enumerate() {
            state.apply(Offset(index as i64 + 1), &read(bytes));
        }
        if lost {
            self.follower = state.clone();
        }
        // What a reload gives is what a node has that never led.
        assert_eq!(state, self.follower, "a reload and a follower differ");
        let (shard, effects) = GroupShard::load(state, self.config.clone(), self.now);
        self.shard = shard;
        self.settle(effects);
        gone
    }

    pub fn pass(&mut self, ms: u64) {
        let until = self.now.elapsed_ms + ms;
        while let Some(at) = self.shard.next_deadline_ms().filter(|at| *at <= until) {
            self.advance_to(at.max(self.now.elapsed_ms));
            let effects = self.shard.on_time(self.now);
            let (begin, wall_ms) = (self.log.len(), self.now.wall_ms);
            let records = effects.records.iter().enumerate();
            self.timed.extend(records.map(|(at, record)| Timed {
                end: begin + at + 1,
                wall_ms,
                record: record.clone(),
            }));
            self.settle(effects);
        }
        self.advance_to(until);
    }

    fn advance_to(&mut self, elapsed_ms: u64) {
        self.now.wall_ms += (elapsed_ms - self.now.elapsed_ms) as i64;
        self.now.elapsed_ms = elapsed_ms;
    }

    pub fn join(&mut self, join: &Join) {
        let effects = self.shard.join(self.now, join);
        self.settle(effects);
    }

    pub fn sync(&mut self, sync: &Sync) {
        let effects = self.shard.sync(self.now, sync);
        self.settle(effects);
    }

    /// Commits one offset as a member, or as nobody. Gives where its answer waits.
    pub fn commit_offset(
        &mut self,
        who: &Who,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Result<usize, ErrorCode> {
        let commit = Commit {
            group: who.group.clone(),
            member: who.member.clone(),
            instance: who.instance.clone(),
            generation: who.generation,
            retention_ms: -1,
            knows_missing_groups: true,
            offsets: vec![OffsetToCommit {
                topic: topic.into(),
                topic_id: Uuid([7; 16]),
                partition,
                offset,
                leader_epoch: (offset % 5) as i32,
                metadata: Some(format!("m{offset}").into()),
            }],
        };
        let (codes, effects) = self.shard.commit_offsets(self.now, &commit);
        let end = self.settle(effects);
        match codes?.as_slice() {
            [ErrorCode::None] => Ok(end),
            [code] => Err(*code),
            codes => panic!("one offset, {} answers", codes.len()),
        }
    }

    pub fn offset(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let offsets = self.shard.offsets(group);
        offsets.one(topic, partition).map(|committed| committed.offset)
    }
}

/// A record that time alone wrote.
#[derive(Debug, Clone)]
pub struct Timed {
    /// After it.
    pub end: usize,
    pub wall_ms: i64,
    pub record: Record,
}

/// As whom a client speaks.
#[derive(Debug, Clone)]
pub struct Who {
    pub group: Str,
    pub member: Str,
    pub instance: Option<Str>,
    pub generation: i32,
}

fn read((key, value): &(Vec<u8>, Option<Vec<u8>>)) -> Record {
    Record::decode(Some(key), value.as_deref()).expect("what was written is read")
}

/// Chance that a seed fixes.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.next().is_multiple_of(count)
    }
}
