//! Levels of this process's log lines, by part of the program: read and altered through Kafka's BROKER_LOGGER resource.
//! Levels are gone with the process, as in Kafka.

use std::collections::BTreeMap;

use parking_lot::RwLock;
use telemetry::log::PARTS;
use types::ErrorCode;

/// The logger of everything that has no level of its own.
pub const ROOT: &str = "root";
/// Kafka's levels, ascending with their detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Fatal,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    const ALL: [(Level, &str); 6] = [
        (Level::Fatal, "FATAL"),
        (Level::Error, "ERROR"),
        (Level::Warn, "WARN"),
        (Level::Info, "INFO"),
        (Level::Debug, "DEBUG"),
        (Level::Trace, "TRACE"),
    ];

    /// By its name in capitals, the only spelling that Kafka takes.
    pub fn from_name(name: &str) -> Option<Level> {
        Level::ALL
            .into_iter()
            .find(|(_, known)| *known == name)
            .map(|(level, _)| level)
    }

    /// As the log counts: 0 writes nothing, 5 everything.
    fn detail(self) -> u8 {
        self as u8
    }

    fn from_detail(detail: u8) -> Level {
        let known = Level::ALL.into_iter().find(|(level, _)| level.detail() == detail);
        known.map_or(Level::Warn, |(level, _)| level)
    }

    pub fn name(self) -> &'static str {
        Level::ALL
            .into_iter()
            .find(|(level, _)| *level == self)
            .map_or("INFO", |(_, name)| name)
    }
}

/// Told of every logger whose level changes.
type Follower = Box<dyn Fn(&str, u8) + Send + Sync>;

/// All loggers and what follows them.
pub struct Loggers {
    state: RwLock<State>,
}

struct State {
    root: Level,
    /// Only what was said.
    own: BTreeMap<&'static str, Level>,
    follower: Option<Follower>,
}

impl Default for Loggers {
    fn default() -> Loggers {
        Loggers {
            state: RwLock::new(State {
                root: Level::Warn,
                own: BTreeMap::new(),
                follower: None,
            }),
        }
    }
}

type Refusal = (ErrorCode, String);

/// What a change does with a logger.
enum Change {
    Root(Level),
    Own(&'static str, Level),
    Forget(&'static str),
}

impl Loggers {
    /// Whoever writes the lines: the detail that it begins with, and how it is told of another.
    pub fn follow(&self, root: u8, follower: impl Fn(&str, u8) + Send + Sync + 'static) {
        let mut state = self.state.write();
        state.root = Level::from_detail(root);
        state.follower = Some(Box::new(follower));
    }

    /// Every logger with its level, by name.
    pub fn levels(&self) -> Vec<(&'static str, Level)> {
        let state = self.state.read();
        let own = PARTS.iter().map(|part| (*part, state.level(part)));
        let mut levels: Vec<_> = own.chain([(ROOT, state.root)]).collect();
        levels.sort_unstable();
        levels
    }

    /// Alters all of `changes` (name, Kafka's operation, value) or none.
    pub fn alter(&self, changes: &[(&str, i8, Option<&str>)], validate_only: bool) -> Result<(), Refusal> {
        let mut repeated = changes.iter().map(|(name, _, _)| *name).collect::<Vec<_>>();
        repeated.sort_unstable();
        if repeated.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err((
                ErrorCode::InvalidRequest,
                "a logger is named more than once".to_owned(),
            ));
        }
        let changes = changes
            .iter()
            .map(|(name, operation, value)| check(name, *operation, *value))
            .collect::<Result<Vec<_>, _>>()?;
        if !validate_only {
            self.state.write().apply(&changes);
        }
        Ok(())
    }
}

fn check(name: &str, operation: i8, value: Option<&str>) -> Result<Change, Refusal> {
    let request = |message: String| (ErrorCode::InvalidRequest, message);
    let known = PARTS.into_iter().chain([ROOT]).find(|known| *known == name);
    let exists = || known.ok_or_else(|| (ErrorCode::InvalidConfig, format!("there is no logger {name}")));
    match operation {
        0 => {
            let value = value.ok_or_else(|| request(format!("no level is given for {name}")))?;
            let known = exists()?;
            let level = Level::from_name(value).ok_or_else(|| {
                let names: Vec<&str> = Level::ALL.iter().map(|(_, name)| *name).collect();
                let message = format!(
                    "{name}={value} is not legal: one of {} is wanted",
                    names.join(", ")
                );
                (ErrorCode::InvalidConfig, message)
            })?;
            Ok(if known == ROOT {
                Change::Root(level)
            } else {
                Change::Own(known, level)
            })
        }
        1 => match exists()? {
            ROOT => Err(request("the root logger always has a level".to_owned())),
            known => Ok(Change::Forget(known)),
        },
        _ => Err(request(
            "a logger's level is set or taken back, nothing else".to_owned(),
        )),
    }
}

impl State {
    fn level(&self, part: &str) -> Level {
        self.own.get(part).copied().unwrap_or(self.root)
    }

    fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Root(level) => self.root = *level,
                Change::Own(part, level) => {
                    self.own.insert(part, *level);
                }
                Change::Forget(part) => {
                    self.own.remove(part);
                }
            }
        }
        if let Some(follower) = &self.follower {
            PARTS
                .iter()
                .for_each(|part| follower(part, self.level(part).detail()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_the_roots_level_until_it_is_told_another() {
        let loggers = Loggers::default();
        let level = |name: &str| {
            let levels = loggers.levels();
            levels
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, level)| *level)
        };
        assert_eq!(
            loggers.alter(&[("root", 0, Some("INFO")), ("net", 0, Some("DEBUG"))], true),
            Ok(())
        );
        assert_eq!(level("net"), Some(Level::Warn), "only validated");
        assert_eq!(
            loggers.alter(&[("root", 0, Some("INFO")), ("net", 0, Some("DEBUG"))], false),
            Ok(())
        );
        assert_eq!(
            (level("net"), level("storage")),
            (Some(Level::Debug), Some(Level::Info))
        );
        assert_eq!(loggers.alter(&[("net", 1, None)], false), Ok(()));
        assert_eq!(level("net"), Some(Level::Info));
    }

    #[test]
    fn what_no_logger_takes_is_refused_as_by_kafka() {
        let loggers = Loggers::default();
        let code = |name, operation, value| {
            loggers
                .alter(&[(name, operation, value)], false)
                .map_err(|(code, _)| code)
        };
        assert_eq!(code("root", 0, Some("debug")), Err(ErrorCode::InvalidConfig));
        assert_eq!(code("nobody", 0, Some("DEBUG")), Err(ErrorCode::InvalidConfig));
        assert_eq!(code("root", 1, None), Err(ErrorCode::InvalidRequest));
        assert_eq!(code("root", 2, Some("INFO")), Err(ErrorCode::InvalidRequest));
        let twice = [("net", 0, Some("INFO")), ("net", 1, None)];
        assert!(loggers.alter(&twice, false).is_err());
    }
}
