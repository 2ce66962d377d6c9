//! What disturbs a history, and how it ends: trouble stops, then everybody goes.

use coordinator::group::Leave;
use protocol::Str;
use types::ErrorCode;

use super::client::{Client, Doing};
use super::{GROUP, History, OTHER, PARTITIONS, RETENTION_MS, TOPIC};

/// Self-inflicted wounds are healed by then: sessions, rebalances and sync phases of all who are gone, one after the
/// other.
const PEACE_ROUNDS: usize = 150;
const PEACE_ROUND_MS: u64 = 100;

impl History {
    /// A client stalls, wakes, restarts or leaves.
    pub(super) fn trouble(&mut self, at: usize) {
        match self.dice.below(4) {
            0 => self.clients[at].awake = false,
            1 => self.clients[at].awake = true,
            2 => {
                // The process starts anew. A static one comes back under its name, beside its stalled self.
                let old = &mut self.clients[at];
                let again = Client::new(old.name, old.instance.clone());
                old.awake = false;
                if self.clients.len() < 8 {
                    self.clients.push(again);
                } else {
                    self.clients[at] = again;
                }
            }
            _ => self.leave(at),
        }
    }

    fn leave(&mut self, at: usize) {
        let client = &mut self.clients[at];
        let leave = Leave {
            member: client.member.clone(),
            instance: client.instance.clone(),
        };
        client.forget();
        client.member = Str::default();
        if !leave.member.is_empty() {
            let (left, effects) = self.world.shard.leave(self.world.now, GROUP, &[leave]);
            assert!(left.is_ok(), "a group with a name answers each on its own");
            self.world.settle(effects);
        }
    }

    pub(super) fn resign(&mut self) {
        let cuts = self.world.cuts();
        let kept = cuts[self.dice.below(cuts.len())];
        self.counts.resigned += 1;
        self.counts.lost_tails += u64::from(kept < self.world.end());
        self.term += 1;
        self.model.cut(kept);
        for ticket in self.world.resign(kept) {
            for client in &mut self.clients {
                if client.waits_for(ticket) {
                    client.doing = Doing::Nothing;
                }
            }
        }
    }

    /// Somebody deletes offsets, a topic, or the group.
    pub(super) fn admin(&mut self) {
        let someone_is_safe = self.clients.iter().any(|client| self.is_safe(client));
        match self.dice.below(3) {
            0 => {
                let (deleted, effects) = self.world.shard.delete_group(&GROUP.into());
                let end = self.world.settle(effects);
                if deleted.is_ok() {
                    assert!(!someone_is_safe, "a group with members was deleted");
                    self.counts.deleted += 1;
                    self.model.delete_group(end);
                    assert!(
                        self.world.shard.state().group(GROUP).is_none(),
                        "a deleted group is there"
                    );
                }
            }
            1 => {
                let topic = [TOPIC, OTHER][self.dice.below(2)];
                let partition = self.dice.below(PARTITIONS as usize) as i32;
                let (now, wanted) = (self.world.now, [(topic.into(), partition)]);
                let (codes, effects) = self.world.shard.delete_offsets(now, &GROUP.into(), &wanted);
                let end = self.world.settle(effects);
                if codes.is_ok_and(|codes| codes == [ErrorCode::None]) {
                    assert!(
                        topic == OTHER || !someone_is_safe,
                        "an offset that members use was deleted"
                    );
                    self.counts.deleted += 1;
                    self.model.decide(end, (topic, partition), None);
                }
            }
            _ => {
                let gone = |topic: &str, _| topic == OTHER;
                let effects = self.world.shard.forget_topics(self.world.now, gone);
                let end = self.world.settle(effects);
                for place in self.model.kept() {
                    if place.0 == OTHER {
                        self.model.decide(end, place, None);
                    }
                }
            }
        }
    }

    /// Whoever is stalled stays so for ever, and nothing happens to the others: they share everything soon.
    pub(super) fn peace(&mut self) {
        for _ in 0..PEACE_ROUNDS {
            self.clients.retain(|client| client.awake);
            if self.clients.is_empty() {
                self.clients.push(Client::new(99, None));
            }
            self.step_all();
            self.disk_catches_up();
            self.heartbeats();
            self.pass(PEACE_ROUND_MS);
        }
        self.disk_catches_up();
        self.model.check(&self.world);
        self.clients.retain(|client| client.awake);
        let mut owned: Vec<i32> = Vec::new();
        for client in &self.clients {
            assert_eq!(client.doing, Doing::Working, "{client:?} is left alone");
            assert_eq!(
                client.generation, self.clients[0].generation,
                "{client:?} is in another generation"
            );
            owned.extend(&client.owns);
        }
        owned.sort_unstable();
        assert!(
            owned.into_iter().eq(0..PARTITIONS),
            "not every partition has its one owner: {:?}",
            self.clients
        );
    }

    /// Everybody is gone for good: offsets expire, and then the group.
    pub(super) fn funeral(&mut self) {
        self.clients.clear();
        for _ in 0..14 {
            self.pass(RETENTION_MS as u64 / 4);
            self.model.check(&self.world);
        }
        assert_eq!(
            self.world.shard.state().groups().count(),
            0,
            "nobody is there, and something is kept"
        );
    }
}
