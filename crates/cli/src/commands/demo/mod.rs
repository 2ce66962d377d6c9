//! `ottla demo`: the main job in one command, on a node of its own that is killed twice, with nothing left behind.
//!
//! Events go in through an idempotent producer; two consumers of one group share the partitions and count; one is
//! gone without a word, then the node is killed with SIGKILL and started again. The verdict is over every event: each
//! was counted once, in order for its key, from committed offsets. Anything else is a failure of the command.

mod counter;
mod events;
mod ledger;
mod node;
mod story;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ArgMatches;
use client::{Client, ClientConfig, NewTopic};
use serde_json::json;

use self::counter::{Counter, GROUP, TOPIC};
use self::ledger::Ledger;
use self::node::Node;
use self::story::Story;
use crate::arguments::{number, option};
use crate::{Column, Command, Context, Failure, Kind, Report};

pub const COMMAND: Command = Command {
    path: &["demo"],
    about: "Show the main job on a node of its own: events in, a group counts them, things are killed, nothing is lost",
    example: "ottla demo",
    arguments: |command| {
        command
            .arg(option(
                "port",
                "PORT",
                "Where its node listens on loopback (default: a free one)",
            ))
            .arg(option(
                "events",
                "COUNT",
                "How many of the 4,000 bundled events (default: all)",
            ))
    },
    run,
};

const COLUMNS: &[Column] = &[
    Column::new("events"),
    Column::new("counted"),
    Column::new("keys"),
    Column::new("read_again"),
    Column::new("ready_again_ms"),
    Column::new("seconds"),
];

const PARTITIONS: i32 = 4;
/// No step of the story takes so long on a machine that is not broken.
const PATIENCE: Duration = Duration::from_secs(60);

fn run(context: &Context, matches: &ArgMatches) -> Result<Report, Failure> {
    let count = number(matches, "events")?.unwrap_or(usize::MAX);
    let port: Option<u16> = number(matches, "port")?;
    let events: Vec<_> = events::all().take(count).collect();
    if events.len() < 1000 {
        return Err(Failure::usage("the story needs 1,000 events").hint("leave --events out"));
    }
    if context.dry_run {
        let mut report = Report::new("demo", COLUMNS);
        report.dry_run = true;
        report.note =
            Some("would start a node on loopback, in a folder that is removed at the end".to_owned());
        return Ok(report);
    }
    let folder = Folder::new()?;
    let port = port.map_or_else(node::free_port, Ok)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("no runtime could be made: {error}")))?;
    let story = Story::new(context.format.is_table());
    runtime.block_on(async {
        tokio::select! {
            told = tell(&story, events, folder.path(), port) => told,
            _ = tokio::signal::ctrl_c() => Err(Failure::new(Kind::Interrupted, "interrupted")),
        }
    })
}

