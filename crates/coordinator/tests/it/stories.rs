//! Stories in `tests/scripts/*.txt`: what happens a line, `> ` in front of what is heard.
//! `UPDATE_EXPECT=1` writes the answers anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use coordinator::group::{Answer, Filter, GroupConfig, Join, Leave, Sync, Ticket};
use protocol::Str;
use types::ErrorCode;

use crate::world::{Who, World};

#[test]
fn stories_end_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut told = 0;
    for entry in std::fs::read_dir(folder).expect("the stories are there") {
        let path = entry.expect("readable").path();
        let script = std::fs::read_to_string(&path).expect("readable");
        let outcome = Teller::new().tell(&script);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, &outcome).expect("writable");
        } else {
            assert_eq!(outcome, script, "{}", path.display());
        }
        told += 1;
    }
    assert!(0 < told, "no story was told");
}

#[derive(Debug, Clone, Default)]
struct Member {
    id: Str,
    instance: Option<Str>,
    generation: i32,
    roster: Vec<Str>,
}

struct Teller {
    world: World,
    members: BTreeMap<String, Member>,
    /// Ids as the story knows them.
    names: BTreeMap<Str, String>,
    waiting: Vec<(Ticket, String)>,
    fresh: u128,
    out: String,
}

type Options<'a> = BTreeMap<&'a str, &'a str>;

impl Teller {
    fn new() -> Teller {
        Teller {
            world: World::new(GroupConfig::default()),
            members: BTreeMap::new(),
            names: BTreeMap::new(),
            waiting: Vec::new(),
            fresh: 0,
            out: String::new(),
        }
    }

    fn tell(mut self, script: &str) -> String {
        for line in script.lines().filter(|line| !line.starts_with('>')) {
            let _ = writeln!(self.out, "{line}");
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let options: Options<'_> = words.iter().filter_map(|word| word.split_once('=')).collect();
            let plain: Vec<&str> = words.iter().filter(|word| !word.contains('=')).copied().collect();
            self.line(&plain, &options);
            self.hear();
        }
        self.out
    }

    fn say(&mut self, text: &str) {
        let _ = writeln!(self.out, "> {text}");
    }

    fn line(&mut self, words: &[&str], options: &Options<'_>) {
        match words {
            ["config"] => self.config(options),
            ["join", name, group] => self.join(name, group, options),
            ["sync", name, group] => self.sync(name, group, options),
            ["beat", name, group] => self.beat(name, group, options),
            ["leave", name, group] => self.leave(name, group, options),
            ["commit", name, group, topic, partition, offset] => {
                let (partition, offset) = (number(partition), number(offset));
                self.commit(name, group, (topic, partition as i32, offset), options);
            }
            ["pass", ms] => self.world.pass(number(ms) as u64),
            ["resign"] => {
                let kept = self.world.end();
                let gone = self.world.resign(kept);
                self.waiting.retain(|(ticket, _)| !gone.contains(ticket));
                self.say(&format!("{} told NOT_COORDINATOR", gone.len()));
            }
            ["group", group] => self.describe(group),
            ["offsets", group] => self.offsets(group),
            ["delete", group] => {
                let (deleted, effects) = self.world.shard.delete_group(&Str::from(*group));
                self.world.settle(effects);
                self.say(&outcome(deleted));
            }
            ["delete-offset", group, topic, partition] => {
                let wanted = [(Str::from(*topic), number(partition) as i32)];
                let (codes, effects) =
                    self.world
                        .shard
                        .delete_offsets(self.world.now, &Str::from(*group), &wanted);
                self.world.settle(effects);
                self.say(&outcome(codes.and_then(|codes| match codes[0] {
                    ErrorCode::None => Ok(()),
                    code => Err(code),
                })));
            }
            ["delete-topic", topic] => {
                let effects = self
                    .world
                    .shard
                    .forget_topics(self.world.now, |name, _| name == *topic);
                self.say(&format!("{} records", effects.records.len()));
                self.world.settle(effects);
            }
            ["groups"] => {
                let filter = Filter::default();
                let mut rows: Vec<String> = self
                    .world
                    .shard
                    .list(&filter)
                    .map(|row| format!("{} {} '{}'", row.id, row.state, row.protocol_type))
                    .collect();
                rows.sort();
                rows.iter().for_each(|row| self.say(row));
            }
            other => panic!("no story has the words {other:?}"),
        }
    }

