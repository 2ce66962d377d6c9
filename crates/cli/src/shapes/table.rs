//! The shapes of all commands, in the order of the table of commands.

use super::{Field, Holds, Shape};

/// Commands without JSON: they run on, or what they write is for another program.
pub(crate) static WITHOUT: &[&[&str]] = &[&["cat"], &["completion"], &["man"], &["start"]];

const fn list(words: &'static [&'static str], rows: &'static str, fields: &'static [Field]) -> Shape {
    Shape {
        words,
        when: None,
        rows,
        fields,
        more: &[],
    }
}

impl Shape {
    const fn with(mut self, more: &'static [Field]) -> Shape {
        self.more = more;
        self
    }

    const fn when(mut self, when: &'static str) -> Shape {
        self.when = Some(when);
        self
    }
}

const TOPIC: Field = Field::text("topic", "the topic's name");
const TOPIC_ID: Field = Field::text("topic_id", "the topic's id, 22 characters of base64");
const PARTITION: Field = Field::number("partition", "the partition's number");
const PARTITIONS: Field = Field::number("partitions", "how many partitions it has");
const GROUP: Field = Field::text("group", "the group's name");
const FILE: Field = Field::text("file", "the file, as it was named");
const PATH: Field = Field::text("path", "where in the schema");
const APPLIED: Field = Field::switch("applied", "whether it is done; not with --dry-run");
const DELETED: Field = Field::switch("deleted", "whether it is done; not with --dry-run");
const CHANGED: Field = Field::text("changed", "the change, NAME=VALUE");

const PROFILE: Field = Field::text("profile", "the profile's name");
const CURRENT: Field = Field::switch("current", "whether it is in use where nothing else is said");
const SERVERS: Field = Field::text("bootstrap", "where the cluster is");
const PROTECTED: Field = Field::switch(
    "protected",
    "whether what destroys must be confirmed with its name",
);

/// What the benches measure; with --dry-run all but the first three are null.
const BENCH: &[Field] = &[
    Field::text("bench", "produce, consume or e2e"),
    TOPIC,
    Field::number(
        "records",
        "how many were written or read; null for all that are there",
    )
    .or_null(),
    Field::number("failed", "records that could not be written").or_null(),
    Field::number("bytes", "of keys and values").or_null(),
    Field::fraction("seconds", "how long it took").or_null(),
    Field::fraction("records_per_second", "the rate").or_null(),
    Field::fraction("mebibytes_per_second", "the rate in 2^20 bytes").or_null(),
    Field::fraction("p50_ms", "latency that half stay within").or_null(),
    Field::fraction("p95_ms", "of 95 in 100").or_null(),
    Field::fraction("p99_ms", "of 99 in 100").or_null(),
    Field::fraction("p999_ms", "of 999 in 1000").or_null(),
    Field::fraction("max_ms", "the longest").or_null(),
    Field::fraction("mean_ms", "the mean").or_null(),
    Field::number("latency_samples", "how many were timed").or_null(),
    Field::fraction("first_record_ms", "until the first record was read").or_null(),
    Field::fraction("cpu_us_per_record", "processor time of this process").or_null(),
];

