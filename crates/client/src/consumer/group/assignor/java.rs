//! The assignors beside those of Apache Kafka, on random groups: `CLIENT_TEST_JARS` names a directory with its jars.
//!
//! Subscriptions go to Java in our bytes and assignments come back in Java's. Range and round-robin give the same, racks
//! or not. The sticky ones are at least as even, then keep at least as much in place, and are as near to the racks on average.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use bytes::Bytes;
use os::Random;

use super::super::protocol::{Past, read_subscription, subscription};
use super::*;
use crate::admin::read_assignment;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Bytes {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).expect("hex") as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Answers of the Java program to each of the questions; nothing without jars.
fn ask_java(questions: &[String]) -> Option<Vec<String>> {
    let jars = std::env::var("CLIENT_TEST_JARS").ok()?;
    let program = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/conformance/java/Assignors.java"
    );
    let mut java = Command::new("java")
        .args(["-Xmx256m", "-cp", &format!("{jars}/*"), program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("java starts");
    let mut stdin = java.stdin.take().expect("piped");
    let text = questions.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let out = java.wait_with_output().expect("java ends");
    writer.join().expect("it ends").expect("java reads");
    let text = String::from_utf8(out.stdout).expect("text");
    let answers: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), questions.len(), "java answers every line");
    Some(answers)
}

/// A group, and what was given in the generation before.
struct Case {
    assignor: Assignor,
    members: Vec<Member>,
    layout: Layout,
}

const RACKS: [&str; 3] = ["a", "b", "c"];

impl Case {
    fn random(assignor: Assignor, random: &Random) -> Case {
        let draw = |below: u64| random.u64() % below;
        let with_racks = draw(2) == 0;
        let alike = draw(2) == 0;
        let mut layout = Layout::default();
        for topic in 0..1 + draw(4) {
            let name: Arc<str> = format!("t{topic}").into();
            let count = 1 + draw(8);
            layout.counts.insert(name.clone(), count as i32);
            let racks = (0..count).map(|_| {
                let replicas = 1 + draw(3);
                let each = (0..replicas).map(|_| Arc::from(RACKS[draw(3) as usize]));
                each.collect::<BTreeSet<Arc<str>>>()
            });
            let racks = racks.collect();
            if with_racks {
                layout.racks.insert(name, racks);
            }
        }
        let topics: Vec<Arc<str>> = layout.counts.keys().cloned().collect();
        let members = (0..1 + draw(5)).map(|n| {
            let mut wanted: Vec<Arc<str>> = topics.iter().filter(|_| draw(3) != 0).cloned().collect();
            if alike || wanted.is_empty() {
                wanted = topics.clone();
            }
            Member {
                id: format!("m{n}"),
                instance_id: (draw(4) == 0).then(|| format!("i{}", 9 - n)),
                topics: wanted,
                generation: -1,
                rack: (with_racks && draw(5) != 0).then(|| RACKS[draw(3) as usize].into()),
                owned: Vec::new(),
            }
        });
        let mut case = Case {
            assignor,
            members: members.collect(),
            layout,
        };
        if matches!(assignor, Assignor::Sticky | Assignor::CooperativeSticky) {
            case.remember(random);
        }
        case
    }

    /// A generation before this one: some members were not there yet, and others have gone.
    fn remember(&mut self, random: &Random) {
        let mut before = self.members.clone();
        before.retain(|_| !random.u64().is_multiple_of(4));
        before.push(Member {
            id: "gone".into(),
            topics: self.layout.counts.keys().cloned().collect(),
            ..Member::default()
        });
        let given = assign(self.assignor, &before, &self.layout);
        for member in &mut self.members {
            if let Some(owned) = given.get(&member.id) {
                (member.owned, member.generation) = (owned.clone(), 3);
            }
        }
    }

    fn question(&self) -> String {
        let topics = self.layout.counts.iter().map(|(name, count)| {
            let racks = (0..*count as usize).map(|index| {
                let of = self.layout.racks.get(name).map(|racks| &racks[index]);
                of.map_or("-".into(), |racks| {
                    racks.iter().map(|rack| &**rack).collect::<Vec<_>>().join("+")
                })
            });
            format!("{name}={}", racks.collect::<Vec<String>>().join("/"))
        });
        let topics: Vec<String> = topics.collect();
        let members = self.members.iter().map(|member| {
            let cooperative = self.assignor.is_cooperative();
            let past = Past {
                owned: if cooperative {
                    member.owned.clone()
                } else {
                    Vec::new()
                },
                last: member.owned.clone(),
                generation: member.generation,
                rack: member.rack.as_deref().map(str::to_owned),
            };
            let bytes = subscription(self.assignor, &member.topics, &past).expect("small");
            let instance = member.instance_id.as_deref().unwrap_or("-");
            format!("{}:{instance}:{}", member.id, hex(&bytes))
        });
        let members: Vec<String> = members.collect();
        format!(
            "assign {} {} {}",
            self.assignor.name(),
            topics.join(","),
            members.join(" ")
        )
    }

