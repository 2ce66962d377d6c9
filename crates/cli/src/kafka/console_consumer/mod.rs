//! `kafka-console-consumer.sh` (`ConsoleConsumer` of Kafka 4.3): records of a topic as lines.

mod consume;
mod deserialize;
mod format;

use std::collections::BTreeSet;
use std::time::Duration;

use client::{ClientConfig, ConsumerConfig, OffsetSpec};

use self::format::Formatter;
use super::connect::block_on;
use super::options::{Flag, Options, flag, valued};
use super::settings::Settings;
use super::{Output, Stop, Tool};

pub(super) static TOOL: Tool = Tool {
    name: "kafka-console-consumer",
    about: "This tool helps to read data from Kafka topics and outputs it to standard output.",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    valued(
        "bootstrap-server",
        "the cluster, host:port[,host:port...]; needed",
    ),
    valued("topic", "the topic; this or --include"),
    valued("include", "a regular expression of topics"),
    valued(
        "partition",
        "one partition, read from its end unless --offset says otherwise",
    ),
    valued(
        "offset",
        "where to begin in --partition: a number, earliest or latest",
    ),
    flag(
        "from-beginning",
        "begin with the first record where nothing is committed",
    ),
    valued("max-messages", "end after so many records"),
    valued("timeout-ms", "end when no record has come for so long"),
    valued("group", "the group to read in; without it one of this run alone"),
    valued("isolation-level", "read_committed or read_uncommitted (default)"),
    valued(
        "formatter",
        "the class of the formatter: Default-, Logging- or NoOpMessageFormatter",
    ),
    valued("property", "the old name of --formatter-property"),
    valued(
        "formatter-property",
        "name=value: print.timestamp, print.partition, print.offset, print.headers, print.key, print.value, \
         key.separator, line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, \
         headers.deserializer",
    ),
    valued("formatter-config", "a properties file with the same"),
    valued(
        "key-deserializer",
        "the class that reads keys, of org.apache.kafka.common.serialization",
    ),
    valued("value-deserializer", "the class that reads values"),
    flag(
        "skip-message-on-error",
        "go on after a record that cannot be shown",
    ),
    flag("enable-systest-events", "say when the tool has ended"),
    valued("consumer-property", "the old name of --command-property"),
    valued("command-property", "name=value, a setting of the consumer"),
    valued("consumer.config", "the old name of --command-config"),
    valued("command-config", "a properties file for the consumer"),
    flag("help", "show this"),
    flag("version", "show the version"),
];

/// What is read.
enum Topics {
    Named(String),
    /// A regular expression that is the whole name.
    Matching(String),
    /// One partition from a place.
    Partition(String, i32, Place),
}

#[derive(Clone, Copy)]
enum Place {
    At(i64),
    End(OffsetSpec),
}

/// Everything that the flags say.
struct Plan {
    topics: Topics,
    /// Records to end after; below 0 none are wanted at all.
    messages_max: Option<i64>,
    timeout: Option<Duration>,
    skip_on_error: bool,
    formatter: Formatter,
    client: ClientConfig,
    consumer: ConsumerConfig,
}

fn run(options: &Options, output: &mut Output) -> Result<(), Stop> {
    let plan = plan(options, output)?;
    let _ = output.flush();
    let outcome = block_on(consume::consume(plan, output));
    if options.has("enable-systest-events") {
        output.line("shutdown_complete");
    }
    outcome
}

fn plan(options: &Options, output: &mut Output) -> Result<Plan, Stop> {
    let partition = number(options, "partition", output)?;
    check(options, partition.is_some())?;
    let servers = options.required("bootstrap-server")?;
    let (pairs, file) = sources(options, output)?;
    let thrown = |message: String, output: &mut Output| {
        output.error_line(message);
        Stop::Exit(1)
    };
    let mut settings = Settings::of_file(options, file).map_err(|message| thrown(message, output))?;
    let over = Settings::of_pairs(options, pairs);
    let group = group(options, [&settings, &over], partition.is_some())?;
    settings.extend(over);
    merge(options, &mut settings, group, output)?;
    let place = place(options)?;
    let timeout = number(options, "timeout-ms", output)?;
    let formatter = formatter(options, output)?;
    let logged = |message: String, output: &mut Output| {
        output.error_line(format!("ERROR Unknown error when running consumer: {message}"));
        Stop::Exit(1)
    };
    let consumer = settings.consumer().map_err(|message| logged(message, output))?;
    let messages_max = match options.value("max-messages") {
        Some(text) => Some(text.parse().map_err(|_| {
            let wrong = format!("Cannot parse argument '{text}' of option max-messages");
            let stop = logged(wrong, output);
            output.error_line("Processed a total of 0 messages");
            stop
        })?),
        None => None,
    };
    let topics = match (options.value("topic"), options.value("include"), partition) {
        (Some(topic), _, Some(partition)) => Topics::Partition(
            topic.to_owned(),
            i32::try_from(partition).unwrap_or(i32::MAX),
            place,
        ),
        (Some(topic), ..) => Topics::Named(topic.to_owned()),
        (None, pattern, _) => Topics::Matching(pattern.unwrap_or_default().to_owned()),
    };
    Ok(Plan {
        topics,
        messages_max: messages_max.filter(|max| *max != -1),
        timeout: timeout
            .and_then(|ms| u64::try_from(ms).ok())
            .map(Duration::from_millis),
        skip_on_error: options.has("skip-message-on-error"),
        formatter,
        client: settings.client(servers)?,
        consumer,
    })
}

