//! What a message costs the client, in CPU time of its process: `clientload produce|consume BOOTSTRAP TOPIC COUNT [BYTES
//! [leader]]`; `leader` sends with acks=1.
//!
//! Prints one line: messages, seconds, messages a second, CPU-microseconds a message.

use std::time::{Duration, Instant};

use client::{
    Acks, Client, ClientConfig, ConsumerConfig, NewRecord, OffsetSpec, ProducerConfig, Reset, TopicPartition,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, bootstrap, topic, count, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: clientload produce|consume BOOTSTRAP TOPIC COUNT [BYTES [leader]]");
        std::process::exit(2);
    };
    let count: usize = count.parse().expect("COUNT is a number");
    let bytes: usize = rest
        .first()
        .map_or(100, |bytes| bytes.parse().expect("BYTES is a number"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let client = Client::new(ClientConfig::new(bootstrap)).expect("legal settings");
    runtime.block_on(async {
        match mode.as_str() {
            "produce" => {
                let acks = match rest.get(1).map(String::as_str) {
                    Some("leader") => Acks::Leader,
                    _ => Acks::All,
                };
                produce(&client, topic, count, bytes, acks).await
            }
            _ => consume(&client, topic, count).await,
        }
    });
}

fn report(mode: &str, count: usize, started: Instant, cpu_before: Duration) {
    let (seconds, cpu) = (
        started.elapsed().as_secs_f64(),
        os::limits::cpu_time() - cpu_before,
    );
    println!(
        "{mode} messages={count} seconds={seconds:.3} per_second={:.0} cpu_us_per_message={:.4}",
        count as f64 / seconds,
        cpu.as_secs_f64() * 1e6 / count as f64
    );
}

async fn produce(client: &Client, topic: &str, count: usize, bytes: usize, acks: Acks) {
    let config = ProducerConfig {
        acks,
        batch_bytes: 256 << 10,
        ..ProducerConfig::default()
    };
    let producer = client.producer(config).expect("legal settings");
    let value = vec![b'x'; bytes];
    producer
        .send(NewRecord::to(topic).value(&value))
        .await
        .expect("room")
        .await
        .expect("delivered");
    let (started, cpu) = (Instant::now(), os::limits::cpu_time());
    let mut last = None;
    for _ in 0..count {
        last = Some(
            producer
                .send(NewRecord::to(topic).value(&value))
                .await
                .expect("room"),
        );
    }
    producer.flush().await;
    report("produce", count, started, cpu);
    last.expect("at least one").await.expect("delivered");
    producer
        .close(Duration::from_secs(30))
        .await
        .expect("all is sent");
}

async fn consume(client: &Client, topic: &str, count: usize) {
    let config = ConsumerConfig {
        reset: Reset::Earliest,
        auto_commit: None,
        partition_bytes_max: 4 << 20,
        ..ConsumerConfig::default()
    };
    let described = client.admin().describe_topics(&[topic]).await.expect("a broker");
    let partitions = described[0]
        .1
        .as_ref()
        .expect("the topic is there")
        .partitions
        .len() as i32;
    let mut consumer = client.consumer(config).expect("legal settings");
    let all: Vec<TopicPartition> = (0..partitions)
        .map(|one| TopicPartition::new(topic, one))
        .collect();
    consumer.assign(&all).expect("free");
    for one in &all {
        consumer.seek_to(one, OffsetSpec::Earliest).expect("assigned");
    }
    let (mut seen, mut value_bytes) = (0, 0);
    let (started, cpu) = (Instant::now(), os::limits::cpu_time());
    while seen < count {
        let records = consumer.poll(Duration::from_secs(5)).await.expect("records");
        if records.is_empty() {
            break;
        }
        for (_, record) in records.iter() {
            seen += 1;
            value_bytes += record.value.map_or(0, <[u8]>::len);
        }
    }
    report("consume", seen, started, cpu);
    assert!(0 < value_bytes || seen == 0, "values were read");
}