    fn config(&mut self, options: &Options<'_>) {
        let mut config = GroupConfig::default();
        for (name, value) in options {
            match *name {
                "delay" => config.initial_rebalance_delay_ms = number(value) as i32,
                "max" => config.members_max = number(value) as usize,
                "retention" => config.offsets_retention_ms = number(value),
                "check" => config.offsets_check_interval_ms = number(value) as u64,
                "record" => config.record_bytes_max = number(value) as usize,
                other => panic!("no setting {other}"),
            }
        }
        self.world = World::new(config);
        self.members.clear();
        self.names.clear();
        self.waiting.clear();
    }

    fn join(&mut self, name: &str, group: &str, options: &Options<'_>) {
        let ticket = self.world.ticket();
        self.waiting.push((ticket, name.to_owned()));
        self.fresh += 1;
        let member = self.members.entry(name.to_owned()).or_default();
        if let Some(instance) = options.get("instance") {
            member.instance = Some(Str::from(*instance));
        }
        let version: i64 = options.get("v").map_or(9, |text| number(text));
        let protocols = options.get("protocols").unwrap_or(&"range");
        let metadata = options
            .get("says")
            .map_or_else(|| subscription("t"), |topic| subscription(topic));
        let join = Join {
            ticket,
            group: group.into(),
            member: options
                .get("as")
                .map_or_else(|| member.id.clone(), |id| Str::from(*id)),
            instance: member.instance.clone(),
            client_id: name.into(),
            client_host: "/127.0.0.1".into(),
            session_timeout_ms: options.get("session").map_or(10_000, |text| number(text) as i32),
            rebalance_timeout_ms: options
                .get("rebalance")
                .map_or(30_000, |text| number(text) as i32),
            protocol_type: options.get("type").unwrap_or(&"consumer").to_string().into(),
            protocols: protocols
                .split(',')
                .filter(|name| !name.is_empty())
                .map(|name| (name.into(), metadata.clone()))
                .collect(),
            needs_known_member: 4 <= version,
            can_skip_assignment: 9 <= version,
            fresh: self.fresh,
        };
        self.world.join(&join);
    }

    fn sync(&mut self, name: &str, group: &str, options: &Options<'_>) {
        let ticket = self.world.ticket();
        self.waiting.push((ticket, name.to_owned()));
        let member = self.members.entry(name.to_owned()).or_default().clone();
        let size: usize = options.get("bytes").map_or(0, |text| number(text) as usize);
        let assignment = |id: &Str| {
            let name = self.names.get(id).cloned().unwrap_or_default();
            let bytes = if size == 0 {
                format!("for-{name}")
            } else {
                "x".repeat(size)
            };
            (id.clone(), bytes.into())
        };
        let sync = Sync {
            ticket,
            group: group.into(),
            generation: options
                .get("generation")
                .map_or(member.generation, |text| number(text) as i32),
            member: member.id.clone(),
            instance: member.instance.clone(),
            protocol_type: None,
            protocol: options.get("protocol").map(|name| Str::from(*name)),
            assignments: member.roster.iter().map(assignment).collect(),
        };
        self.world.sync(&sync);
    }

    fn beat(&mut self, name: &str, group: &str, options: &Options<'_>) {
        let member = self.members.get(name).cloned().unwrap_or_default();
        let generation = options
            .get("generation")
            .map_or(member.generation, |text| number(text) as i32);
        let beat = self.world.shard.heartbeat(
            self.world.now,
            group,
            &member.id,
            member.instance.as_ref(),
            generation,
        );
        self.say(&outcome(beat));
    }

    fn leave(&mut self, name: &str, group: &str, options: &Options<'_>) {
        let member = self.members.get(name).cloned().unwrap_or_default();
        let leave = match options.get("instance") {
            Some(instance) => Leave {
                member: Str::default(),
                instance: Some(Str::from(*instance)),
            },
            None => Leave {
                member: member.id,
                instance: member.instance,
            },
        };
        let (left, effects) = self.world.shard.leave(self.world.now, group, &[leave]);
        self.world.settle(effects);
        let answers = left.expect("the group has a name");
        let code = ErrorCode::from_code(answers[0].error_code).expect("a code");
        self.say(code.name());
    }

