//! Histories: producers and members of a group over a network that delays, refuses and breaks, while leaders move.
//! Nothing acknowledged is lost, nothing is stored twice, the order of a producer's partition holds, and no two members
//! commit for a partition in one generation. `OTTLA_CASES` says how many seeds; `OTTLA_SEED` from which on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use client::{Assignor, Client, ClientConfig, Consumer, ConsumerConfig, NewRecord, ProducerConfig, Reset};
use os::Random;
use parking_lot::Mutex;

use crate::fake::{Cluster, TOPIC};
use crate::network::{Faults, Network};

const PARTITIONS: usize = 4;
const RECORDS: u32 = 120;

/// What a history left behind.
#[derive(Default)]
struct Ledger {
    /// Values that were acknowledged.
    acknowledged: BTreeSet<String>,
    /// Values whose delivery failed: they may be there or not, and once at most.
    failed: u32,
    /// Values that members were given.
    read: BTreeSet<String>,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Seeds of histories that once went wrong.
const FOUND: [u64; 2] = [
    // Six batches of a partition were out when its leader had moved: the broker did not know the first again.
    200_138, // The same, though four of them had been answered.
    301_094,
];

#[test]
fn histories_that_once_went_wrong_go_well() {
    FOUND.into_iter().for_each(run);
}

#[test]
fn nothing_is_lost_or_doubled_whatever_the_network_does() {
    let first = number("OTTLA_SEED", 0);
    (first..first + number("OTTLA_CASES", 15)).for_each(run);
}

fn run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(history(seed));
}

fn client(cluster: &Cluster, seed: u64, faults: Faults) -> Client {
    let network = Network {
        inner: Arc::new(cluster.dialer()),
        random: Random::seeded(seed),
        faults,
    };
    let mut config = ClientConfig::new("b0:1,b1:1").with_dialer(network);
    config.random = Random::seeded(seed);
    config.request_timeout = Duration::from_secs(2);
    config.connect_timeout = Duration::from_secs(1);
    Client::new(config).expect("legal")
}

async fn history(seed: u64) {
    let cluster = Cluster::new(PARTITIONS);
    let random = Random::seeded(seed ^ 0x5eed);
    let faults = Faults {
        refused: random.u64() % 100,
        broken: random.u64() % 60,
        stalled: random.u64() % 20,
        delay_ms: random.u64() % 80,
    };
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let producers: Vec<_> = (0..2)
        .map(|producer| {
            tokio::spawn(produce(
                cluster.clone(),
                seed * 10 + producer,
                producer,
                faults,
                ledger.clone(),
            ))
        })
        .collect();
    let mover = tokio::spawn({
        let (cluster, random) = (cluster.clone(), Random::seeded(seed ^ 0x1ead));
        async move {
            for _ in 0..6 {
                tokio::time::sleep(Duration::from_millis(random.u64() % 900)).await;
                cluster.move_leader(random.u64() as usize % PARTITIONS);
            }
        }
    });
    let members = consume(&cluster, seed, faults, &ledger, &random);
    tokio::time::timeout(Duration::from_secs(600), async {
        members.await;
        for producer in producers {
            producer.await.expect("a producer ends");
        }
        mover.await.expect("it ends");
    })
    .await
    .unwrap_or_else(|_| panic!("seed {seed} does not end, {faults:?}"));
    drain(&cluster, seed, &ledger).await;
    check(seed, &cluster, &ledger.lock());
}

async fn produce(cluster: Cluster, seed: u64, producer: u64, faults: Faults, ledger: Arc<Mutex<Ledger>>) {
    let client = client(&cluster, seed, faults);
    let config = ProducerConfig {
        batch_bytes: 300,
        linger: Duration::from_millis(3),
        delivery_timeout: Duration::from_secs(300),
        ..ProducerConfig::default()
    };
    let sending = client.producer(config).expect("legal");
    let random = Random::seeded(seed);
    let mut deliveries = Vec::new();
    for n in 0..RECORDS {
        let value = format!("{producer}:{n:04}");
        let partition = random.u64() as i32 & (PARTITIONS as i32 - 1);
        // A send that is given up takes nothing; tried again it is one record.
        let delivery = loop {
            match sending
                .send(NewRecord::to(TOPIC).partition(partition).value(&value))
                .await
            {
                Ok(delivery) => break delivery,
                Err(error) => assert!(error.is_retriable(), "{error}"),
            }
        };
        deliveries.push((value, delivery));
        if random.u64().is_multiple_of(8) {
            tokio::time::sleep(Duration::from_millis(random.u64() % 30)).await;
        }
    }
    sending.flush().await;
    for (value, delivery) in deliveries {
        match delivery.await {
            Ok(_) => assert!(ledger.lock().acknowledged.insert(value)),
            Err(_) => ledger.lock().failed += 1,
        }
    }
}

fn member(client: &Client, assignor: Assignor) -> Consumer {
    let config = ConsumerConfig {
        assignors: vec![assignor],
        reset: Reset::Earliest,
        session_timeout: Duration::from_secs(3),
        heartbeat_interval: Duration::from_millis(300),
        poll_interval_max: Duration::from_secs(30),
        auto_commit: Some(Duration::from_millis(250)),
        fetch_wait_max: Duration::from_millis(100),
        ..ConsumerConfig::group("g")
    };
    let mut consumer = client.consumer(config).expect("legal");
    consumer.subscribe(&[TOPIC]).expect("a group");
    consumer
}