/// A folder that goes with its value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder, Failure> {
        let name = format!("ottla-demo-{:016x}", os::Random::real().u64());
        let path = std::env::temp_dir().join(name);
        let made = std::fs::create_dir(&path);
        made.map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        Ok(Folder(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn failed(error: client::Error) -> Failure {
    Failure::failed(format!("the demo's own node: {error}"))
}

async fn tell(
    story: &Story,
    events: Vec<events::Event>,
    folder: &Path,
    port: u16,
) -> Result<Report, Failure> {
    let started = Instant::now();
    let total = events.len();
    story.head("a node starts, with nothing but a folder for its data");
    let node = Node::start(folder, port)?;
    story.say(&node.ready_line);
    let config = ClientConfig::new(&node.address()).with_client_id("ottla-demo");
    let client = Client::new(config).map_err(failed)?;
    let topic = NewTopic::new(TOPIC).partitions(PARTITIONS);
    for (_, made) in client.admin().create_topics(&[topic]).await.map_err(failed)? {
        made.map_err(failed)?;
    }
    let ledger = Arc::new(Ledger::default());
    let (one, two) = share(story, &client, &ledger).await?;

    story.head(&format!(
        "{total} orders of a web shop stream in (acks=all, idempotent), keyed by customer"
    ));
    let producer = events::stream(&client, events.clone()).map_err(failed)?;
    let tenth = total / 10;
    within("the events do not get in", || {
        tenth <= one.counted() && tenth <= two.counted()
    })
    .await?;
    one.kill();
    story.say(&format!(
        "consumer one is gone without a word: it had counted {} orders",
        one.counted()
    ));
    within("the events do not get in", || total / 2 <= producer.delivered()).await?;
    drop(node);
    story.say(&format!(
        "the node is killed (SIGKILL): {} orders were acknowledged by then",
        producer.delivered()
    ));
    // Long enough that the clients meet a node that is not there.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let node = Node::start(folder, port)?;
    let ready_again_ms = u64::try_from(node.ready_after.as_millis()).unwrap_or(u64::MAX);
    story.say(&format!("it is back {ready_again_ms} ms after its start"));
    producer.finished(PATIENCE).await?;
    story.say("every order is acknowledged");

    story.head("the session of consumer one ends, and its partitions move");
    let all: Vec<i32> = (0..PARTITIONS).collect();
    within("the partitions do not move", || two.owns() == all).await?;
    story.say(&format!("consumer two counts {}", named(&two.owns())));
    within("not every order is counted", || total <= ledger.counted()).await?;
    two.leave(PATIENCE).await?;
    let verdict = judge(story, &ledger, &events)?;

    story.head("the node is killed once more; a new consumer looks for what is left");
    drop(node);
    let node = Node::start(folder, port)?;
    nothing_is_left(story, &client, total).await?;
    drop(node);
    story.head("try it yourself");
    story.say("ottla                                       # a node on 127.0.0.1:9092, data in ./ottla-data");
    story.say("echo 'ada:hello' | ottla produce greetings -k :");
    story.say("ottla consume greetings -k");
    let row = json!({
        "events": total,
        "counted": verdict.counted,
        "keys": verdict.keys,
        "read_again": verdict.again,
        "ready_again_ms": ready_again_ms,
        "seconds": (started.elapsed().as_secs_f64() * 10.0).round() / 10.0,
    });
    let mut report = Report::of("demo", COLUMNS, vec![row]);
    // The story has said it.
    report.text = Some(String::new());
    Ok(report)
}

/// Two consumers of the group, each with partitions.
async fn share(story: &Story, client: &Client, ledger: &Arc<Ledger>) -> Result<(Counter, Counter), Failure> {
    story.head(&format!(
        "two consumers of the group '{GROUP}' share {PARTITIONS} partitions"
    ));
    let one = Counter::start(client, ledger.clone()).map_err(failed)?;
    let two = Counter::start(client, ledger.clone()).map_err(failed)?;
    let half = usize::try_from(PARTITIONS / 2).unwrap_or(1);
    within("the consumers get no partitions", || {
        one.owns().len() == half && two.owns().len() == half
    })
    .await?;
    story.say(&format!("consumer one counts {}", named(&one.owns())));
    story.say(&format!("consumer two counts {}", named(&two.owns())));
    Ok((one, two))
}

fn judge(story: &Story, ledger: &Ledger, events: &[events::Event]) -> Result<ledger::Verdict, Failure> {
    story.head("the count");
    let verdict = ledger.verdict(events).map_err(Failure::failed)?;
    story.say(&format!(
        "{} of {} orders were counted, each exactly once, in order for each of {} customers",
        verdict.counted,
        events.len(),
        verdict.keys
    ));
    story.say(&format!(
        "({} had been read by a consumer that ended before it committed them, and were read again)",
        verdict.again
    ));
    for (customer, orders) in &verdict.most {
        story.say(&format!("  {customer} ordered {orders} times"));
    }
    Ok(verdict)
}

async fn nothing_is_left(story: &Story, client: &Client, total: usize) -> Result<(), Failure> {
    let rest = Arc::new(Ledger::default());
    let third = Counter::start(client, rest.clone()).map_err(failed)?;
    let all = usize::try_from(PARTITIONS).unwrap_or(1);
    within("the third consumer gets no partitions", || {
        third.owns().len() == all
    })
    .await?;
    let committed = client
        .admin()
        .committed_offsets(GROUP, None)
        .await
        .map_err(failed)?;
    let read: i64 = committed.iter().map(|(_, committed)| committed.offset.0).sum();
    // One fetch of everything would have come by now.
    tokio::time::sleep(Duration::from_millis(500)).await;
    third.leave(PATIENCE).await?;
    let left = rest.seen();
    if left != 0 || usize::try_from(read).ok() != Some(total) {
        return Err(Failure::failed(format!(
            "{left} orders were left, and the group stands at {read} of {total}"
        )));
    }
    story.say(&format!(
        "{left} orders are left: the group stands behind all {total}"
    ));
    Ok(())
}

/// Waits for something to come true. Looked at again and again: what is waited for is counted by other tasks, and a
/// demo of seconds needs no wake-up to the millisecond.
async fn within(what: &str, mut done: impl FnMut() -> bool) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    while !done() {
        if until < Instant::now() {
            return Err(Failure::failed(format!("{what} within {} s", PATIENCE.as_secs())));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

fn named(partitions: &[i32]) -> String {
    let each: Vec<String> = partitions.iter().map(ToString::to_string).collect();
    match each.len() {
        1 => format!("partition {}", each.concat()),
        _ => format!("partitions {}", each.join(" ")),
    }
}
