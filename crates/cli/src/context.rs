//! What holds for every command: where the cluster is, how to answer, whether to ask first.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::ArgMatches;

use crate::java_file::{self, JavaFile};
use crate::profile::{Profile, Profiles};
use crate::{Failure, Format};

/// The options that every command has.
#[derive(Debug, Clone)]
pub struct Context {
    /// `host:port` of some brokers, separated by commas.
    pub bootstrap: String,
    /// How to answer.
    pub format: Format,
    /// Do not ask before something is destroyed.
    pub yes: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// How long a command may take.
    pub timeout: Duration,
    /// The profile in use.
    pub profile: Option<String>,
    /// What destroys must be confirmed with the profile's name.
    pub protected: bool,
    /// The name that was confirmed.
    pub confirmed: Option<String>,
}

/// Where a cluster is looked for if nothing says otherwise.
pub const BOOTSTRAP: &str = "localhost:9092";
const TIMEOUT: Duration = Duration::from_secs(30);

impl Default for Context {
    fn default() -> Context {
        Context {
            bootstrap: BOOTSTRAP.to_owned(),
            format: Format::Table,
            yes: false,
            dry_run: false,
            timeout: TIMEOUT,
            profile: None,
            protected: false,
            confirmed: None,
        }
    }
}

/// A variable of the environment by its name.
pub(crate) type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl Context {
    /// What flags say, else the environment, else the profile, else the defaults. Without `profiles` none is in use,
    /// whatever is named.
    pub(crate) fn resolve(
        matches: &ArgMatches,
        environment: &Environment<'_>,
        profiles: Option<&Profiles>,
    ) -> Result<Context, Failure> {
        let flag = |name: &str| matches.get_one::<String>(name).cloned();
        let by_environment =
            environment("OTTLA_BOOTSTRAP").or_else(|| environment("KAFKA_BOOTSTRAP_SERVERS"));
        let file = flag("command-config").map_or(Ok(JavaFile::default()), |path| java_file::load(&path))?;
        let by_flag = flag("bootstrap").or(file.bootstrap);
        let named = flag("profile").or_else(|| environment("OTTLA_PROFILE"));
        // Who says where the cluster is does not mean the one of the current profile.
        let said = by_flag.is_some() || by_environment.is_some();
        let current = |profiles: &Profiles| profiles.current.clone().filter(|_| !said);
        let chosen = profiles.and_then(|profiles| named.or_else(|| current(profiles)));
        let profile = match (profiles, chosen.as_deref()) {
            (Some(profiles), Some(name)) => Some(profiles.named(name)?),
            _ => None,
        };
        // A profile that a flag names is said as loudly as a flag.
        let loud = flag("profile").is_some();
        let of_profile = |field: fn(&Profile) -> Option<&String>, wanted: bool| {
            profile.filter(|_| loud == wanted).and_then(field).cloned()
        };
        let pick = |by_flag: Option<String>, by_environment, field| {
            let loud = by_flag.or_else(|| of_profile(field, true));
            loud.or(by_environment).or_else(|| of_profile(field, false))
        };
        let bootstrap = pick(by_flag, by_environment, |profile| profile.bootstrap.as_ref());
        let output = pick(flag("output"), environment("OTTLA_OUTPUT"), |profile| {
            profile.output.as_ref()
        });
        let by_environment = environment("OTTLA_TIMEOUT")
            .map(|text| seconds(&text))
            .transpose()?;
        let of_profile = profile
            .and_then(|profile| profile.timeout)
            .map(Duration::from_secs);
        let timeout = matches
            .get_one::<u64>("timeout")
            .copied()
            .map(Duration::from_secs);
        let timeout = timeout
            .or(file.timeout)
            .or(of_profile.filter(|_| loud))
            .or(by_environment)
            .or(of_profile);
        Ok(Context {
            bootstrap: bootstrap.unwrap_or_else(|| BOOTSTRAP.to_owned()),
            format: output.as_deref().map_or(Ok(Format::Table), Format::named)?,
            yes: matches.get_flag("yes"),
            dry_run: matches.get_flag("dry-run"),
            timeout: timeout.unwrap_or(TIMEOUT),
            protected: profile.is_some_and(|profile| profile.protected),
            profile: chosen,
            confirmed: flag("confirm"),
        })
    }

    /// Asks before something is destroyed: on a terminal; elsewhere `--yes` must be given, and on a protected profile
    /// its name (`--confirm NAME`).
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.dry_run {
            return Ok(());
        }
        let name = self.profile.as_deref().filter(|_| self.protected);
        let said = match name {
            Some(name) => self.confirmed.as_deref() == Some(name),
            None => self.yes,
        };
        if said {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(match name {
                Some(name) => Failure::usage(format!(
                    "{question} on {name}, which is protected, needs a confirmation"
                ))
                .hint(format!("add --confirm {name}")),
                None => Failure::usage(format!("{question} needs a confirmation")).hint("add --yes"),
            });
        }
        match name {
            Some(name) => eprint!("{question} on {name}, which is protected? Type its name: "),
            None => eprint!("{question}? [y/N] "),
        }
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        std::io::stdin()
            .read_line(&mut answer)
            .map_err(|error| Failure::failed(format!("the answer cannot be read: {error}")))?;
        let agreed = match (name, answer.trim()) {
            (Some(name), answer) => answer == name,
            (None, answer) => matches!(answer, "y" | "Y" | "yes"),
        };
        match agreed {
            true => Ok(()),
            false => Err(Failure::failed("nothing was done")),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, Failure> {
    let wanted = || Failure::usage(format!("OTTLA_TIMEOUT wants a number of seconds, not {text:?}"));
    let seconds = text.parse().ok().filter(|seconds| 0 < *seconds);
    seconds.map(Duration::from_secs).ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const FILE: &str = "current = \"home\"\n[profiles.home]\nbootstrap = \"home:1\"\n\
                        [profiles.prod]\nbootstrap = \"prod:1\"\nprotected = true\ntimeout = 7\noutput = \"json\"\n";

    fn resolve(args: &[&str], environment: &[(&str, &str)]) -> Result<Context, Failure> {
        let profiles = Profiles::parse(FILE, Path::new("f"))?;
        let args = ["ottla"].iter().chain(args);
        let matches = crate::tree::options(clap::Command::new("ottla")).get_matches_from(args);
        let variable = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Context::resolve(&matches, &variable, Some(&profiles))
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_profiles() {
        let context = resolve(&[], &[]).expect("good");
        assert_eq!(
            (context.bootstrap.as_str(), context.profile.as_deref()),
            ("home:1", Some("home"))
        );
        let context = resolve(&[], &[("OTTLA_BOOTSTRAP", "env:1")]).expect("good");
        assert_eq!((context.bootstrap.as_str(), context.profile), ("env:1", None));
        let context = resolve(&["-b", "flag:1"], &[("OTTLA_BOOTSTRAP", "env:1")]).expect("good");
        assert_eq!(context.bootstrap, "flag:1");
        let environment = [("OTTLA_TIMEOUT", "9"), ("OTTLA_BOOTSTRAP", "env:1")];
        let context = resolve(&["--profile", "home"], &environment).expect("good");
        assert_eq!(
            (context.bootstrap.as_str(), context.timeout.as_secs()),
            ("home:1", 9)
        );
        let context = resolve(&[], &[("OTTLA_PROFILE", "prod"), ("OTTLA_TIMEOUT", "9")]).expect("good");
        assert_eq!(
            (context.bootstrap.as_str(), context.timeout.as_secs()),
            ("prod:1", 9)
        );
        let context = resolve(&["--profile", "prod"], &environment).expect("good");
        assert_eq!(
            (context.bootstrap.as_str(), context.timeout.as_secs()),
            ("prod:1", 7)
        );
        assert_eq!((context.format, context.protected), (Format::Json, true));
        let context = resolve(&["--profile", "prod", "--timeout", "3", "-o", "csv"], &[]).expect("good");
        assert_eq!((context.timeout.as_secs(), context.format), (3, Format::Csv));
        assert!(resolve(&["--profile", "nowhere"], &[]).is_err());
        assert!(resolve(&[], &[("OTTLA_TIMEOUT", "soon")]).is_err());
    }

    #[test]
    fn a_protected_profile_wants_its_name() {
        let context = resolve(&["--profile", "prod", "--confirm", "prod"], &[]).expect("good");
        assert_eq!(context.confirm("deleting"), Ok(()));
        let context = resolve(&["--profile", "prod", "--dry-run"], &[]).expect("good");
        assert_eq!(context.confirm("deleting"), Ok(()));
        let context = resolve(&["--profile", "home", "--yes"], &[]).expect("good");
        assert_eq!(context.confirm("deleting"), Ok(()));
        if !std::io::stdin().is_terminal() {
            let context = resolve(&["--profile", "prod", "--yes", "--confirm", "home"], &[]).expect("good");
            let refused = context.confirm("deleting").expect_err("another name");
            assert_eq!(refused.hint.as_deref(), Some("add --confirm prod"));
        }
    }
}
