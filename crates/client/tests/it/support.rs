//! A cluster to test against, and names that no other run has.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use client::transport::{Dial, InProcess, Tcp};
use client::{BrokerId, Client, ClientConfig, NewTopic};
use testkit::TestNode;

/// The broker under test, if the environment names one.
pub fn bootstrap() -> Option<String> {
    std::env::var("CLIENT_TEST_BOOTSTRAP").ok()
}

/// An Ottla node in this process, for when it names none.
static NODE: LazyLock<TestNode> = LazyLock::new(|| {
    TestNode::start(&[
        ("group.initial.rebalance.delay.ms", "0"),
        ("group.min.session.timeout.ms", "1000"),
    ])
});

/// How the broker under test is reached: by its socket, or without one if it is in this process.
pub fn dialer() -> Arc<dyn Dial> {
    match bootstrap() {
        Some(_) => Arc::new(Tcp),
        None => {
            let entrance = NODE.entrance();
            Arc::new(InProcess::new(move |stream, _, port| {
                entrance.accept(stream, port)
            }))
        }
    }
}

/// Settings that reach the broker under test.
pub fn config() -> ClientConfig {
    let servers = bootstrap().unwrap_or_else(|| NODE.address.to_string());
    let mut config = ClientConfig::new(&servers).with_api_timeout(Duration::from_secs(20));
    config.dialer = dialer();
    config
}

/// A name that is new on the broker.
pub fn fresh(prefix: &str) -> String {
    format!("{prefix}-{:016x}", os::Random::real().u64())
}

/// Runs a test in a runtime of its own.
pub fn with_broker<F: std::future::Future<Output = ()>>(test: impl FnOnce(Client) -> F) {
    with_broker_within(Duration::from_secs(120), test);
}

/// The same with another limit.
pub fn with_broker_within<F: std::future::Future<Output = ()>>(
    limit: Duration,
    test: impl FnOnce(Client) -> F,
) {
    let client = Client::new(config()).expect("legal settings");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let ended = runtime.block_on(async { tokio::time::timeout(limit, test(client)).await });
    ended.expect("the test ends in time");
}

/// Tries again for some seconds: brokers tell each other with a delay.
pub async fn eventually<T, F: std::future::Future<Output = Option<T>>>(
    what: &str,
    mut attempt: impl FnMut() -> F,
) -> T {
    for _ in 0..100 {
        if let Some(found) = attempt().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what} did not come about in 10 s");
}

/// A new topic.
pub async fn topic(client: &Client, prefix: &str, partitions: i32, configs: &[(&str, &str)]) -> String {
    let name = fresh(prefix);
    let mut wanted = NewTopic::new(&name).partitions(partitions).replication_factor(1);
    for (key, value) in configs {
        wanted = wanted.config(key, value);
    }
    let created = client
        .admin()
        .create_topics(&[wanted])
        .await
        .expect("a controller");
    created.into_iter().for_each(|(_, outcome)| {
        outcome.expect("a new topic");
    });
    // Kafka's brokers hear of it a moment later.
    eventually("the new topic", || async {
        let described = client.admin().describe_topics(&[&name]).await.ok()?;
        let topic = described.first()?.1.as_ref().ok()?.clone();
        topic
            .partitions
            .iter()
            .all(|one| one.leader != BrokerId::NONE)
            .then_some(())
    })
    .await;
    name
}

/// How many cases a long proof runs: `OTTLA_CASES`, or a few.
pub fn cases(few: usize) -> usize {
    std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(few)
}
