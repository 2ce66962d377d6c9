//! The broker is killed and comes back while records are sent: none that was acknowledged is lost, none is there twice,
//! the order of each key holds. `CLIENT_TEST_RESTART` is a shell command that kills the broker and starts it again.

use std::time::Duration;

use client::{NewRecord, ProducerConfig};

use crate::producer::values;
use crate::support::{topic, with_broker};

const RESTARTS: usize = 3;

#[test]
fn a_killed_broker_loses_and_doubles_nothing() {
    with_broker(|client| async move {
        let Ok(command) = std::env::var("CLIENT_TEST_RESTART") else {
            return;
        };
        let name = topic(&client, "killed", 3, &[]).await;
        let config = ProducerConfig {
            batch_bytes: 2 << 10,
            ..ProducerConfig::default()
        };
        let producer = client.producer(config).expect("legal");
        let restarts = tokio::task::spawn_blocking(move || {
            for _ in 0..RESTARTS {
                std::thread::sleep(Duration::from_millis(800));
                let done = std::process::Command::new("sh").args(["-c", &command]).status();
                assert!(done.expect("a shell").success(), "the broker comes back");
            }
        });
        let (mut n, mut deliveries) = (0u32, Vec::new());
        while !restarts.is_finished() || n < 5000 {
            let (key, value) = ((n % 17).to_string(), format!("{n:08}"));
            let record = NewRecord::to(&name).key(&key).value(&value);
            deliveries.push((value.clone(), producer.send(record).await.expect("room")));
            n += 1;
            if n.is_multiple_of(20) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        restarts.await.expect("restarts end");
        producer
            .close(Duration::from_secs(60))
            .await
            .expect("all is sent");
        let mut stored: Vec<Vec<String>> = Vec::new();
        for partition in 0..3 {
            let all = values(&client, &name, partition).await.into_iter();
            stored.push(all.map(|value| String::from_utf8(value).expect("ours")).collect());
        }
        for of_partition in &stored {
            let mut last = std::collections::BTreeMap::new();
            for value in of_partition {
                let key = value.parse::<u32>().expect("a number") % 17;
                let before = last.insert(key, value.clone());
                assert!(
                    before.is_none_or(|before| before < *value),
                    "{value} is out of order or there twice"
                );
            }
        }
        let all: std::collections::BTreeSet<&String> = stored.iter().flatten().collect();
        for (value, delivery) in deliveries {
            delivery.await.expect("it was sent again until it was there");
            assert!(all.contains(&value), "{value} was acknowledged and is lost");
        }
        assert_eq!(all.len(), n as usize);
        println!("{n} records over {RESTARTS} restarts");
    });
}
