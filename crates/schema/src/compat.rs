//! Compatibility: may a new version of a schema follow the previous ones?
//!
//! Owns modes, findings, and the bound on the work. What fits what is each format's own `compat`.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{Path, Schema};

/// Which way data must be readable (Schema Registry's `compatibilityLevel`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Nothing is checked.
    None,
    /// The new schema reads data of the latest version.
    Backward,
    /// The new schema reads data of every version.
    BackwardTransitive,
    /// The latest version reads data of the new schema.
    Forward,
    /// Every version reads data of the new schema.
    ForwardTransitive,
    /// Both ways, latest version.
    Full,
    /// Both ways, every version.
    FullTransitive,
}

impl Mode {
    /// Every mode, in the order of the documentation.
    pub const ALL: [Mode; 7] = [
        Mode::None,
        Mode::Backward,
        Mode::BackwardTransitive,
        Mode::Forward,
        Mode::ForwardTransitive,
        Mode::Full,
        Mode::FullTransitive,
    ];

    /// The name in Schema Registry's REST API.
    pub fn name(self) -> &'static str {
        match self {
            Mode::None => "NONE",
            Mode::Backward => "BACKWARD",
            Mode::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Mode::Forward => "FORWARD",
            Mode::ForwardTransitive => "FORWARD_TRANSITIVE",
            Mode::Full => "FULL",
            Mode::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    /// Against every version, not the latest alone.
    pub fn is_transitive(self) -> bool {
        matches!(
            self,
            Mode::BackwardTransitive | Mode::ForwardTransitive | Mode::FullTransitive
        )
    }

    fn directions(self) -> &'static [Direction] {
        match self {
            Mode::None => &[],
            Mode::Backward | Mode::BackwardTransitive => &[Direction::Backward],
            Mode::Forward | Mode::ForwardTransitive => &[Direction::Forward],
            Mode::Full | Mode::FullTransitive => &[Direction::Backward, Direction::Forward],
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not a compatibility level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown compatibility level {0}")]
pub struct UnknownMode(pub String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Mode, UnknownMode> {
        let upper = name.to_ascii_uppercase();
        Mode::ALL
            .into_iter()
            .find(|mode| mode.name() == upper)
            .ok_or_else(|| UnknownMode(name.to_owned()))
    }
}

/// One way of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The new schema reads data of the old one.
    Backward,
    /// The old schema reads data of the new one.
    Forward,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Backward => "BACKWARD",
            Direction::Forward => "FORWARD",
        })
    }
}

/// One reason why a new version may not follow an old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incompatibility {
    /// The rule that is broken, in the format's own terms, such as READER_FIELD_MISSING_DEFAULT_VALUE.
    pub rule: &'static str,
    /// Where, in the schema that reads.
    pub path: Path,
    /// The old text at that place; empty when there was nothing.
    pub old: String,
    /// The new text at that place; empty when there is nothing.
    pub new: String,
    /// How to reach the goal legally.
    pub how: String,
    /// Which way of reading fails.
    pub direction: Direction,
    /// The position in `previous` of the version that it fails against.
    pub against: usize,
}

impl fmt::Display for Incompatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_nothing = |text: &str| {
            if text.is_empty() {
                "nothing".to_owned()
            } else {
                text.to_owned()
            }
        };
        let (old, new) = (or_nothing(&self.old), or_nothing(&self.new));
        write!(
            f,
            "{} at {} ({}): old {old}, new {new}; {}",
            self.rule, self.path, self.direction, self.how
        )
    }
}

/// Why a check ended without a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    #[error("the check was cancelled")]
    Cancelled,
    #[error("the check would take more than {0} steps")]
    TooMuchWork(u64),
}

/// The bound on one check: a number of steps, and a flag that another thread may raise.
#[derive(Debug)]
pub struct Work<'a> {
    steps_max: u64,
    steps: u64,
    cancel: Option<&'a AtomicBool>,
}

impl Default for Work<'_> {
    fn default() -> Self {
        Work::bounded(Work::STEPS_MAX)
    }
}

impl<'a> Work<'a> {
    /// Steps of a check unless the caller says otherwise; about a second of work.
    pub const STEPS_MAX: u64 = 10_000_000;

