//! Settings that all clients share. Names and defaults are Kafka's (`CommonClientConfigs`).

use std::sync::Arc;
use std::time::Duration;

use os::{Clock, Random};

use crate::security::Authenticate;
use crate::transport::{Dial, Tcp};
use crate::{Error, Result};

/// How to reach a cluster.
///
/// ```
/// let config = client::ClientConfig::new("localhost:9092,localhost:9192").with_client_id("shop");
/// assert_eq!(config.bootstrap_servers.len(), 2);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// `bootstrap.servers`: host and port of some brokers; the others are learnt from them.
    pub bootstrap_servers: Vec<String>,
    /// `client.id`: the name by which brokers log and limit this client.
    pub client_id: String,
    /// `request.timeout.ms`: how long an answer may take before the connection is given up.
    pub request_timeout: Duration,
    /// `default.api.timeout.ms`: how long a call may take with all its retries.
    pub api_timeout: Duration,
    /// `socket.connection.setup.timeout.ms`.
    pub connect_timeout: Duration,
    /// `retry.backoff.ms`: the first pause before a retry; doubles, with jitter of a fifth.
    pub retry_backoff: Duration,
    /// `retry.backoff.max.ms`.
    pub retry_backoff_max: Duration,
    /// `reconnect.backoff.ms`: the first pause before a broker is dialled again.
    pub reconnect_backoff: Duration,
    /// `reconnect.backoff.max.ms`.
    pub reconnect_backoff_max: Duration,
    /// `metadata.max.age.ms`: metadata is asked for again after this long.
    pub metadata_max_age: Duration,
    /// The largest answer that a broker may send, in bytes. The Java client has no such limit; ours does not trust
    /// its brokers.
    pub response_bytes_max: usize,
    /// How connections are made.
    pub dialer: Arc<dyn Dial>,
    /// Who the client is, if brokers ask.
    pub authenticate: Option<Arc<dyn Authenticate>>,
    /// Where the time of records comes from.
    pub clock: Clock,
    /// Where jitter and choice come from.
    pub random: Random,
}

impl ClientConfig {
    /// Settings for a cluster, given as in `bootstrap.servers`: `host:port` separated by commas.
    pub fn new(bootstrap_servers: &str) -> ClientConfig {
        let servers = bootstrap_servers.split(',').map(str::trim);
        ClientConfig {
            bootstrap_servers: servers
                .filter(|server| !server.is_empty())
                .map(str::to_owned)
                .collect(),
            client_id: "ottla-client".into(),
            request_timeout: Duration::from_secs(30),
            api_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_secs(1),
            reconnect_backoff: Duration::from_millis(50),
            reconnect_backoff_max: Duration::from_secs(1),
            metadata_max_age: Duration::from_secs(300),
            response_bytes_max: 256 << 20,
            dialer: Arc::new(Tcp),
            authenticate: None,
            clock: Clock::real(),
            random: Random::real(),
        }
    }

    /// Sets `client.id`.
    pub fn with_client_id(mut self, client_id: &str) -> ClientConfig {
        self.client_id = client_id.to_owned();
        self
    }

    /// Sets `default.api.timeout.ms`, and `request.timeout.ms` if that were longer.
    pub fn with_api_timeout(mut self, timeout: Duration) -> ClientConfig {
        self.api_timeout = timeout;
        self.request_timeout = self.request_timeout.min(timeout);
        self
    }

    /// Sets how connections are made.
    pub fn with_dialer(mut self, dialer: impl Dial + 'static) -> ClientConfig {
        self.dialer = Arc::new(dialer);
        self
    }

    /// The bootstrap servers as hosts and ports.
    pub(crate) fn addresses(&self) -> Result<Vec<(String, u16)>> {
        if self.bootstrap_servers.is_empty() {
            return Err(invalid("no server is given"));
        }
        self.bootstrap_servers
            .iter()
            .map(|server| address(server))
            .collect()
    }
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::Config {
        name: "bootstrap.servers",
        reason: reason.into(),
    }
}

/// `host:port`, `[v6]:port`, with an optional `PROTOCOL://` in front as Kafka allows.
fn address(server: &str) -> Result<(String, u16)> {
    let plain = server.split_once("://").map_or(server, |(_, rest)| rest);
    let wanted = || invalid(format!("\"{server}\" is not of the form host:port"));
    let (host, port) = plain.rsplit_once(':').ok_or_else(wanted)?;
    let port: u16 = port.parse().map_err(|_| wanted())?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if host.is_empty() || port == 0 {
        return Err(wanted());
    }
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bootstrap_servers_are_hosts_and_ports() {
        assert_eq!(address("a:1").ok(), Some(("a".into(), 1)));
        assert_eq!(address("PLAINTEXT://a:1").ok(), Some(("a".into(), 1)));
        assert_eq!(address("[::1]:9092").ok(), Some(("::1".into(), 9092)));
        for wrong in ["a", "a:", ":1", "a:99999", "a:0", "a:b"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        assert!(ClientConfig::new(" , ").addresses().is_err());
    }
}
