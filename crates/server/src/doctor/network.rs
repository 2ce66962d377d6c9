//! Ports and advertised addresses.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use config::{BrokerConfig, ListenerAddress};

use super::judge::Finding;
use crate::start::resolve;

const PATIENCE: Duration = Duration::from_secs(2);

pub fn look(config: &BrokerConfig, insecure: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for listener in config.listeners.iter().chain(&config.http_listeners) {
        findings.push(port(listener, insecure));
    }
    for listener in &config.listeners {
        let said = config.advertised.iter().find(|said| said.name == listener.name);
        findings.push(advertised(listener, said));
    }
    findings
}

fn shown(listener: &ListenerAddress) -> String {
    let host = if listener.host.is_empty() {
        "0.0.0.0"
    } else {
        &listener.host
    };
    format!("{}://{host}:{}", listener.name, listener.port)
}

fn port(listener: &ListenerAddress, insecure: bool) -> Finding {
    let name = shown(listener);
    let addresses = match resolve(listener) {
        Ok(addresses) => addresses,
        Err(error) => {
            return Finding::fault("port", format!("{name}: {error:#}"))
                .advice("name an address of this machine, or leave the host empty for all");
        }
    };
    if !insecure && !addresses.iter().all(|address| address.ip().is_loopback()) {
        return Finding::fault(
            "port",
            format!("{name} is open to other machines and has no authentication"),
        )
        .advice("listen on 127.0.0.1, or start with --insecure");
    }
    for address in addresses {
        if let Err(error) = TcpListener::bind(address) {
            return refused(&name, address, &error);
        }
    }
    Finding::good("port", format!("{name} is free"))
}

fn refused(name: &str, address: SocketAddr, error: &std::io::Error) -> Finding {
    match error.kind() {
        ErrorKind::AddrInUse if speaks_kafka(address) => {
            Finding::warning("port", format!("a broker answers at {name} already"))
                .advice("if it is this node all is well; else choose another port in `listeners`")
        }
        ErrorKind::AddrInUse => {
            Finding::fault("port", format!("another program listens at {name}")).advice(format!(
                "stop it (`ss -ltnp sport = :{}` names it), or choose another port",
                address.port()
            ))
        }
        ErrorKind::PermissionDenied => Finding::fault("port", format!("{name}: {error}"))
            .advice("ports below 1024 need more rights: choose a higher one"),
        _ => Finding::fault("port", format!("{name}: {error}")).advice("name an address of this machine"),
    }
}

/// Asks ApiVersions v0 (key 18): whoever answers with the same correlation id speaks Kafka's protocol.
fn speaks_kafka(address: SocketAddr) -> bool {
    const REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0x0d, 0x0c, 0xff, 0xff];
    let ask = || -> std::io::Result<[u8; 8]> {
        let mut address = address;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&REQUEST)?;
        let mut answer = [0; 8];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.ends_with(&[0, 0, 0x0d, 0x0c]))
}

fn advertised(listener: &ListenerAddress, said: Option<&ListenerAddress>) -> Finding {
    let own = resolve(listener).unwrap_or_default();
    let local = !own.is_empty() && own.iter().all(|address| address.ip().is_loopback());
    let shut_in = Finding::warning(
        "advertised address",
        format!("{} is inside this container alone", shown(listener)),
    )
    .advice("listen on 0.0.0.0 with --insecure and publish the port, so that clients outside can connect");
    let shut_in = (local && os::machine::in_container()).then_some(shut_in);
    let Some(said) = said else {
        if let Some(shut_in) = shut_in {
            return shut_in;
        }
        let found = format!("{}: clients get the address that they dialled", listener.name);
        return Finding::good("advertised address", found);
    };
    let name = shown(said);
    let Ok(addresses) = resolve(said) else {
        return Finding::fault("advertised address", format!("{name} does not resolve here")).advice(
            "clients connect to this name after the first answer: it must resolve for them, and should here",
        );
    };
    if !local && addresses.iter().all(|address| address.ip().is_loopback()) {
        return Finding::warning(
            "advertised address",
            format!("{name} is loopback, the listener is not"),
        )
        .advice(
            "a client on another machine would connect to itself: advertise a name it can reach, or nothing",
        );
    }
    if listener.port != 0 && said.port != listener.port && !os::machine::in_container() {
        return Finding::warning(
            "advertised address",
            format!("{name}, while the listener has port {}", listener.port),
        )
        .advice("right behind a port mapping or a proxy, else a mistake");
    }
    shut_in.unwrap_or_else(|| Finding::good("advertised address", name))
}

#[cfg(test)]
mod tests {
    use super::super::judge::Status;
    use super::*;

    fn listener(text: &str) -> ListenerAddress {
        config::parse_listeners(text).expect("legal").remove(0)
    }

    #[test]
    fn a_port_that_is_taken_is_a_fault_and_a_broker_on_it_a_warning() {
        let held = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port_number = held.local_addr().expect("bound").port();
        let address = listener(&format!("PLAINTEXT://127.0.0.1:{port_number}"));
        let thread = std::thread::spawn(move || {
            let (mut other, _) = held.accept().expect("the doctor");
            other.write_all(b"HTTP/1.1 400 no\r\n").expect("open");
            let (mut broker, _) = held.accept().expect("the doctor");
            let mut request = [0; 14];
            broker.read_exact(&mut request).expect("a request");
            broker.write_all(&[0, 0, 0, 10, 0, 0, 0x0d, 0x0c]).expect("open");
        });
        assert_eq!(port(&address, false).status, Status::Fault);
        assert_eq!(port(&address, false).status, Status::Warning);
        thread.join().expect("no panic");
        assert_eq!(port(&address, false).status, Status::Good);
    }

    #[test]
    fn an_open_door_needs_a_word() {
        let address = listener("PLAINTEXT://0.0.0.0:0");
        assert_eq!(port(&address, false).status, Status::Fault);
        assert_eq!(port(&address, true).status, Status::Good);
    }

    #[test]
    fn advertised_addresses_are_looked_at() {
        let open = listener("PLAINTEXT://0.0.0.0:9092");
        assert_eq!(advertised(&open, None).status, Status::Good);
        let nowhere = listener("PLAINTEXT://no-such-host.invalid:9092");
        assert_eq!(advertised(&open, Some(&nowhere)).status, Status::Fault);
        let local = listener("PLAINTEXT://127.0.0.1:9092");
        assert_eq!(advertised(&open, Some(&local)).status, Status::Warning);
    }
}
