//! Connections that are late and break, in either direction, with requests on their way or answers.

use std::io;
use std::time::Duration;

use client::transport::InProcess;
use os::Random;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::Cluster;

/// How bad the network is, in a thousand.
#[derive(Debug, Clone, Copy)]
pub struct Faults {
    /// Dials that are refused.
    pub refused: u64,
    /// Pieces on whose way the connection breaks.
    pub broken: u64,
    /// Pieces after which nothing comes any more, though the connection stays open.
    pub stalled: u64,
    /// The longest delay of a piece, in ms.
    pub delay_ms: u64,
}

pub struct Network;

impl Network {
    /// A dialer to the cluster's brokers: broker 0 at `b0`, broker 1 at `b1`, any port.
    pub fn dialer(cluster: &Cluster, seed: u64, faults: Faults) -> InProcess {
        let (cluster, random) = (cluster.clone(), Random::seeded(seed));
        InProcess::new(move |stream, host, _port| {
            if random.u64() % 1000 < faults.refused {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let broker = host.trim_start_matches('b').parse().unwrap_or(0);
            let (near, far) = tokio::io::duplex(1 << 20);
            let (own, cluster) = (Random::seeded(random.u64()), cluster.clone());
            tokio::spawn(carry(stream, near, own, faults));
            tokio::spawn(super::serve::serve(cluster, broker, far));
            Ok(())
        })
    }
}

/// Carries bytes both ways until one side is done or chance ends it.
async fn carry(client: DuplexStream, broker: DuplexStream, random: Random, faults: Faults) {
    let (mut client_out, mut client_in) = tokio::io::split(client);
    let (mut broker_out, mut broker_in) = tokio::io::split(broker);
    let there = pump(&mut client_out, &mut broker_in, random.clone(), faults);
    let back = pump(&mut broker_out, &mut client_in, random, faults);
    tokio::select! {
        biased;
        () = there => {}
        () = back => {}
    }
}

async fn pump(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    random: Random,
    faults: Faults,
) {
    let mut piece = vec![0; 16 << 10];
    loop {
        let Ok(read) = from.read(&mut piece).await else {
            return;
        };
        if read == 0 {
            return;
        }
        let delay = random.u64() % (faults.delay_ms + 1);
        if 0 < delay {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if random.u64() % 1000 < faults.stalled {
            std::future::pending::<()>().await;
        }
        if random.u64() % 1000 < faults.broken {
            return;
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}
