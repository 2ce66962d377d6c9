//! The operator's door: metrics and health over HTTP (`ottla.http.listeners`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use broker::Broker;
use config::BrokerConfig;
use http::{HttpLimits, Source};
use net::{Memory, Runtimes};
use os::net::TcpListener;
use telemetry::{Connections, Text, table};
use tokio::sync::watch;

const SETTING: &str = "ottla.http.listeners";

/// What the pages are written from.
pub struct Operator {
    pub broker: Arc<Broker>,
    pub memory: Memory,
    pub connections: Arc<Connections>,
    pub open_files_max: u64,
    pub ready_at: Instant,
}

impl Source for Operator {
    fn metrics(&self) -> String {
        let mut text = Text::default();
        self.broker.write_metrics(&mut text);
        self.connections.write(&mut text);
        for (metric, value) in [
            (&table::REQUEST_MEMORY, self.memory.granted() as f64),
            (&table::REQUEST_MEMORY_LIMIT, self.memory.bytes() as f64),
            (&table::CPU, os::limits::cpu_time().as_secs_f64()),
            (&table::RESIDENT, os::limits::resident_bytes() as f64),
            (&table::OPEN_FILES, os::limits::open_files() as f64),
            (&table::MAX_FILES, self.open_files_max as f64),
            (&table::UPTIME, self.ready_at.elapsed().as_secs_f64()),
        ] {
            text.family(metric);
            text.sample(&[], value);
        }
        text.family(&table::BUILD);
        text.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        text.into_string()
    }

    fn not_ready(&self) -> Vec<String> {
        self.broker.not_ready()
    }
}

/// Sockets of the door, open and not served yet.
pub struct Door {
    sockets: Vec<(SocketAddr, TcpListener)>,
}

impl Door {
    /// Binds. An address that somebody asked for must be free; the one by default is done without if it is taken, so
    /// that a second node on one machine comes up.
    pub fn open(runtimes: &Runtimes, config: &BrokerConfig) -> anyhow::Result<Door> {
        let mut sockets = Vec::new();
        for listener in &config.http_listeners {
            let address = *crate::start::resolve(listener)?
                .first()
                .ok_or_else(|| anyhow!("the address {} has no address", listener.host))?;
            let bind = async { TcpListener::bind(address, false) };
            match runtimes.block_on(bind) {
                Ok(socket) => sockets.push((socket.local_addr()?, socket)),
                Err(error) if config.is_said(SETTING) => {
                    return Err(anyhow!("cannot listen on http://{address} ({SETTING}): {error}"));
                }
                Err(error) => tracing::info!(
                    %address,
                    %error,
                    action = "give each node of a machine its own ottla.http.listeners",
                    "metrics and health are not served"
                ),
            }
        }
        Ok(Door { sockets })
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|(address, _)| *address).collect()
    }

    /// Serves until the runtimes end or what this returns is dropped or says true.
    pub fn serve(self, runtimes: &Runtimes, operator: Operator) -> watch::Sender<bool> {
        let (stop, stopped) = watch::channel(false);
        let source: Arc<dyn Source> = Arc::new(operator);
        for (_, socket) in self.sockets {
            let source = source.clone();
            let build = move || http::router(source);
            runtimes.spawn_on(
                0,
                http::serve(socket, build, HttpLimits::default(), stopped.clone()),
            );
        }
        stop
    }
}
