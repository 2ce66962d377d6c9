//! Who this node is, and under which address clients find it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use types::{BrokerId, Uuid};

/// What clients are told to dial for one listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvertisedListener {
    pub listener: Arc<str>,
    /// None: the address that the client itself dialled (`architecture.md` 6).
    pub host: Option<String>,
    pub port: u16,
}

/// This node's identity.
#[derive(Debug, Clone)]
pub struct Node {
    pub id: BrokerId,
    pub cluster_id: Arc<str>,
    pub directory_id: Uuid,
    pub rack: Option<String>,
    pub advertised: Vec<AdvertisedListener>,
}

impl Node {
    /// The host and port for a client that came in on `listener` by the address `local`.
    pub fn address_for(&self, listener: &str, local: SocketAddr) -> (String, u16) {
        let advertised = self.advertised.iter().find(|entry| &*entry.listener == listener);
        let port = advertised.map_or(local.port(), |entry| entry.port);
        let host = advertised.and_then(|entry| entry.host.clone());
        (host.unwrap_or_else(|| plain(local.ip())), port)
    }
}

/// An address as text, IPv4 in IPv6 unwrapped.
fn plain(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_advertised_host_clients_get_what_they_dialled() {
        let advertised = AdvertisedListener {
            listener: "PLAINTEXT".into(),
            host: None,
            port: 9092,
        };
        let mut node = Node {
            id: BrokerId(1),
            cluster_id: "c".into(),
            directory_id: Uuid::ZERO,
            rack: None,
            advertised: vec![advertised],
        };
        let local: SocketAddr = ([192, 0, 2, 7], 9092).into();
        assert_eq!(
            node.address_for("PLAINTEXT", local),
            ("192.0.2.7".to_owned(), 9092)
        );
        node.advertised[0].host = Some("kafka.example".to_owned());
        assert_eq!(
            node.address_for("PLAINTEXT", local),
            ("kafka.example".to_owned(), 9092)
        );
    }
}
