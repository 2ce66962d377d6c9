//! kcat's flags, as `getopt` reads them: flags together, values attached or behind, flags among the arguments.

use std::io::IsTerminal;

use super::Stop;
use super::escape::unescaped;
use super::pack::Pack;

/// A flag: its letter, what its value is called, and what it does.
pub(crate) struct Flag {
    pub(crate) letter: char,
    pub(crate) value: Option<&'static str>,
    pub(crate) help: &'static str,
}

const fn switch(letter: char, help: &'static str) -> Flag {
    Flag {
        letter,
        value: None,
        help,
    }
}

const fn valued(letter: char, value: &'static str, help: &'static str) -> Flag {
    Flag {
        letter,
        value: Some(value),
        help,
    }
}

/// The flags, for parsing and for the help.
pub(crate) static FLAGS: &[Flag] = &[
    switch('P', "Produce: messages from stdin, or from files"),
    switch('C', "Consume: messages of a topic to stdout"),
    valued(
        'G',
        "GROUP",
        "Consume as a member of a group; topics follow, ^ in front of a pattern",
    ),
    switch('L', "List brokers, topics and partitions"),
    switch(
        'Q',
        "Query offsets: -t TOPIC:PARTITION:TIMESTAMP, also -1 for the end and -2 for the beginning",
    ),
    valued('b', "HOST:PORT,..", "Brokers"),
    valued('t', "TOPIC", "Topic to consume from, produce to, or list"),
    valued('p', "PARTITION", "Partition"),
    valued(
        'D',
        "TEXT",
        "What stands between messages; \\n \\r \\t \\xNN (default: \\n)",
    ),
    valued('K', "TEXT", "What stands between key and message"),
    valued('c', "COUNT", "End after so many messages"),
    valued('m', "SECONDS", "How long to wait for metadata (default: 5)"),
    valued('X', "NAME=VALUE", "A setting by librdkafka's name"),
    valued('F', "FILE", "A file of such settings; none for no file"),
    switch('q', "Say nothing but messages"),
    switch('v', "Say more"),
    switch('E', "Go on after errors that need not end it"),
    valued('d', "WORDS", "Accepted; logs are set with OTTLA_LOG"),
    switch('V', "Show the version"),
    switch('h', "Show this"),
    valued('z', "CODEC", "Produce: gzip, snappy, lz4, zstd or none"),
    valued(
        'k',
        "KEY",
        "Produce: the key of messages that have none of their own",
    ),
    valued('H', "NAME=VALUE", "Produce: a header; may come more than once"),
    switch('l', "Produce: the file is lines, as stdin is"),
    switch('T', "Produce: write what is sent to stdout, too"),
    switch('Z', "Produce: empty is null; consume: null is shown as NULL"),
    valued(
        'o',
        "OFFSET",
        "Consume from: beginning, end, stored, N, -N from the end, s@MS; until: e@MS",
    ),
    switch('e', "Consume: end with the last message"),
    valued(
        'f',
        "FORMAT",
        "Consume: %s message %S its length %R the same in binary %k key %K its length %T time %h headers %t topic \
         %p partition %o offset",
    ),
    switch('J', "Consume, list, query: as JSON"),
    valued(
        's',
        "[key=|value=]PACK",
        "Consume: read bytes as < > b B h H i I q Q c s $",
    ),
    switch('O', "Consume: accepted, as in kcat 1.7.1"),
    switch('u', "Consume: write each message at once"),
    valued('r', "URL", "Not served: kcat without a schema registry has no -r"),
];

/// What it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    Produce,
    Consume,
    List,
    Query,
    Group(String),
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Beginning,
    End,
    Stored,
    At(i64),
    /// So many before the end.
    Tail(i64),
    /// At the first message that is not older, in ms since 1970.
    Time(i64),
}

/// Everything that was typed.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) mode: Option<Mode>,
    pub(super) brokers: Option<String>,
    pub(super) topics: Vec<String>,
    pub(super) partition: Option<i32>,
    pub(super) delimiter: Option<Vec<u8>>,
    pub(super) key_delimiter: Option<Vec<u8>>,
    pub(super) count: Option<u64>,
    pub(super) metadata_seconds: Option<u64>,
    /// `-X`, and where `-F` came among them.
    pub(super) properties: Vec<(String, String)>,
    pub(super) files: Vec<String>,
    pub(super) no_default_file: bool,
    pub(super) verbosity: i32,
    pub(super) go_on: bool,
    pub(super) help: bool,
    pub(super) version: bool,
    pub(super) key: Option<String>,
    pub(super) headers: Vec<(String, Option<String>)>,
    pub(super) lines: bool,
    pub(super) tee: bool,
    pub(super) nulls: bool,
    pub(super) start: Option<Start>,
    /// Messages that are not older than this, in ms since 1970, are not shown.
    pub(super) stop_time: Option<i64>,
    pub(super) exit_at_end: bool,
    pub(super) format: Option<String>,
    pub(super) json: bool,
    pub(super) pack_key: Option<Pack>,
    pub(super) pack_value: Option<Pack>,
    /// Files, or the topics of a group.
    pub(super) arguments: Vec<String>,
}