/// Members come and go and read what they are given.
async fn consume(cluster: &Cluster, seed: u64, faults: Faults, ledger: &Arc<Mutex<Ledger>>, random: &Random) {
    let assignors = [
        Assignor::Range,
        Assignor::RoundRobin,
        Assignor::Sticky,
        Assignor::CooperativeSticky,
    ];
    let assignor = assignors[seed as usize % assignors.len()];
    let mut members: Vec<Consumer> = Vec::new();
    for step in 0..12 {
        let client = client(cluster, seed * 1000 + step, faults);
        match random.u64() % 3 {
            0 if 1 < members.len() => drop(members.remove(0)),
            1 if 1 < members.len() => drop(members.remove(0).close().await),
            _ if members.len() < 3 => members.push(member(&client, assignor)),
            _ => {}
        }
        for _ in 0..4 {
            for consumer in &mut members {
                // A poll that is dropped half-way must lose nothing.
                let patience = Duration::from_millis(1 + random.u64() % 120);
                if let Ok(records) = consumer.poll(patience).await {
                    let mut ledger = ledger.lock();
                    for (_, record) in records.iter() {
                        let value = String::from_utf8_lossy(record.value.unwrap_or_default());
                        ledger.read.insert(value.into_owned());
                    }
                }
            }
        }
    }
    for consumer in members {
        let _ = consumer.close().await;
    }
}

/// One more member over a sound network reads what is left behind the committed offsets.
async fn drain(cluster: &Cluster, seed: u64, ledger: &Arc<Mutex<Ledger>>) {
    let sound = Faults {
        refused: 0,
        broken: 0,
        stalled: 0,
        delay_ms: 1,
    };
    let assignors = [
        Assignor::Range,
        Assignor::RoundRobin,
        Assignor::Sticky,
        Assignor::CooperativeSticky,
    ];
    let client = client(cluster, seed, sound);
    let mut consumer = member(&client, assignors[seed as usize % assignors.len()]);
    let mut idle = 0;
    while idle < 20 {
        let records = consumer
            .poll(Duration::from_millis(500))
            .await
            .expect("a sound network");
        let settled = consumer.assignment().len() == PARTITIONS;
        idle = if records.is_empty() && settled {
            idle + 1
        } else {
            0
        };
        let mut ledger = ledger.lock();
        for (_, record) in records.iter() {
            ledger
                .read
                .insert(String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned());
        }
    }
    consumer.close().await.expect("a sound network");
}

/// Prints what a partition has: producer, epoch, sequences and values of each batch.
fn show(log: &crate::fake::Log) {
    println!("-- a partition");
    for (base, batch) in &log.batches {
        let header = record::BatchHeader::parse(batch).expect("checked when it came");
        let values = record::walk(&header, &batch[record::HEADER_BYTES..]).map_while(Result::ok);
        let values: Vec<String> = values
            .map(|one| String::from_utf8_lossy(one.value.unwrap_or_default()).into_owned())
            .collect();
        let (id, epoch) = (header.producer_id.0, header.producer_epoch.0);
        let sequences = header.base_sequence..=header.last_sequence();
        println!(
            "{base}: producer {id} epoch {epoch} sequences {sequences:?}: {}",
            values.join(" ")
        );
    }
}

fn check(seed: u64, cluster: &Cluster, ledger: &Ledger) {
    let state = cluster.0.lock();
    if std::env::var("OTTLA_SHOW").is_ok() {
        state.partitions.iter().for_each(show);
    }
    let mut stored = BTreeSet::new();
    for log in &state.partitions {
        let mut last: BTreeMap<String, String> = BTreeMap::new();
        for (_, value) in log.values() {
            let value = String::from_utf8(value).expect("ours");
            let producer = value.split(':').next().unwrap_or_default().to_owned();
            if let Some(before) = last.insert(producer, value.clone()) {
                assert!(before < value, "seed {seed}: {value} is stored behind {before}");
            }
            assert!(
                stored.insert(value.clone()),
                "seed {seed}: {value} is stored twice"
            );
        }
    }
    let lost: Vec<&String> = ledger.acknowledged.difference(&stored).collect();
    assert!(
        lost.is_empty(),
        "seed {seed}: acknowledged and not stored: {lost:?}"
    );
    assert_eq!(ledger.failed, 0, "seed {seed}: a delivery was given up");
    let unread: Vec<&String> = stored.difference(&ledger.read).collect();
    assert!(
        unread.is_empty(),
        "seed {seed}: stored and never read: {unread:?}"
    );
    let mut owners: BTreeMap<(i32, i32), &str> = BTreeMap::new();
    for (generation, member, partition, _) in &state.commits {
        let owner = owners.entry((*generation, *partition)).or_insert(member);
        assert_eq!(
            owner, member,
            "seed {seed}: two members commit partition {partition} in {generation}"
        );
    }
}
