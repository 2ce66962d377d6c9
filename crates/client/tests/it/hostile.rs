//! A broker that answers rubbish: arbitrary bytes, and true answers with bytes changed, cut or added. The client gives
//! an error or goes on; it does not panic, hang or take memory that the bytes do not justify.

use std::time::Duration;

use client::transport::{Dial, InProcess};
use client::{Assignor, Client, ClientConfig, ConsumerConfig, NewRecord, ProducerConfig, Reset};
use os::Random;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::fake::{Cluster, TOPIC};

/// What is done to the answers.
#[derive(Clone)]
struct Script {
    bytes: Vec<u8>,
    /// Answers that pass before the first is changed.
    honest: usize,
}

/// Carries requests as they are and answers as the script changes them.
async fn spoil(client: DuplexStream, broker: DuplexStream, script: Script) {
    let (mut client_out, mut client_in) = tokio::io::split(client);
    let (mut broker_out, mut broker_in) = tokio::io::split(broker);
    let there = async {
        let _ = tokio::io::copy(&mut client_out, &mut broker_in).await;
    };
    let back = async {
        let mut count = 0;
        while let Ok(size) = broker_out.read_u32().await {
            let mut frame = vec![0; size as usize];
            if broker_out.read_exact(&mut frame).await.is_err() {
                return;
            }
            let mut whole = size.to_be_bytes().to_vec();
            whole.extend(frame);
            if script.honest <= count {
                change(&mut whole, &script.bytes, count);
            }
            count += 1;
            if client_in.write_all(&whole).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        () = there => {}
        () = back => {}
    }
}

/// Changes an answer as bytes of the script say: a flip, a run, a cut, or all of it.
fn change(whole: &mut Vec<u8>, script: &[u8], count: usize) {
    let at = |place: usize| {
        script
            .get((place + 5 * count) % script.len().max(1))
            .copied()
            .unwrap_or(1)
    };
    let place = usize::from(u16::from_be_bytes([at(1), at(2)])) % whole.len();
    match at(0) % 6 {
        // The frame is as long as it says; what is in it is not what it was.
        0 => {
            let inside = place.max(8).min(whole.len() - 1);
            whole[inside] ^= at(3) | 1;
        }
        1 => {
            let start = place.max(8).min(whole.len());
            whole[start..]
                .iter_mut()
                .zip(script.iter().cycle())
                .for_each(|(byte, new)| *byte = *new);
        }
        2 => whole[place] = at(3),
        3 => {
            let length = place.max(8).min(whole.len());
            whole.truncate(length);
            let size = (length as u32 - 4).to_be_bytes();
            whole[..4].copy_from_slice(&size);
        }
        4 => whole.splice(..4, [0x7f, 0xff, at(3), at(4)]).for_each(drop),
        _ => *whole = script.to_vec(),
    }
}

async fn use_everything(script: Script) {
    let cluster = Cluster::new(2);
    let inner = cluster.dialer();
    let dialer = InProcess::new(move |stream, host, port| {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        tokio::spawn(spoil(stream, near, script.clone()));
        let (inner, host) = (inner.clone(), host.to_owned());
        tokio::spawn(async move {
            let Ok(mut broker) = inner.dial(&host, port).await else {
                return;
            };
            let _ = tokio::io::copy_bidirectional(&mut far, &mut broker).await;
        });
        Ok(())
    });
    let mut config = ClientConfig::new("b0:1")
        .with_dialer(dialer)
        .with_api_timeout(Duration::from_secs(2));
    config.random = Random::seeded(3);
    config.connect_timeout = Duration::from_secs(1);
    config.response_bytes_max = 1 << 20;
    let client = Client::new(config).expect("legal");
    let _ = client.admin().list_topics().await;
    let _ = client.admin().describe_groups(&["g"]).await;
    let producing = ProducerConfig {
        delivery_timeout: Duration::from_secs(3),
        block_max: Duration::from_secs(2),
        ..ProducerConfig::default()
    };
    let producer = client.producer(producing).expect("legal");
    for n in 0..6 {
        let record = NewRecord::to(TOPIC).partition(n % 2).value("some value");
        let _ = producer.send(record).await;
    }
    let _ = producer.close(Duration::from_secs(4)).await;
    let consuming = ConsumerConfig {
        assignors: vec![Assignor::CooperativeSticky],
        reset: Reset::Earliest,
        ..ConsumerConfig::group("g")
    };
    let mut consumer = client.consumer(consuming).expect("legal");
    consumer.subscribe(&[TOPIC]).expect("a group");
    for _ in 0..12 {
        if let Ok(records) = consumer.poll(Duration::from_millis(300)).await {
            let _ = records.count();
        }
    }
    let _ = tokio::time::timeout(Duration::from_secs(20), consumer.close()).await;
}

#[test]
fn rubbish_is_an_error_and_never_a_panic() {
    bolero::check!()
        .with_type::<(u8, Vec<u8>)>()
        .with_iterations(crate::support::cases(100))
        .for_each(|(honest, bytes)| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .expect("a runtime");
            let script = Script {
                bytes: bytes.clone(),
                honest: usize::from(*honest % 12),
            };
            let within = Duration::from_secs(3600);
            let ended =
                runtime.block_on(async { tokio::time::timeout(within, use_everything(script)).await });
            assert!(ended.is_ok(), "the client hangs");
        });
}