/// Reads the words.
pub(super) fn parse(words: &[String]) -> Result<Options, Stop> {
    let mut options = Options {
        verbosity: 1,
        ..Options::default()
    };
    // As in kcat's container images, where the first word may be its name.
    let own_name = |word: &&String| *word == "kcat" || *word == "kafkacat";
    let skip = usize::from(words.first().filter(own_name).is_some());
    let mut rest = words.iter().skip(skip);
    while let Some(word) = rest.next() {
        if word == "--" {
            options.arguments.extend(rest.by_ref().cloned());
            break;
        }
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            options.arguments.push(word.clone());
            continue;
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let flag = FLAGS.iter().find(|flag| flag.letter == letter);
            let flag = flag.ok_or_else(|| Stop::Usage(format!("unknown argument: -{letter}")))?;
            if flag.value.is_none() {
                options.set(letter);
                continue;
            }
            let attached = letters.as_str();
            let value = match attached {
                "" => rest.next().cloned(),
                attached => Some(attached.to_owned()),
            };
            let value =
                value.ok_or_else(|| Stop::Usage(format!("unknown argument: -{letter} needs a value")))?;
            options.take(letter, value)?;
            break;
        }
    }
    Ok(options)
}

impl Options {
    fn set(&mut self, letter: char) {
        match letter {
            'P' => self.mode = Some(Mode::Produce),
            'C' => self.mode = Some(Mode::Consume),
            'L' => self.mode = Some(Mode::List),
            'Q' => self.mode = Some(Mode::Query),
            'q' => self.verbosity = 0,
            'v' => self.verbosity += 1,
            'E' => self.go_on = true,
            'V' => self.version = true,
            'h' => self.help = true,
            'l' => self.lines = true,
            'T' => self.tee = true,
            'Z' => self.nulls = true,
            'e' => self.exit_at_end = true,
            'J' => self.json = true,
            // -O and -u: every poll's messages are written at once anyway.
            _ => {}
        }
    }

    fn take(&mut self, letter: char, value: String) -> Result<(), Stop> {
        match letter {
            'G' => self.mode = Some(Mode::Group(value)),
            'b' => self.brokers = Some(value),
            't' => self.topics.push(value),
            'p' => self.partition = Some(whole(&value)).filter(|number| *number != -1),
            'D' => self.delimiter = Some(unescaped(&value)),
            'K' => self.key_delimiter = Some(unescaped(&value)),
            'c' => self.count = Some(whole(&value)),
            'm' => self.metadata_seconds = Some(whole(&value)),
            'X' => self.properties.push(property(&value)?),
            'F' if value == "-" || value == "none" => self.no_default_file = true,
            'F' => {
                self.no_default_file = true;
                self.files.push(value);
            }
            'z' => self.properties.push(("compression.codec".to_owned(), value)),
            'k' => self.key = Some(value),
            'H' => self.headers.push(header(&value)?),
            'o' => self.place(&value),
            'f' => self.format = Some(value),
            's' => self.pack(&value)?,
            'r' => {
                let reason = "there is no Avro here: -s avro and -r are not served";
                return Err(Stop::fatal(reason));
            }
            _ => {}
        }
        Ok(())
    }

    fn place(&mut self, text: &str) {
        match text {
            "beginning" | "earliest" => self.start = Some(Start::Beginning),
            "end" | "latest" => self.start = Some(Start::End),
            "stored" => self.start = Some(Start::Stored),
            _ => match (text.strip_prefix("s@"), text.strip_prefix("e@")) {
                (Some(ms), _) => self.start = Some(Start::Time(whole(ms))),
                (_, Some(ms)) => self.stop_time = Some(whole(ms)).filter(|ms| *ms != 0),
                _ => {
                    let offset: i64 = whole(text);
                    self.start = Some(match offset {
                        ..0 => Start::Tail(offset.saturating_neg()),
                        _ => Start::At(offset),
                    });
                }
            },
        }
    }

    fn pack(&mut self, text: &str) -> Result<(), Stop> {
        let (field, pack) = match text.split_once('=') {
            Some(("key", pack)) => (Some(true), pack),
            Some(("value", pack)) => (Some(false), pack),
            _ => (None, text),
        };
        if field != Some(false) {
            self.pack_key = Some(Pack::new("key", pack)?);
        }
        if field != Some(true) {
            self.pack_value = Some(Pack::new("value", pack)?);
        }
        Ok(())
    }