    /// Partitions that stay with their owner, and partitions read in their rack.
    fn quality(&self, assignment: &Assignment) -> (usize, usize) {
        let (mut kept, mut near) = (0, 0);
        for member in &self.members {
            for partition in &assignment[&member.id] {
                kept += usize::from(member.owned.contains(partition));
                near += usize::from(racks::is_local(member, self.layout.racks_of(partition)));
            }
        }
        (kept, near)
    }
}

fn read(answer: &str) -> Assignment {
    let each = answer.split(' ').map(|one| {
        let (member, hex) = one.split_once(':').expect("member:hex");
        let mut partitions = read_assignment(&unhex(hex)).expect("Java's bytes");
        partitions.sort();
        (member.to_owned(), partitions)
    });
    each.collect()
}

/// The sum of the squares of the loads: less is more even.
fn unevenness(assignment: &Assignment) -> usize {
    assignment.values().map(|one| one.len() * one.len()).sum()
}

fn cases(assignors: &[Assignor]) -> (Vec<Case>, Option<Vec<Assignment>>) {
    let count = std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|text| text.parse().ok());
    let random = Random::seeded(11);
    let cases: Vec<Case> = (0..count.unwrap_or(300))
        .map(|n: usize| Case::random(assignors[n % assignors.len()], &random))
        .collect();
    let questions: Vec<String> = cases.iter().map(Case::question).collect();
    let answers = ask_java(&questions).map(|answers| answers.iter().map(|answer| read(answer)).collect());
    (cases, answers)
}

#[test]
fn range_and_round_robin_give_what_java_gives() {
    let (cases, answers) = cases(&[Assignor::Range, Assignor::RoundRobin]);
    for (case, java) in cases.iter().zip(answers.into_iter().flatten()) {
        let mut ours = assign(case.assignor, &case.members, &case.layout);
        ours.values_mut().for_each(|partitions| partitions.sort());
        assert_eq!(ours, java, "{}", case.question());
    }
}

#[test]
fn sticky_assignments_are_as_even_as_javas_and_move_no_more() {
    let (cases, answers) = cases(&[Assignor::Sticky]);
    let (mut kept, mut near) = ([0, 0], [0, 0]);
    for (case, java) in cases.iter().zip(answers.into_iter().flatten()) {
        let ours = assign(case.assignor, &case.members, &case.layout);
        let (even, even_of_java) = (unevenness(&ours), unevenness(&java));
        assert!(even <= even_of_java, "{even_of_java} {even}: {}", case.question());
        if even < even_of_java {
            continue;
        }
        let ((ours_kept, ours_near), (java_kept, java_near)) = (case.quality(&ours), case.quality(&java));
        if !case.layout.racks.is_empty() {
            near = [near[0] + ours_near, near[1] + java_near];
            continue;
        }
        kept = [kept[0] + ours_kept, kept[1] + java_kept];
        // Where members want different topics neither looks at all ways to be even.
        let alike = case.members.windows(2).all(|two| two[0].topics == two[1].topics);
        assert!(
            !alike || java_kept <= ours_kept,
            "{java_kept} {ours_kept}: {}",
            case.question()
        );
    }
    println!(
        "kept in place: ours {} Java {}; in the rack: ours {} Java {}",
        kept[0], kept[1], near[0], near[1]
    );
    assert!(kept[1] <= kept[0], "kept {kept:?}");
    assert!(near[1] <= near[0] + near[0] / 50, "near {near:?}");
}

#[test]
fn subscriptions_have_javas_bytes() {
    let topics: Vec<Arc<str>> = vec!["u".into(), "t".into()];
    let mut wanted = Vec::new();
    let mut questions = Vec::new();
    for assignor in [
        Assignor::Range,
        Assignor::RoundRobin,
        Assignor::Sticky,
        Assignor::CooperativeSticky,
    ] {
        for (generation, count, rack) in [(-1, 0, "-"), (0, 0, "-"), (7, 1, "-"), (9, 3, "east")] {
            let owned: Vec<TopicPartition> = (0..count).map(|n| TopicPartition::new("t", n)).collect();
            let names: Vec<String> = owned.iter().map(TopicPartition::to_string).collect();
            let said = if names.is_empty() {
                "-".into()
            } else {
                names.join(",")
            };
            questions.push(format!(
                "subscribe {} u,t {said} {generation} {rack}",
                assignor.name()
            ));
            let past = Past {
                owned: owned.clone(),
                last: owned,
                generation,
                rack: (rack != "-").then(|| rack.to_owned()),
            };
            wanted.push((assignor, subscription(assignor, &topics, &past).expect("small")));
        }
    }
    for (question, ((assignor, ours), java)) in questions
        .iter()
        .zip(wanted.iter().zip(ask_java(&questions).into_iter().flatten()))
    {
        let java = unhex(&java);
        assert_eq!(hex(ours), hex(&java), "{question}");
        let read = read_subscription(*assignor, "m", None, &java).expect("Java's bytes");
        assert_eq!(read.topics, ["t".into(), "u".into()]);
    }
}
