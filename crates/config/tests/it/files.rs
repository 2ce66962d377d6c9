//! Any file gets an answer, never a panic, and what is accepted is legal.

use config::{BrokerConfig, Error, Layers, Loaded, Scope};

fn load(name: &str, text: &str) -> Result<Loaded, Error> {
    let mut layers = Layers::default();
    layers.file(name, text)?;
    layers.check()
}

fn answer(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for name in ["x.properties", "x.toml"] {
        let Ok(loaded) = load(name, &text) else { continue };
        for (name, value) in &loaded.values {
            let known = name
                .strip_prefix("listener.name.")
                .and_then(|rest| rest.split_once('.'));
            let plain = known.map_or(name.as_str(), |(_, plain)| plain);
            let setting = config::find(Scope::Broker, plain).expect("only known names are accepted");
            assert!(config::check(setting, value).is_ok(), "{name}={value}");
        }
        let _legal_or_named = BrokerConfig::new(&loaded);
    }
}

fn iterations() -> usize {
    let cases = std::env::var("OTTLA_CASES").ok();
    cases.and_then(|cases| cases.parse().ok()).unwrap_or(1_000)
}

#[test]
fn any_bytes_get_an_answer() {
    bolero::check!().with_iterations(iterations()).for_each(answer);
}

/// Lines out of what settings, separators and escapes are made of.
const PIECES: &[&str] = &[
    "num.partitions",
    "log.dirs",
    "listeners",
    "node.id",
    "broker.rack",
    "log.retention.ms",
    "=",
    ":",
    " ",
    "\n",
    "\r\n",
    "\\\n",
    "\\",
    "\\u00e4",
    "\\u12",
    "#",
    "!",
    "[",
    "]",
    "\"",
    "'",
    ".",
    ",",
    "PLAINTEXT://h:1",
    "7",
    "-1",
    "true",
    "[log]\n",
    "dirs",
    "listener.name.",
    "controller.quorum.voters",
    "1@h:2",
    "ä",
    "\0",
    "99999999999999999999",
];

#[test]
fn near_misses_of_files_get_an_answer() {
    bolero::check!()
        .with_iterations(iterations())
        .with_type::<Vec<u8>>()
        .for_each(|picks| {
            let piece = |pick: &u8| PIECES[usize::from(*pick) % PIECES.len()];
            let text: String = picks.iter().map(piece).collect();
            answer(text.as_bytes());
        });
}

#[test]
fn a_whole_kafka_file_is_taken_as_it_is() {
    let loaded = load("server.properties", include_str!("kafka_4_3_1/server.properties")).expect("legal");
    let config = BrokerConfig::new(&loaded).expect("legal");
    assert_eq!((config.node_id, config.num_partitions), (1, 4));
    assert_eq!(config.listeners[1].name, "CONTROLLER");
    assert!(loaded.without_effect.contains(&"num.io.threads".to_owned()));
}
