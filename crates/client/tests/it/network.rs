//! A network between the client and its brokers that is late, loses dials, stalls and breaks, with requests on their way
//! or answers. Everything it does follows from its chance.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use client::transport::{Dial, Dialing, Stream};
use os::Random;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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

/// Dials through such a network.
#[derive(Debug)]
pub struct Network {
    pub inner: Arc<dyn Dial>,
    pub random: Random,
    pub faults: Faults,
}

impl Dial for Network {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialing<'a> {
        Box::pin(async move {
            if self.random.u64() % 1000 < self.faults.refused {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let broker = self.inner.dial(host, port).await?;
            let (ours, near) = tokio::io::duplex(1 << 20);
            let own = Random::seeded(self.random.u64());
            tokio::spawn(carry(near, broker, own, self.faults));
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }
}

/// Carries bytes both ways until one side is done or chance ends it.
async fn carry(client: impl Stream, broker: impl Stream, random: Random, faults: Faults) {
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
