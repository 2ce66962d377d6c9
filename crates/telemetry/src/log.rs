//! Log lines on stderr: time, level, target, message, fields, and what a person should do.
//!
//! `OTTLA_LOG` sets the level (error, warn, info, debug, trace); `OTTLA_LOG_FORMAT=json` writes one JSON object a line.
//! Each part of the program may be given another level while the process runs.
//! An event's field `action` is what a person should do; it comes last.

use std::fmt::{Debug, Write as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

struct Lines {
    format: Format,
}

/// The parts of the program that write lines, each with a level of its own.
pub const PARTS: [&str; 10] = [
    "broker",
    "config",
    "coordinator",
    "http",
    "metadata",
    "net",
    "os",
    "ottla",
    "storage",
    "telemetry",
];

/// The most detailed level that each of `PARTS` writes, as [`detail`] gives it.
static LEVELS: [AtomicU8; PARTS.len()] = [const { AtomicU8::new(detail(Level::WARN)) }; PARTS.len()];
/// The level that the environment asked for.
static ROOT: AtomicU8 = AtomicU8::new(detail(Level::WARN));

/// Ascends with the detail; 0 is below every level and writes nothing.
const fn detail(level: Level) -> u8 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

/// The level of all parts that were given no other: 1 (error) to 5 (trace).
pub fn level() -> u8 {
    ROOT.load(Ordering::Relaxed)
}

/// Another level for one part, from the next line on: 0 (nothing) to 5 (trace).
pub fn set_level(part: &str, level: u8) {
    if let Some(known) = PARTS
        .iter()
        .position(|known| *known == part)
        .and_then(|at| LEVELS.get(at))
    {
        known.store(level, Ordering::Relaxed);
    }
    tracing::callsite::rebuild_interest_cache();
}

/// Sends the log of this process to stderr, as its environment says.
pub fn init() {
    let max = match std::env::var("OTTLA_LOG").as_deref() {
        Ok("error") => Level::ERROR,
        Ok("info") => Level::INFO,
        Ok("debug") => Level::DEBUG,
        Ok("trace") => Level::TRACE,
        _ => Level::WARN,
    };
    let format = match std::env::var("OTTLA_LOG_FORMAT").as_deref() {
        Ok("json") => Format::Json,
        _ => Format::Text,
    };
    ROOT.store(detail(max), Ordering::Relaxed);
    LEVELS
        .iter()
        .for_each(|level| level.store(detail(max), Ordering::Relaxed));
    // Fails only if a subscriber is set already, which then has the lines.
    let _ = tracing::subscriber::set_global_default(Lines { format });
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        part_of(metadata.target())
            .and_then(|at| LEVELS.get(at))
            .is_some_and(|most| detail(*metadata.level()) <= most.load(Ordering::Relaxed))
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let text = match self.format {
            Format::Text => line.text(now, level.as_str(), target),
            Format::Json => line.json(now, level.as_str(), target),
        };
        // Nobody is left to tell if stderr is gone.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Which part a line comes from. Libraries that we use may log too; only our own lines are for our users.
fn part_of(target: &str) -> Option<usize> {
    let first = target.split("::").next().unwrap_or_default();
    let name = if first.starts_with("ottla_") {
        "ottla"
    } else {
        first
    };
    PARTS.iter().position(|part| *part == name)
}

#[derive(Default)]
struct Line {
    message: String,
    fields: Vec<(&'static str, String)>,
    action: Option<String>,
}

impl Line {
    fn text(&self, now: Duration, level: &str, target: &str) -> String {
        let time = iso(now.as_secs(), now.subsec_millis());
        let mut text = format!("{time} {level} {target}: {}", self.message);
        for (name, value) in &self.fields {
            // Writing into a string cannot fail.
            let _ = write!(text, " {name}={value}");
        }
        if let Some(action) = &self.action {
            let _ = write!(text, "; what to do: {action}");
        }
        text.push('\n');
        text
    }

    fn json(&self, now: Duration, level: &str, target: &str) -> String {
        let mut object = serde_json::Map::new();
        let mut put = |name: &str, value: &str| object.insert(name.to_owned(), value.into());
        put("time", &iso(now.as_secs(), now.subsec_millis()));
        put("level", level);
        put("target", target);
        put("message", &self.message);
        if let Some(action) = &self.action {
            put("action", action);
        }
        let fields = self.fields.iter();
        let fields: serde_json::Map<_, _> = fields
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
            .collect();
        object.insert("fields".to_owned(), fields.into());
        format!("{}\n", serde_json::Value::from(object))
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let value = format!("{value:?}");
        match field.name() {
            "message" => self.message = value,
            "action" => self.action = Some(value),
            name => self.fields.push((name, value)),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = value.to_owned(),
            "action" => self.action = Some(value.to_owned()),
            name => self.fields.push((name, format!("{value:?}"))),
        }
    }
}

/// Seconds since 1970 as `2026-11-24T10:00:00.123Z` (proleptic Gregorian, by Howard Hinnant's day count).
fn iso(seconds: u64, millis: u32) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest % 3600 / 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_at_their_edges() {
        assert_eq!(iso(0, 0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(951_782_400, 5), "2000-02-29T00:00:00.005Z");
        assert_eq!(iso(1_795_514_751, 180), "2026-11-24T10:05:51.180Z");
    }

    fn line() -> Line {
        Line {
            message: "directory fenced".to_owned(),
            fields: vec![("error", "\"EIO\"".to_owned())],
            action: Some("replace the disk".to_owned()),
        }
    }

    #[test]
    fn what_to_do_comes_last() {
        assert_eq!(
            line().text(Duration::ZERO, "ERROR", "broker"),
            "1970-01-01T00:00:00.000Z ERROR broker: directory fenced error=\"EIO\"; what to do: replace the disk\n"
        );
    }

    #[test]
    fn a_json_line_is_an_object_with_the_same_words() {
        let text = line().json(Duration::ZERO, "ERROR", "broker");
        let object: serde_json::Value = serde_json::from_str(&text).expect("an object");
        assert_eq!(object["action"], "replace the disk");
        assert_eq!(object["fields"]["error"], "\"EIO\"");
        assert!(text.ends_with("}\n"));
    }

    #[test]
    fn only_our_own_crates_speak() {
        let is_ours = |target| part_of(target).is_some();
        assert!(is_ours("broker::api::fetch") && is_ours("ottla") && is_ours("ottla_server::start"));
        assert!(!is_ours("hyper::proto") && !is_ours("brokered"));
    }
}
