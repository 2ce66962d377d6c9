//! `listeners` and `advertised.listeners`: `NAME://host:port`, separated by commas.

use crate::{Error, value};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerAddress {
    pub name: String,
    /// Empty: every address of the machine.
    pub host: String,
    pub port: u16,
}

/// Where to listen. Names and ports (but port 0) come once.
pub fn parse_listeners(text: &str) -> Result<Vec<ListenerAddress>, Error> {
    let listeners = parse("listeners", text)?;
    for (at, listener) in listeners.iter().enumerate() {
        let before = listeners.get(..at).unwrap_or_default();
        let same_port = |other: &ListenerAddress| listener.port != 0 && other.port == listener.port;
        if before
            .iter()
            .any(|other| other.name == listener.name || same_port(other))
        {
            return Err(refuse("listeners", text, "each name and each port may come once"));
        }
    }
    if listeners.is_empty() {
        return Err(refuse("listeners", text, "at least one listener is needed"));
    }
    Ok(listeners)
}

/// What clients are told. A wildcard address would help nobody.
pub fn parse_advertised(text: &str) -> Result<Vec<ListenerAddress>, Error> {
    let advertised = parse("advertised.listeners", text)?;
    if advertised
        .iter()
        .any(|listener| listener.host.is_empty() || listener.host == "0.0.0.0")
    {
        return Err(refuse(
            "advertised.listeners",
            text,
            "clients cannot dial a wildcard address",
        ));
    }
    Ok(advertised)
}

/// Where HTTP is served: `http://host:port`, or nowhere.
pub(crate) fn parse_http(text: &str) -> Result<Vec<ListenerAddress>, Error> {
    let listeners = parse("ottla.http.listeners", text)?;
    if listeners.iter().any(|listener| listener.name != "HTTP") {
        return Err(refuse("ottla.http.listeners", text, "http://host:port is wanted"));
    }
    Ok(listeners)
}

fn refuse(name: &str, value: &str, wanted: &str) -> Error {
    Error::Value {
        name: name.to_owned(),
        value: value.to_owned(),
        wanted: wanted.to_owned(),
    }
}

fn parse(setting: &str, text: &str) -> Result<Vec<ListenerAddress>, Error> {
    value::list(text)
        .map(|word| one(word).ok_or_else(|| refuse(setting, text, "NAME://host:port is wanted")))
        .collect()
}

fn one(word: &str) -> Option<ListenerAddress> {
    let (name, address) = word.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(legal) {
        return None;
    }
    Some(ListenerAddress {
        name: name.to_ascii_uppercase(),
        host: host.to_owned(),
        port: port.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_in_kafka() {
        let listeners = parse_listeners("PLAINTEXT://127.0.0.1:9092, x://[::1]:0,Y://:9093").expect("legal");
        let shown: Vec<_> = listeners
            .iter()
            .map(|l| (l.name.as_str(), l.host.as_str(), l.port))
            .collect();
        assert_eq!(
            shown,
            [("PLAINTEXT", "127.0.0.1", 9092), ("X", "::1", 0), ("Y", "", 9093)]
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for bad in [
            "",
            "127.0.0.1:9092",
            "A://h",
            "A://h:99999",
            "A://h:1,A://h:2",
            "A://h:1,B://h:1",
        ] {
            assert!(parse_listeners(bad).is_err(), "{bad}");
        }
        assert!(parse_advertised("A://0.0.0.0:1").is_err());
        assert_eq!(parse_advertised(""), Ok(Vec::new()));
        assert_eq!(parse_http(""), Ok(Vec::new()));
        assert!(parse_http("https://127.0.0.1:1").is_err());
    }
}
