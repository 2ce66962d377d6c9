//! A cluster to test against, and names that no other run has.

use std::time::Duration;

use client::{Client, ClientConfig, NewTopic};

/// The broker under test, if the environment names one.
pub fn bootstrap() -> Option<String> {
    std::env::var("CLIENT_TEST_BOOTSTRAP").ok()
}

/// Whether the broker under test is Ottla, which does not serve every key yet.
pub fn client(bootstrap: &str) -> Client {
    let config = ClientConfig::new(bootstrap).with_api_timeout(Duration::from_secs(20));
    Client::new(config).expect("legal settings")
}

/// A name that is new on the broker.
pub fn fresh(prefix: &str) -> String {
    format!("{prefix}-{:016x}", os::Random::real().u64())
}

/// Runs a test in a runtime of its own, if there is a broker.
pub fn with_broker<F: std::future::Future<Output = ()>>(test: impl FnOnce(Client) -> F) {
    let Some(bootstrap) = bootstrap() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let limit = Duration::from_secs(120);
    let ended = runtime.block_on(async { tokio::time::timeout(limit, test(client(&bootstrap))).await });
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
    name
}

/// How many cases a long proof runs: `OTTLA_CASES`, or a few.
pub fn cases(few: usize) -> usize {
    std::env::var("OTTLA_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(few)
}
