//! Named clusters: `~/.config/ottla/config.toml` (XDG), and over it `.ottla.toml` of the project that one stands in.
//!
//! ```toml
//! current = "local"
//!
//! [profiles.local]
//! bootstrap = "localhost:9092"
//!
//! [profiles.prod]
//! bootstrap = "kafka-1:9092,kafka-2:9092"
//! timeout = 60          # seconds
//! output = "table"
//! protected = true      # what destroys needs --confirm prod
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::Failure;

const PROJECT_FILE: &str = ".ottla.toml";

/// How to reach a cluster, and how to treat it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) bootstrap: Option<String>,
    /// In seconds.
    pub(crate) timeout: Option<u64>,
    pub(crate) output: Option<String>,
    /// What destroys must be confirmed with the profile's name.
    pub(crate) protected: bool,
    /// The file that says so.
    pub(crate) file: PathBuf,
}

/// All profiles, and the one that is used where none is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Profiles {
    pub(crate) current: Option<String>,
    pub(crate) all: BTreeMap<String, Profile>,
}

impl Profiles {
    /// What the files say that are there.
    pub(crate) fn load() -> Result<Profiles, Failure> {
        let mut profiles = Profiles::default();
        for path in user_file().into_iter().chain(project_file()) {
            match std::fs::read_to_string(&path) {
                Ok(text) => profiles.take(Profiles::parse(&text, &path)?),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::failed(format!("{}: {error}", path.display()))),
            }
        }
        Ok(profiles)
    }

    /// Takes what another file says; it wins.
    fn take(&mut self, over: Profiles) {
        self.current = over.current.or(self.current.take());
        self.all.extend(over.all);
    }

    /// Reads a file's text.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Profiles, Failure> {
        let wrong = |what: String| {
            let hint = "`ottla profile edit` opens it; `ottla man profile create` says what may stand there";
            Failure::usage(format!("{}: {what}", path.display())).hint(hint)
        };
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let message = error.message().to_owned();
            let line = error.span().map_or(1, |span| {
                text.get(..span.start).unwrap_or_default().lines().count().max(1)
            });
            wrong(format!("line {line}: {message}"))
        })?;
        let mut profiles = Profiles::default();
        for (name, value) in &table {
            match (name.as_str(), value) {
                ("current", toml::Value::String(current)) => profiles.current = Some(current.clone()),
                ("profiles", toml::Value::Table(all)) => {
                    for (name, value) in all {
                        let profile =
                            profile(value, path).map_err(|what| wrong(format!("profile {name}: {what}")))?;
                        profiles.all.insert(name.clone(), profile);
                    }
                }
                _ => {
                    return Err(wrong(format!(
                        "there is no setting {name:?}, or its value has the wrong type"
                    )));
                }
            }
        }
        Ok(profiles)
    }

    /// A profile by its name.
    pub(crate) fn named(&self, name: &str) -> Result<&Profile, Failure> {
        self.all.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.all.keys().map(String::as_str).collect();
            let hint = match known.is_empty() {
                true => format!("`ottla profile create {name} -b HOST:PORT` makes it"),
                false => format!("there are {}", known.join(", ")),
            };
            Failure::usage(format!("there is no profile {name:?}")).hint(hint)
        })
    }
}

fn profile(value: &toml::Value, path: &Path) -> Result<Profile, String> {
    let toml::Value::Table(fields) = value else {
        return Err("is no table".to_owned());
    };
    let mut profile = Profile {
        bootstrap: None,
        timeout: None,
        output: None,
        protected: false,
        file: path.to_owned(),
    };
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("bootstrap", toml::Value::String(text)) => profile.bootstrap = Some(text.clone()),
            ("output", toml::Value::String(text)) => profile.output = Some(text.clone()),
            ("protected", toml::Value::Boolean(is)) => profile.protected = *is,
            ("timeout", toml::Value::Integer(seconds)) if 0 < *seconds => {
                profile.timeout = u64::try_from(*seconds).ok();
            }
            ("bootstrap" | "output" | "protected" | "timeout", _) => {
                return Err(format!("{name} has the wrong type of value"));
            }
            _ => {
                return Err(format!(
                    "there is no setting {name:?}: bootstrap, timeout, output and protected are"
                ));
            }
        }
    }
    Ok(profile)
}

/// The user's file, whether it is there or not (XDG base directories).
pub(crate) fn user_file() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("ottla").join("config.toml"))
}

/// The file of the project that one stands in: in this folder or above, up to the root of a git tree.
fn project_file() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    project_file_above(&here)
}