    /// What must be there, is; and the mode, if none is given.
    pub(super) fn checked(mut self, has_servers: bool) -> Result<Options, Stop> {
        if !has_servers {
            return Err(Stop::Usage("-b <broker,..> missing".to_owned()));
        }
        if self.mode.is_none() {
            let (mode, name) = match std::io::stdin().is_terminal() {
                true => (Mode::Consume, "Consumer"),
                false => (Mode::Produce, "Producer"),
            };
            self.mode = Some(mode);
            self.say(&format!("Auto-selecting {name} mode (use -P or -C to override)"));
        }
        let mode = self.mode.as_ref().unwrap_or(&Mode::Consume);
        match mode {
            Mode::Produce | Mode::Consume if self.topics.is_empty() => {
                return Err(Stop::Usage("-t <topic> missing".to_owned()));
            }
            Mode::Query if self.topics.is_empty() => {
                let what = "-t <topic>:<partition>:<offset_or_timestamp> missing";
                return Err(Stop::Usage(what.to_owned()));
            }
            Mode::Consume | Mode::List | Mode::Query if !self.arguments.is_empty() => {
                let what = "file/topic list only allowed in producer(-P)/kafkaconsumer(-G) mode";
                return Err(Stop::Usage(what.to_owned()));
            }
            Mode::Group(_) if self.stop_time.is_some() || matches!(self.start, Some(Start::Time(_))) => {
                return Err(Stop::fatal("-o ..@ timestamps can't be used with -G mode"));
            }
            Mode::Produce if self.lines && 1 < self.arguments.len() => {
                return Err(Stop::fatal("Only one file allowed for line mode (-l)"));
            }
            Mode::Produce if self.delimiter.as_ref().is_some_and(Vec::is_empty) => {
                return Err(Stop::fatal(
                    "Message delimiter -D must not be empty when producing",
                ));
            }
            _ => {}
        }
        Ok(self)
    }

    /// The one topic of producing, consuming and listing: the last that was given.
    pub(super) fn topic(&self) -> &str {
        self.topics.last().map(String::as_str).unwrap_or_default()
    }

    /// What stands between messages.
    pub(super) fn between(&self) -> &[u8] {
        self.delimiter.as_deref().unwrap_or(b"\n")
    }
}

/// A number as C's `atoi` reads it: what is no digit ends it, and nothing is 0.
fn whole<T: std::str::FromStr + Default>(text: &str) -> T {
    let text = text.trim_start();
    let digits = |(at, c): &(usize, char)| c.is_ascii_digit() || (*at == 0 && matches!(c, '-' | '+'));
    let length = text.char_indices().take_while(digits).count();
    text.get(..length)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default()
}

fn property(text: &str) -> Result<(String, String), Stop> {
    let Some((name, value)) = text.split_once('=') else {
        eprintln!("% Expected -X property=value, not {text}, use -X list to display available properties");
        return Err(Stop::Exit(1));
    };
    Ok((name.to_owned(), value.to_owned()))
}

fn header(text: &str) -> Result<(String, Option<String>), Stop> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    if name.is_empty() {
        return Err(Stop::fatal("Expected -H \"name=value..\" or -H \"name\""));
    }
    Ok((name.to_owned(), value))
}

/// The flags, one a line.
pub(super) fn help() -> String {
    let mut text = "Usage: ottla cat <options> [file1 file2 .. | topic1 topic2 ..]\n\n".to_owned();
    for flag in FLAGS {
        let form = format!("-{} {}", flag.letter, flag.value.unwrap_or_default());
        text.push_str(&format!("  {form:<20} {}\n", flag.help));
    }
    text.push_str("\nThe flags and the output are those of kcat 1.7.1.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Options {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        parse(&words).expect("good")
    }

    #[test]
    fn flags_stand_together_with_values_attached_or_behind() {
        let options = parsed("-Ceqt topic -p3 -o -5 -K\\t -c2 extra -Zu");
        assert_eq!(options.mode, Some(Mode::Consume));
        assert!(options.exit_at_end && options.nulls && options.verbosity == 0);
        assert_eq!(
            (options.topic(), options.partition, options.count),
            ("topic", Some(3), Some(2))
        );
        assert_eq!(options.start, Some(Start::Tail(5)));
        assert_eq!(options.key_delimiter.as_deref(), Some(&b"\t"[..]));
        assert_eq!(options.arguments, ["extra"]);
    }

    #[test]
    fn places_are_words_numbers_and_times() {
        assert_eq!(parsed("-o beginning").start, Some(Start::Beginning));
        assert_eq!(parsed("-o s@17").start, Some(Start::Time(17)));
        let until = parsed("-o e@18 -o 4");
        assert_eq!((until.start, until.stop_time), (Some(Start::At(4)), Some(18)));
        assert_eq!(parsed("-p -1").partition, None);
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(matches!(parse(&words("-y")), Err(Stop::Usage(_))));
        assert!(matches!(parse(&words("-C -t")), Err(Stop::Usage(_))));
        assert!(matches!(parse(&words("-H =x")), Err(Stop::Fatal(_))));
        let checked = |line: &str| parsed(line).checked(true).err();
        assert_eq!(checked("-C"), Some(Stop::Usage("-t <topic> missing".to_owned())));
        assert!(matches!(checked("-L file"), Some(Stop::Usage(_))));
        assert!(matches!(checked("-P -t a -l x y"), Some(Stop::Fatal(_))));
        assert!(matches!(parsed("-L").checked(false), Err(Stop::Usage(_))));
        assert_eq!(checked("-G g -o beginning topic"), None);
    }
}
