//! What may stand at the cursor of a shell: words of commands, flags, and the names of topics and groups that the
//! cluster has right now. A script of `ottla completion` asks by `ottla __complete WORD...`, the last word being the
//! one that is typed.

use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use crate::Context;
use crate::profile::Profiles;
use crate::render::FORMATS;

/// The word before the words that are to be completed.
pub(crate) const WORD: &str = "__complete";

/// A cluster that takes longer is not asked for names: a person waits (`console-cli.md` 3.2).
const CLUSTER_WITHIN: Duration = Duration::from_millis(180);

/// Names that are not in the table of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Topics,
    Groups,
    Profiles,
}

/// Finds names.
pub(crate) type Lookup<'a> = dyn Fn(Names) -> Vec<String> + 'a;

/// A line for each word that may stand in the place of the last one.
pub(crate) fn answer(root: &mut Command, words: &[String]) -> String {
    root.build();
    let found = candidates(root, words, &|names| look_up(names, words));
    found.into_iter().map(|word| word + "\n").collect()
}

/// What fits the last word, sorted.
pub(crate) fn candidates(root: &Command, words: &[String], lookup: &Lookup<'_>) -> Vec<String> {
    let Some((current, before)) = words.split_last() else {
        return Vec::new();
    };
    let place = Place::after(root, before);
    let mut found = match (place.wants, current.split_once('=')) {
        (Some(argument), _) => values(argument, place.command, lookup),
        (None, Some((flag, _))) if flag.starts_with("--") => {
            let argument = flag_named(place.command, flag);
            let values = argument.map(|argument| values(argument, place.command, lookup));
            let whole = values.unwrap_or_default().into_iter();
            whole.map(|value| format!("{flag}={value}")).collect()
        }
        (None, _) if current.starts_with('-') => flags(place.command),
        (None, _) => {
            let nouns = place.command.get_subcommands().filter(|one| !one.is_hide_set());
            let mut found: Vec<String> = nouns.map(|one| one.get_name().to_owned()).collect();
            if let Some(argument) = place.positional() {
                found.extend(values(argument, place.command, lookup));
            }
            found
        }
    };
    // What a shell would have to quote is left to the person.
    let plain = |word: &String| {
        word.chars()
            .all(|one| one.is_ascii_alphanumeric() || "-_.:=/".contains(one))
    };
    found.retain(|word| word.starts_with(current.as_str()) && plain(word));
    found.sort_unstable();
    found.dedup();
    found
}

/// Where the cursor is.
struct Place<'a> {
    command: &'a Command,
    /// A flag stands before it that has no value yet.
    wants: Option<&'a Arg>,
    /// Values without a flag that stand before it.
    values: usize,
}

impl<'a> Place<'a> {
    fn after(root: &'a Command, words: &[String]) -> Place<'a> {
        let mut place = Place {
            command: root,
            wants: None,
            values: 0,
        };
        for word in words {
            if place.wants.take().is_some() {
                continue;
            }
            if word.len() > 1 && word.starts_with('-') {
                let takes = |argument: &&Arg| argument.get_action().takes_values() && !word.contains('=');
                place.wants = flag_named(place.command, word).filter(takes);
                continue;
            }
            match place.command.find_subcommand(word).filter(|_| place.values == 0) {
                Some(inner) => place.command = inner,
                None => place.values += 1,
            }
        }
        place
    }

    /// The argument without a flag whose turn it is; the last one may come more than once.
    fn positional(&self) -> Option<&'a Arg> {
        let all: Vec<&Arg> = self.command.get_positionals().collect();
        all.get(self.values).or(all.last()).copied()
    }
}

fn flag_named<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let word = word.split('=').next().unwrap_or(word);
    let mut arguments = command.get_arguments();
    if let Some(long) = word.strip_prefix("--") {
        let aliases = |argument: &Arg| {
            argument
                .get_visible_aliases()
                .is_some_and(|all| all.contains(&long))
        };
        return arguments.find(|argument| argument.get_long() == Some(long) || aliases(argument));
    }
    let last = word.chars().last();
    arguments.find(|argument| argument.get_short().is_some() && argument.get_short() == last)
}

fn flags(command: &Command) -> Vec<String> {
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    shown
        .filter_map(Arg::get_long)
        .map(|long| format!("--{long}"))
        .collect()
}

/// What an argument may be; nothing where a shell knows better, as with files.
fn values(argument: &Arg, command: &Command, lookup: &Lookup<'_>) -> Vec<String> {
    let possible = argument.get_possible_values();
    if !possible.is_empty() {
        return possible.iter().map(|value| value.get_name().to_owned()).collect();
    }
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
    match argument.get_id().as_str() {
        "topic" => lookup(Names::Topics),
        "group" => lookup(Names::Groups),
        "profile" | "confirm" => lookup(Names::Profiles),
        "name" if matches!(command.get_name(), "use" | "show") => lookup(Names::Profiles),
        "output" => FORMATS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        "from" | "until" | "to" | "before" => words(&["earliest", "latest"]),
        "acks" => words(&["0", "1", "all"]),
        "compression" => words(&["gzip", "lz4", "none", "snappy", "zstd"]),
        "flush" => words(&["ack", "interval", "never"]),
        _ => Vec::new(),
    }
}