    /// At most `steps_max` steps.
    pub fn bounded(steps_max: u64) -> Work<'a> {
        Work {
            steps_max,
            steps: 0,
            cancel: None,
        }
    }

    /// Ends soon after `cancel` is raised.
    pub fn cancelled_by(mut self, cancel: &'a AtomicBool) -> Work<'a> {
        self.cancel = Some(cancel);
        self
    }

    /// Takes one step: a pair of types compared, a branch tried.
    pub fn step(&mut self) -> Result<(), Stopped> {
        self.steps += 1;
        if self.steps > self.steps_max {
            return Err(Stopped::TooMuchWork(self.steps_max));
        }
        // A look at the flag every 64 steps keeps it off the fast path.
        let look = self.steps.is_multiple_of(64) || self.steps == 1;
        match self.cancel {
            Some(cancel) if look && cancel.load(Ordering::Relaxed) => Err(Stopped::Cancelled),
            _ => Ok(()),
        }
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// Every reason why `new` may not follow `previous` (oldest first) under `mode`; none when it may.
///
/// Modes that are not transitive look at the last of `previous` only.
///
/// ```
/// use schema::{Format, Mode, Schema, Source, Work, compatible};
/// let parse = |text: &str| Schema::parse(&Source::new(Format::Avro, text));
/// let (old, new) = (parse(r#""int""#)?, parse(r#""long""#)?);
/// assert!(compatible(Mode::Backward, &new, &[&old], &mut Work::default()).unwrap().is_empty());
/// let found = compatible(Mode::Full, &new, &[&old], &mut Work::default()).unwrap();
/// assert_eq!(found[0].rule, "TYPE_MISMATCH");
/// # Ok::<(), schema::SchemaError>(())
/// ```
pub fn compatible(
    mode: Mode,
    new: &Schema,
    previous: &[&Schema],
    work: &mut Work<'_>,
) -> Result<Vec<Incompatibility>, Stopped> {
    let first = if mode.is_transitive() {
        0
    } else {
        previous.len().saturating_sub(1)
    };
    let mut found = Vec::new();
    for (against, old) in previous.iter().enumerate().skip(first) {
        for direction in mode.directions() {
            let from = found.len();
            one_way(*direction, new, old, work, &mut found)?;
            found
                .iter_mut()
                .skip(from)
                .for_each(|finding| finding.against = against);
        }
    }
    Ok(found)
}

fn one_way(
    direction: Direction,
    new: &Schema,
    old: &Schema,
    work: &mut Work<'_>,
    found: &mut Vec<Incompatibility>,
) -> Result<(), Stopped> {
    match (new, old) {
        (Schema::Avro(new), Schema::Avro(old)) => crate::avro::compatible(direction, new, old, work, found),
        (Schema::Json(new), Schema::Json(old)) => crate::json::compatible(direction, new, old, work, found),
        (Schema::Protobuf(new), Schema::Protobuf(old)) => {
            crate::protobuf::compatible(direction, new, old, work, found)
        }
        _ => {
            found.push(Incompatibility {
                rule: "SCHEMA_TYPE_CHANGED",
                path: Path::root(),
                old: old.format().name().to_owned(),
                new: new.format().name().to_owned(),
                how: format!(
                    "write the new version in {}, or register it under a new subject",
                    old.format()
                ),
                direction,
                against: 0,
            });
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Source};

    fn avro(text: &str) -> Schema {
        Schema::parse(&Source::new(Format::Avro, text)).unwrap()
    }

    #[test]
    fn modes_read_back_their_names() {
        for mode in Mode::ALL {
            assert_eq!(mode.name().to_lowercase().parse(), Ok(mode));
        }
        assert_eq!("UPWARD".parse::<Mode>(), Err(UnknownMode("UPWARD".into())));
    }

    #[test]
    fn only_transitive_modes_look_behind_the_latest_version() {
        let (string, int, long) = (avro(r#""string""#), avro(r#""int""#), avro(r#""long""#));
        let check = |mode| {
            let found = compatible(mode, &long, &[&string, &int], &mut Work::default()).unwrap();
            found.iter().map(|f| (f.against, f.direction)).collect::<Vec<_>>()
        };
        assert_eq!(check(Mode::None), []);
        assert_eq!(check(Mode::Backward), []);
        assert_eq!(check(Mode::BackwardTransitive), [(0, Direction::Backward)]);
        assert_eq!(check(Mode::Forward), [(1, Direction::Forward)]);
        assert_eq!(
            check(Mode::FullTransitive),
            [
                (0, Direction::Backward),
                (0, Direction::Forward),
                (1, Direction::Forward)
            ]
        );
    }

    #[test]
    fn work_ends_at_its_bound_and_when_cancelled() {
        let mut work = Work::bounded(2);
        assert_eq!(work.step(), Ok(()));
        assert_eq!(work.step(), Ok(()));
        assert_eq!(work.step(), Err(Stopped::TooMuchWork(2)));
        let cancel = AtomicBool::new(true);
        assert_eq!(
            Work::default().cancelled_by(&cancel).step(),
            Err(Stopped::Cancelled)
        );
    }
}