    fn commit(&mut self, name: &str, group: &str, offset: (&str, i32, i64), options: &Options<'_>) {
        let member = self.members.get(name).cloned().unwrap_or_default();
        let outsider = name == "nobody";
        let generation = if outsider { -1 } else { member.generation };
        let who = Who {
            group: group.into(),
            member: member.id,
            instance: member.instance,
            generation: options
                .get("generation")
                .map_or(generation, |text| number(text) as i32),
        };
        let done = self.world.commit_offset(&who, offset.0, offset.1, offset.2);
        self.say(&outcome(done.map(|_| ())));
    }

    fn describe(&mut self, group: &str) {
        let Some(described) = self.world.shard.describe(&Str::from(group)) else {
            return self.say("Dead");
        };
        let mut text = format!(
            "{} '{}' '{}'",
            described.group_state, described.protocol_type, described.protocol_data
        );
        let mut rows: Vec<String> = described
            .members
            .iter()
            .map(|member| {
                let name = self.names.get(&member.member_id).cloned().unwrap_or("?".into());
                format!(" {name}:{}", String::from_utf8_lossy(&member.member_assignment))
            })
            .collect();
        rows.sort();
        rows.iter().for_each(|row| text.push_str(row));
        self.say(&text);
    }

    fn offsets(&mut self, group: &str) {
        let mut rows = Vec::new();
        for (topic, partitions) in self.world.shard.offsets(group).all() {
            rows.extend(
                partitions.map(|(partition, committed)| format!("{topic}-{partition} {}", committed.offset)),
            );
        }
        if rows.is_empty() {
            rows.push("none".to_owned());
        }
        rows.iter().for_each(|row| self.say(row));
    }

    /// The disk is as fast as the story.
    fn hear(&mut self) {
        let heard = self.world.commit();
        for (ticket, answer) in &heard {
            let waits = self.waiting.iter().find(|(waits, _)| waits == ticket);
            if let (Answer::Join(response), Some((_, name))) = (answer, waits) {
                self.names.insert(response.member_id.clone(), name.clone());
            }
        }
        for (ticket, answer) in heard {
            let Some(at) = self.waiting.iter().position(|(waits, _)| *waits == ticket) else {
                continue;
            };
            let (_, name) = self.waiting.remove(at);
            let text = match answer {
                Answer::Join(response) => self.joined(&name, &response),
                Answer::Sync(response) => match response.error_code {
                    0 => format!(
                        "{name}: assigned '{}'",
                        String::from_utf8_lossy(&response.assignment)
                    ),
                    code => format!("{name}: {}", ErrorCode::from_code(code).expect("a code").name()),
                },
            };
            self.say(&text);
        }
    }

    fn joined(
        &mut self,
        name: &str,
        response: &protocol::messages::join_group_response::JoinGroupResponse,
    ) -> String {
        let code = ErrorCode::from_code(response.error_code).expect("a code");
        let member = self.members.entry(name.to_owned()).or_default();
        if !response.member_id.is_empty() {
            member.id = response.member_id.clone();
        }
        if code != ErrorCode::None {
            return format!("{name}: {}", code.name());
        }
        member.generation = response.generation_id;
        member.roster = response
            .members
            .iter()
            .map(|member| member.member_id.clone())
            .collect();
        let known = |id: &Str| self.names.get(id).cloned().unwrap_or("?".into());
        let mut roster: Vec<String> = response
            .members
            .iter()
            .map(|member| known(&member.member_id))
            .collect();
        roster.sort();
        format!(
            "{name}: generation {} of '{}', leader {}, members [{}]{}",
            response.generation_id,
            response.protocol_name.as_deref().unwrap_or("none"),
            known(&response.leader),
            roster.join(" "),
            if response.skip_assignment {
                ", keeps its assignment"
            } else {
                ""
            },
        )
    }
}

fn outcome(result: Result<(), ErrorCode>) -> String {
    result.err().unwrap_or(ErrorCode::None).name().to_owned()
}

fn number(text: &str) -> i64 {
    text.parse().expect("a number")
}

/// Version 0 of a consumer's subscription to one topic.
fn subscription(topic: &str) -> bytes::Bytes {
    let mut bytes = vec![0, 0, 0, 0, 0, 1, 0, topic.len() as u8];
    bytes.extend_from_slice(topic.as_bytes());
    bytes.extend_from_slice(&[0xff; 4]);
    bytes.into()
}
