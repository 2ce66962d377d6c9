//! Many topics at once: `CLIENT_TEST_TOPICS` says how many, 300 if it does not.

use std::time::Duration;

use client::NewTopic;

use crate::support::{fresh, with_broker_within};

#[test]
fn ten_thousand_topics_are_listed() {
    // Kafka takes milliseconds to make and to delete each.
    with_broker_within(Duration::from_secs(600), |client| async move {
        let wanted = std::env::var("CLIENT_TEST_TOPICS")
            .ok()
            .and_then(|text| text.parse().ok());
        let count: usize = wanted.unwrap_or(300);
        let (admin, prefix) = (client.admin(), fresh("many"));
        let names: Vec<String> = (0..count).map(|n| format!("{prefix}-{n}")).collect();
        for some in names.chunks(500) {
            let topics: Vec<NewTopic> = some
                .iter()
                .map(|name| NewTopic::new(name).partitions(1).replication_factor(1))
                .collect();
            for (name, outcome) in admin.create_topics(&topics).await.expect("a controller") {
                outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
        // Kafka's brokers hear of them one by one.
        loop {
            let listed = admin.list_topics().await.expect("a list");
            let ours = listed
                .iter()
                .filter(|topic| topic.name.starts_with(&prefix))
                .count();
            if ours == count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        for some in names.chunks(500) {
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            for (name, outcome) in admin.delete_topics(&some).await.expect("a controller") {
                outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    });
}
