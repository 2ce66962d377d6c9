//! What a newcomer reads who types `ottla` alone: with the line that says ready six lines, of where everything is and
//! what to type next.

use std::net::SocketAddr;
use std::path::PathBuf;

use config::Flush;

const KAFKA_PORT: u16 = 9092;

/// Where this node is.
pub struct Guide {
    pub kafka: Option<SocketAddr>,
    pub http: Option<SocketAddr>,
    pub data: PathBuf,
    pub flush: Flush,
}

/// Five lines, without the last line's end.
pub fn lines(guide: &Guide) -> String {
    let kafka = guide
        .kafka
        .map_or_else(|| "nowhere".to_owned(), |address| address.to_string());
    let http = guide.http.map_or_else(
        || "not served: another program has the port (ottla.http.listeners)".to_owned(),
        |address| format!("http://{address}/metrics, http://{address}/health/ready"),
    );
    let data = std::path::absolute(&guide.data).unwrap_or_else(|_| guide.data.clone());
    let flush = match guide.flush {
        Flush::Ack => "on disk before acks=all is answered",
        Flush::Interval => "on disk within ottla.flush.interval.ms",
        Flush::Never => "on disk when the kernel likes",
    };
    // Where a client looks by itself it need not be told.
    let bootstrap = match guide.kafka {
        Some(address) if address.port() != KAFKA_PORT => format!(" -b {address}"),
        _ => String::new(),
    };
    format!(
        "  Kafka clients    bootstrap.servers={kafka}\n  \
           data             {} ({flush})\n  \
           metrics, health  {http}\n  \
           try next         echo 'ada:hello' | ottla produce greetings -k :{bootstrap}; ottla consume greetings -k{bootstrap}\n  \
           see more         ottla demo; ottla topic list{bootstrap}; ottla --help; Ctrl-C stops",
        data.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guide(port: u16) -> Guide {
        Guide {
            kafka: Some(SocketAddr::from(([127, 0, 0, 1], port))),
            http: None,
            data: "/d".into(),
            flush: Flush::Ack,
        }
    }

    #[test]
    fn five_lines_follow_the_ready_line() {
        let said = lines(&guide(9092));
        assert_eq!(said.lines().count(), 5);
        assert!(said.contains("bootstrap.servers=127.0.0.1:9092"));
        assert!(said.contains("ottla consume greetings -k\n"));
    }

    #[test]
    fn commands_name_a_port_that_is_not_the_usual_one() {
        assert!(lines(&guide(19092)).contains("ottla consume greetings -k -b 127.0.0.1:19092\n"));
    }
}