/// A flag's number.
fn number(options: &Options, flag: &str, output: &mut Output) -> Result<Option<i64>, Stop> {
    let Some(text) = options.value(flag) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        output.error_line(format!("Cannot parse argument '{text}' of option {flag}"));
        Stop::Exit(1)
    })
}

fn check(options: &Options, partition: bool) -> Result<(), Stop> {
    let refuse = |sentence: &str| Err(Stop::Usage(sentence.to_owned()));
    if options.has("topic") == options.has("include") {
        return refuse("Exactly one of the following arguments is required: [topic], [include]");
    }
    match partition {
        true if !options.has("topic") => refuse("The topic is required when partition is specified."),
        true if options.has("from-beginning") && options.has("offset") => {
            refuse("Options from-beginning and offset cannot be specified together.")
        }
        false if options.has("offset") => refuse("The partition is required when offset is specified."),
        _ => Ok(()),
    }
}

/// Which of the old and the new flags are used: of pairs, and of the file.
fn sources(options: &Options, output: &mut Output) -> Result<(&'static str, &'static str), Stop> {
    let pairs = [
        ("consumer-property", "command-property"),
        ("consumer.config", "command-config"),
    ];
    if let Some((old, new)) = pairs
        .iter()
        .find(|(old, new)| options.has(old) && options.has(new))
    {
        return Err(Stop::Usage(format!(
            "Options --{old} and --{new} cannot be specified together."
        )));
    }
    let [pairs, file] = pairs.map(|(old, new)| {
        if options.has(old) {
            deprecated(old, new, output);
            return old;
        }
        new
    });
    Ok((pairs, file))
}

fn deprecated(old: &str, new: &str, output: &mut Output) {
    output.line(format!(
        "Option --{old} is deprecated and will be removed in a future version. Use --{new} instead."
    ));
}

/// The group, which every place that names one must name alike.
fn group(options: &Options, settings: [&Settings; 2], partition: bool) -> Result<Option<String>, Stop> {
    let mut named: BTreeSet<&str> = settings.iter().filter_map(|some| some.get("group.id")).collect();
    named.extend(options.value("group"));
    if 1 < named.len() {
        let each: Vec<String> = named.iter().map(|group| format!("'{group}'")).collect();
        return Err(Stop::Usage(format!(
            "The group ids provided in different places (directly using '--group', via '--consumer-property', or via \
             '--consumer.config') do not match. Detected group ids: {}",
            each.join(", ")
        )));
    }
    if partition && !named.is_empty() {
        return Err(Stop::Usage(
            "Options group and partition cannot be specified together.".to_owned(),
        ));
    }
    Ok(named.first().map(|group| (*group).to_owned()))
}

fn merge(
    options: &Options,
    settings: &mut Settings,
    group: Option<String>,
    output: &mut Output,
) -> Result<(), Stop> {
    let from_beginning = options.has("from-beginning");
    match settings.get("auto.offset.reset") {
        Some(given) if from_beginning && given != "earliest" => {
            output.error_line(format!(
                "Can't simultaneously specify --from-beginning and 'auto.offset.reset={given}', please remove one option"
            ));
            return Err(Stop::Exit(1));
        }
        Some(_) => {}
        None => settings.set(
            "auto.offset.reset",
            if from_beginning { "earliest" } else { "latest" },
        ),
    }
    settings.merge("client.id", None, "console-consumer");
    settings.merge(
        "isolation.level",
        options.value("isolation-level"),
        "read_uncommitted",
    );
    match group {
        Some(group) => settings.set("group.id", &group),
        None => {
            // One of this run alone, whose commits nobody would use.
            let number = os::Random::real().u64() % 100_000;
            settings.set("group.id", &format!("console-consumer-{number}"));
            settings.merge("enable.auto.commit", None, "false");
        }
    }
    Ok(())
}

fn place(options: &Options) -> Result<Place, Stop> {
    let Some(text) = options.value("offset") else {
        return Ok(Place::End(match options.has("from-beginning") {
            true => OffsetSpec::Earliest,
            false => OffsetSpec::Latest,
        }));
    };
    match text.to_lowercase().as_str() {
        "earliest" => return Ok(Place::End(OffsetSpec::Earliest)),
        "latest" => return Ok(Place::End(OffsetSpec::Latest)),
        _ => {}
    }
    let number = text.parse().ok().filter(|offset| 0 <= *offset);
    number.map(Place::At).ok_or_else(|| {
        Stop::Usage(format!(
            "The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative \
             long."
        ))
    })
}

fn formatter(options: &Options, output: &mut Output) -> Result<Formatter, Stop> {
    let class = options.value("formatter");
    // A class that is not there is said before anything else about formatters.
    Formatter::new(class, &Settings::default()).map_err(Stop::Usage)?;
    if options.has("property") && options.has("formatter-property") {
        return Err(Stop::Usage(
            "Options --property and --formatter-property cannot be specified together.".to_owned(),
        ));
    }
    let mut pairs = "formatter-property";
    if options.has("property") {
        deprecated("property", "formatter-property", output);
        pairs = "property";
    }
    let mut settings = Settings::default();
    for (flag, name) in [
        ("key-deserializer", "key.deserializer"),
        ("value-deserializer", "value.deserializer"),
    ] {
        if let Some(class) = options.value(flag).filter(|class| !class.is_empty()) {
            settings.set(name, class);
        }
    }
    // Of an exception here Kafka's tool says the message alone.
    let unread = |message: String| match message.strip_prefix("java.nio.file.NoSuchFileException: ") {
        Some(path) => Stop::Usage(path.to_owned()),
        None => Stop::Usage(message),
    };
    settings.extend(Settings::of(options, "formatter-config", pairs).map_err(unread)?);
    Formatter::new(class, &settings).map_err(Stop::Usage)
}