fn project_file_above(here: &Path) -> Option<PathBuf> {
    for folder in here.ancestors() {
        let file = folder.join(PROJECT_FILE);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Whether a name can stand in the file and on the command line as it is.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    !name.is_empty() && name.chars().all(fits)
}

/// The text of a file with another `current`; everything else stays as it is.
pub(crate) fn with_current(text: &str, name: &str) -> String {
    let line = format!("current = \"{name}\"");
    let mut lines: Vec<&str> = text.lines().collect();
    let top = lines
        .iter()
        .position(|line| line.trim_start().starts_with('['))
        .unwrap_or(lines.len());
    let is_current = |line: &&str| line.split('=').next().is_some_and(|key| key.trim() == "current");
    match lines.get(..top).and_then(|top| top.iter().position(is_current)) {
        Some(at) => drop(lines.splice(at..=at, [line.as_str()])),
        None => drop(lines.splice(0..0, [line.as_str(), ""])),
    }
    format!("{}\n", lines.join("\n").trim_end())
}

/// The text of a file with one profile more at its end.
pub(crate) fn with_profile(text: &str, name: &str, profile: &Profile) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut section = format!("[profiles.{name}]\n");
    if let Some(bootstrap) = &profile.bootstrap {
        section.push_str(&format!("bootstrap = {}\n", quoted(bootstrap)));
    }
    if let Some(timeout) = profile.timeout {
        section.push_str(&format!("timeout = {timeout}\n"));
    }
    if let Some(output) = &profile.output {
        section.push_str(&format!("output = {}\n", quoted(output)));
    }
    if profile.protected {
        section.push_str("protected = true\n");
    }
    match text.trim_end() {
        "" => section,
        before => format!("{before}\n\n{section}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Profiles, Failure> {
        Profiles::parse(text, Path::new("config.toml"))
    }

    #[test]
    fn a_project_wins_over_the_user() {
        let mut profiles =
            parse("current = \"a\"\n[profiles.a]\nbootstrap = \"a:1\"\n[profiles.b]\n").expect("good");
        profiles
            .take(parse("[profiles.a]\nbootstrap = \"a:2\"\nprotected = true\ntimeout = 5").expect("good"));
        assert_eq!(profiles.current.as_deref(), Some("a"));
        let a = profiles.named("a").expect("there");
        assert_eq!(
            (a.bootstrap.as_deref(), a.protected, a.timeout),
            (Some("a:2"), true, Some(5))
        );
        assert!(profiles.named("b").is_ok());
        assert!(
            profiles
                .named("c")
                .expect_err("not there")
                .hint
                .is_some_and(|hint| hint.contains("a, b"))
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_file() {
        for (text, wanted) in [
            ("profiles = 1", "profiles"),
            ("[profiles.a]\nbootstap = \"a:1\"", "no setting \"bootstap\""),
            ("[profiles.a]\ntimeout = 0", "timeout"),
            ("[profiles.a]\nprotected = \"yes\"", "protected"),
            ("\n\ncurrent = ", "line 3"),
        ] {
            let failure = parse(text).expect_err(text);
            let said = failure.message;
            assert!(
                said.starts_with("config.toml: ") && said.contains(wanted),
                "{text:?}: {said}"
            );
        }
    }

    #[test]
    fn a_change_of_the_file_keeps_what_a_person_wrote() {
        let text = "# mine\ncurrent = \"a\" # now\n[profiles.a]\nbootstrap = \"a:1\"\ncurrent = 1\n";
        let changed = with_current(text, "b");
        assert_eq!(
            changed,
            "# mine\ncurrent = \"b\"\n[profiles.a]\nbootstrap = \"a:1\"\ncurrent = 1\n"
        );
        let fresh = with_current("[profiles.a]\n", "a");
        assert_eq!(fresh, "current = \"a\"\n\n[profiles.a]\n");
        let profile = Profile {
            bootstrap: Some("b:1".to_owned()),
            timeout: Some(9),
            output: None,
            protected: true,
            file: "config.toml".into(),
        };
        let added = with_profile("# mine\n", "b", &profile);
        assert!(added.starts_with("# mine\n\n[profiles.b]\n"));
        assert_eq!(parse(&added).expect("good").all.get("b"), Some(&profile));
    }

    #[test]
    fn a_project_ends_at_the_root_of_its_tree() {
        let root = std::env::temp_dir().join(format!("ottla-profile-{:016x}", os::Random::real().u64()));
        let inner = root.join("a/b");
        std::fs::create_dir_all(&inner).expect("a folder");
        std::fs::write(root.join(PROJECT_FILE), "").expect("a file");
        assert_eq!(project_file_above(&inner), Some(root.join(PROJECT_FILE)));
        std::fs::create_dir(root.join("a/.git")).expect("a folder");
        assert_eq!(project_file_above(&inner), None);
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