fn look_up(names: Names, words: &[String]) -> Vec<String> {
    let profiles = Profiles::load().unwrap_or_default();
    if names == Names::Profiles {
        return profiles.all.into_keys().collect();
    }
    let environment = |name: &str| std::env::var(name).ok();
    let context =
        cluster(words).and_then(|matches| Context::resolve(&matches, &environment, Some(&profiles)).ok());
    context
        .map(|context| of_cluster(names, &context).unwrap_or_default())
        .unwrap_or_default()
}

/// The options among the words that say which cluster.
fn cluster(words: &[String]) -> Option<ArgMatches> {
    let mut args = vec!["ottla".to_owned()];
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let name = word.split('=').next().unwrap_or_default();
        if !["-b", "--bootstrap", "--bootstrap-server", "--profile"].contains(&name) {
            continue;
        }
        args.push(word.clone());
        if !word.contains('=') {
            args.push(rest.next()?.clone());
        }
    }
    crate::tree::options(Command::new("ottla"))
        .try_get_matches_from(args)
        .ok()
}

fn of_cluster(names: Names, context: &Context) -> Option<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    let config = client::ClientConfig::new(&context.bootstrap)
        .with_client_id("ottla-cli")
        .with_api_timeout(CLUSTER_WITHIN);
    let asked = async {
        let admin = client::Client::new(config).ok()?.admin();
        match names {
            Names::Topics => {
                let listed = admin.list_topics().await.ok()?;
                let own = listed.into_iter().filter(|topic| !topic.internal);
                Some(own.map(|topic| topic.name).collect())
            }
            Names::Groups => {
                let listed = admin.list_groups().await.ok()?;
                Some(listed.into_iter().map(|group| group.group).collect())
            }
            Names::Profiles => None,
        }
    };
    let found = runtime.block_on(async { tokio::time::timeout(CLUSTER_WITHIN, asked).await });
    // A name that is still being resolved is not waited for.
    runtime.shutdown_background();
    found.ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> Vec<String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let mut root = crate::tree::of(&[crate::COMMANDS]);
        root.build();
        let lookup = |names| match names {
            Names::Topics => vec!["orders".to_owned(), "payments".to_owned(), "odd name".to_owned()],
            Names::Groups => vec!["billing".to_owned()],
            Names::Profiles => vec!["prod".to_owned()],
        };
        candidates(&root, &words, &lookup)
    }

    #[test]
    fn commands_complete_by_their_first_letters() {
        assert_eq!(complete("top"), ["topic"]);
        assert!(complete("topic ").contains(&"describe".to_owned()));
        assert_eq!(complete("topic des"), ["describe"]);
    }

    #[test]
    fn topics_and_groups_come_from_the_cluster() {
        assert_eq!(complete("topic describe "), ["orders", "payments"]);
        assert_eq!(complete("topic delete orders p"), ["payments"]);
        assert_eq!(complete("-b host:1 consume o"), ["orders"]);
        assert_eq!(complete("consume orders --group "), ["billing"]);
        assert_eq!(complete("consume orders -g b"), ["billing"]);
        assert_eq!(complete("group reset billing --topic pay"), ["payments"]);
        assert_eq!(complete("profile use "), ["prod"]);
        assert_eq!(complete("topic list --profile p"), ["prod"]);
    }

    #[test]
    fn flags_and_their_words_complete() {
        assert_eq!(complete("consume orders --gro"), ["--group"]);
        assert_eq!(complete("topic list -o js"), ["json", "jsonl"]);
        assert_eq!(
            complete("topic list --output=js"),
            ["--output=json", "--output=jsonl"]
        );
        assert_eq!(complete("produce orders -z z"), ["zstd"]);
        assert_eq!(complete("consume orders --from la"), ["latest"]);
        // A switch takes no value, so a topic may follow it.
        assert_eq!(complete("consume --follow o"), ["orders"]);
        // Files are the shell's.
        assert!(complete("schema lint ").is_empty());
    }

    #[test]
    fn the_cluster_is_the_one_of_the_line() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let matches = cluster(&words("topic list --bootstrap-server=a:1 x")).expect("good");
        assert_eq!(
            matches.get_one::<String>("bootstrap").map(String::as_str),
            Some("a:1")
        );
        let matches = cluster(&words("topic -b b:1 list --profile p")).expect("good");
        assert_eq!(
            matches.get_one::<String>("profile").map(String::as_str),
            Some("p")
        );
    }
}
