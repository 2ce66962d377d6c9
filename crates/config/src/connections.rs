//! How many connections may be open, from whom, and how many may come in a second.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::value;

/// `max.connections` and its neighbours, as they were said: Java's largest int means "as many as the node can".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSettings {
    pub max: i64,
    pub per_ip: i64,
    /// `max.connections.per.ip.overrides`; what is said last of an address counts.
    pub per_ip_overrides: Vec<(IpAddr, i64)>,
    /// `max.connection.creation.rate`, in connections a second over all listeners.
    pub per_second: i64,
}

impl ConnectionSettings {
    pub(crate) fn new(get: impl Fn(&str) -> Option<String>) -> ConnectionSettings {
        let number = |name: &str| get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        let overrides = get("max.connections.per.ip.overrides").unwrap_or_default();
        let each = value::list(&overrides).filter_map(|text| limit(text).ok());
        ConnectionSettings {
            max: number("max.connections"),
            per_ip: number("max.connections.per.ip"),
            per_ip_overrides: each
                .flat_map(|(hosts, max)| hosts.into_iter().map(move |host| (host, max)))
                .collect(),
            per_second: number("max.connection.creation.rate"),
        }
    }
}

/// Says what is wrong with a value of `max.connections.per.ip.overrides`.
pub(crate) fn check_overrides(text: &str) -> Result<(), String> {
    for each in value::list(text) {
        limit(each).map_err(|wrong| format!("max.connections.per.ip.overrides: {wrong}"))?;
    }
    Ok(())
}

/// `address:connections`. Names other than localhost would have to be asked for on the network while a setting changes:
/// they are taken, as Kafka does, and limit nobody.
fn limit(text: &str) -> Result<(Vec<IpAddr>, i64), String> {
    let parts = text.rsplit_once(':');
    let count = parts.and_then(|(_, count)| count.trim().parse::<i32>().ok());
    let (Some((host, _)), Some(count)) = (parts, count.filter(|count| 0 <= *count)) else {
        return Err(format!("\"{text}\" is not address:connections"));
    };
    let host = host.trim();
    if host == "localhost" {
        let both = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok((both, count.into()));
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Ok((bare.parse::<IpAddr>().into_iter().collect(), count.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_limits_of_their_own_and_names_have_none() {
        let text = "10.0.0.1:5, [::1]:7,fe80::1:9,example.com:4,localhost:0";
        assert_eq!(check_overrides(text), Ok(()));
        let get = |name: &str| (name == "max.connections.per.ip.overrides").then(|| text.to_owned());
        let overrides = ConnectionSettings::new(get).per_ip_overrides;
        let told: Vec<String> = overrides
            .iter()
            .map(|(address, max)| format!("{address} {max}"))
            .collect();
        assert_eq!(told, ["10.0.0.1 5", "::1 7", "fe80::1 9", "127.0.0.1 0", "::1 0"]);
        for wrong in ["10.0.0.1", "10.0.0.1:x", "10.0.0.1:-1"] {
            assert!(check_overrides(wrong).is_err(), "{wrong}");
        }
    }
}