pub(crate) static SHAPES: &[Shape] = &[
    list(
        &["topic", "list"],
        "topics",
        &[
            TOPIC,
            PARTITIONS,
            Field::switch("internal", "whether it is one of Kafka's own"),
            TOPIC_ID,
        ],
    ),
    list(
        &["topic", "create"],
        "topics",
        &[
            TOPIC,
            PARTITIONS.or_null(),
            Field::number("replication_factor", "copies of each").or_null(),
            Field::switch("created", "no with --dry-run, and where --if-not-exists found it"),
            TOPIC_ID.or_null(),
        ],
    ),
    list(
        &["topic", "describe"],
        "partitions",
        &[
            TOPIC,
            PARTITION,
            Field::number("leader", "the broker that leads; -1 if there is none"),
            Field::new("replicas", Holds::Numbers, "the brokers that have it"),
            Field::new("in_sync", Holds::Numbers, "those of them that have all of it"),
            Field::number("start_offset", "the first offset that is there").or_null(),
            Field::number("end_offset", "the offset that comes next").or_null(),
            Field::number(
                "leader_epoch",
                "how often the leader changed; -1 if it is not known",
            ),
            Field::new("offline", Holds::Numbers, "brokers that have it and are away"),
            TOPIC_ID,
        ],
    )
    .with(&[Field::new(
        "configs",
        Holds::NamesOfNames,
        "by topic, the settings that were set on it",
    )]),
    list(&["topic", "alter"], "topics", &[TOPIC, CHANGED, APPLIED]),
    list(
        &["topic", "trim"],
        "partitions",
        &[
            TOPIC,
            PARTITION,
            Field::number("start_offset", "the first offset that is left"),
        ],
    ),
    list(&["topic", "delete"], "topics", &[TOPIC, DELETED]),
    list(
        &["produce"],
        "produced",
        &[
            TOPIC,
            Field::number("records", "how many were written"),
            Field::number("bytes", "of their keys and values"),
            Field::number("milliseconds", "how long it took"),
        ],
    ),
    list(
        &["consume"],
        "",
        &[
            TOPIC,
            PARTITION,
            Field::number("offset", "the record's offset"),
            Field::number("timestamp", "ms since 1970; -1 if it has none"),
            Field::text("key", "the key as text").or_null(),
            Field::text("value", "the value as text").or_null(),
            Field::new("headers", Holds::Pairs, "names and values, in order"),
        ],
    ),
    list(
        &["group", "list"],
        "groups",
        &[
            GROUP,
            Field::text(
                "state",
                "Empty, Stable, PreparingRebalance, CompletingRebalance, Dead",
            ),
            Field::text("type", "Classic, Consumer, Share, Streams"),
            Field::text("protocol_type", "consumer, connect, or whatever its members said"),
        ],
    ),
    list(
        &["group", "describe"],
        "members",
        &[
            GROUP,
            Field::text("client_id", "the member's client.id"),
            Field::text("host", "where it comes from"),
            Field::new("partitions", Holds::Texts, "TOPIC-PARTITION of what it owns"),
            Field::text("member_id", "the id that the coordinator gave"),
            Field::text("instance_id", "group.instance.id of a static member").or_null(),
        ],
    )
    .with(&[Field::new(
        "groups",
        Holds::Objects(&[
            GROUP,
            Field::text("state", "as in group list"),
            Field::text("type", "as in group list"),
            Field::text("assignor", "who deals the partitions out; empty if nobody does"),
            Field::number("coordinator", "the broker that keeps it"),
            Field::number("members", "how many there are"),
        ]),
        "the groups themselves",
    )]),
    list(
        &["group", "lag"],
        "offsets",
        &[
            GROUP,
            TOPIC,
            PARTITION,
            Field::number("committed", "the offset that was committed").or_null(),
            Field::number("end_offset", "the offset that comes next").or_null(),
            Field::number("lag", "records between the two").or_null(),
            Field::text("client_id", "of the member that owns the partition").or_null(),
            Field::text("member_id", "of the same").or_null(),
            Field::text("host", "of the same").or_null(),
            Field::text("metadata", "what was committed with the offset").or_null(),
        ],
    ),
    list(
        &["group", "reset"],
        "offsets",
        &[
            GROUP,
            TOPIC,
            PARTITION,
            Field::number("from_offset", "what was committed before").or_null(),
            Field::number("to_offset", "what is committed now, or would be"),
        ],
    ),
    list(&["group", "delete"], "groups", &[GROUP, DELETED]),
    list(
        &["cluster", "describe"],
        "brokers",
        &[
            Field::number("broker", "its node.id"),
            Field::text("host", "where it listens"),
            Field::number("port", "where it listens"),
            Field::switch("controller", "whether it is the controller"),
            Field::text("rack", "broker.rack").or_null(),
        ],
    )
    .with(&[Field::text("cluster_id", "the cluster's id")]),
    list(
        &["cluster", "config"],
        "settings",
        &[
            Field::text("name", "Kafka's name of the setting"),
            Field::text("value", "null if it is secret").or_null(),
            Field::text("source", "broker, cluster, file or default"),
            Field::switch("read_only", "whether only a restart changes it"),
            Field::switch("sensitive", "whether its value is not shown"),
        ],
    )
    .when("without changes"),
    list(
        &["cluster", "config"],
        "brokers",
        &[Field::text("broker", "the broker's id, or all"), CHANGED, APPLIED],
    )
    .when("with --set, --unset, --append or --subtract"),
    list(
        &["cluster", "features"],
        "features",
        &[
            Field::text("feature", "Kafka's name of the feature"),
            Field::number("supported_from", "the lowest level that is served"),
            Field::number("supported_to", "the highest level that is served"),
            Field::number("level", "the level that is on").or_null(),
        ],
    ),
    list(
        &["schema", "check"],
        "incompatibilities",
        &[
            FILE,
            Field::text("rule", "the rule that it breaks"),
            PATH,
            Field::text("direction", "BACKWARD or FORWARD"),
            Field::text("against", "the older file"),
            Field::text("old", "what was there").or_null(),
            Field::text("new", "what is there now").or_null(),
            Field::text("how", "the legal way"),
        ],
    )
    .with(&[
        Field::new(
            "checked",
            Holds::Objects(&[FILE, Field::text("type", "AVRO, JSON or PROTOBUF")]),
            "the files that are schemas",
        ),
        Field::text("mode", "the compatibility that was asked for"),
    ]),
    list(
        &["schema", "lint"],
        "findings",
        &[
            FILE,
            Field::text("severity", "error, warning or hint"),
            Field::text("rule", "the rule's name (docs/reference/lint.md)"),
            PATH,
            Field::text("what", "what is wrong"),
            Field::text("mend", "how to mend it"),
            Field::text("why", "why it matters"),
        ],
    )
    .with(&[Field::new(
        "files",
        Holds::Objects(&[
            FILE,
            Field::text("grade", "A to F"),
            Field::switch("passes", "whether no error is left"),
            Field::number("findings", "how many"),
            Field::number("waived", "findings that a waiver allows"),
            Field::number("inherited", "findings that the previous version has, too"),
            Field::number("expired_waivers", "waivers whose day is over"),
        ]),
        "the files themselves",
    )]),
    list(
        &["schema", "diff"],
        "changes",
        &[
            Field::text("change", "added, removed or changed"),
            PATH,
            Field::text("old", "what was there").or_null(),
            Field::text("new", "what is there now").or_null(),
        ],
    )
    .with(&[
        Field::switch("backward", "whether the new version reads data of the old one"),
        Field::switch("forward", "whether the old version reads data of the new one"),
    ]),
    list(
        &["schema", "fmt"],
        "files",
        &[
            FILE,
            Field::switch("changed", "whether it was laid out otherwise"),
            Field::text("text", "as it is laid out"),
        ],
    ),
    list(&["bench", "produce"], "bench", BENCH),
    list(&["bench", "consume"], "bench", BENCH),
    list(&["bench", "e2e"], "bench", BENCH),
    list(
        &["demo"],
        "demo",
        &[
            Field::number("events", "orders that were written"),
            Field::number("counted", "orders that were counted, each once"),
            Field::number("keys", "customers"),
            Field::number("read_again", "orders that a consumer met twice"),
            Field::number("ready_again_ms", "from the start after the kill to ready"),
            Field::fraction("seconds", "how long it took"),
        ],
    ),
    list(
        &["profile", "list"],
        "profiles",
        &[
            PROFILE,
            CURRENT,
            SERVERS.or_null(),
            PROTECTED,
            Field::text("timeout", "its --timeout").or_null(),
            Field::text("output", "its -o").or_null(),
            FILE,
        ],
    ),
    list(
        &["profile", "show"],
        "profile",
        &[
            PROFILE.or_null(),
            SERVERS,
            Field::number("timeout", "seconds that a call may take"),
            PROTECTED,
        ],
    ),
    list(&["profile", "use"], "profiles", &[PROFILE, CURRENT, FILE]),
    list(
        &["profile", "create"],
        "profiles",
        &[PROFILE, CURRENT, SERVERS.or_null(), PROTECTED, FILE],
    ),
    list(
        &["profile", "edit"],
        "profile_files",
        &[FILE, Field::number("profiles", "how many it has now")],
    ),
    list(
        &["doctor"],
        "checks",
        &[
            Field::text("check", "what was looked at"),
            Field::text("status", "ok, warning or fault"),
            Field::text("found", "what was found"),
            Field::text("what_to_do", "empty if nothing is to be done"),
        ],
    ),
    list(
        &["log", "dump"],
        "",
        &[
            Field::number("position", "where in the file, in bytes"),
            Field::text(
                "what",
                "chunk, group, data, or what is wrong; each has more fields of its own",
            ),
        ],
    ),
    list(
        &["log", "export"],
        "logs",
        &[
            Field::text("folder", "the folder that was written"),
            Field::number("bytes", "of its segments"),
        ],
    ),
    list(&["log", "export-metadata"], "files", &[FILE]),
    list(
        &["log", "scrub"],
        "scrubbed",
        &[
            Field::number("files", "spare files that were overwritten"),
            Field::number("bytes", "of zeros that were written"),
        ],
    ),
];
