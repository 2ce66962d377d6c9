//! The demo's own node: a child process of this binary, on loopback, that is killed when it is dropped.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::Failure;

const READY_WITHIN: Duration = Duration::from_secs(30);

pub(super) struct Node {
    child: Child,
    port: u16,
    /// What it said when it was ready.
    pub(super) ready_line: String,
    /// From its start until it was.
    pub(super) ready_after: Duration,
}

impl Node {
    /// Starts a node with its data in a folder, and waits until it is ready.
    pub(super) fn start(folder: &Path, port: u16) -> Result<Node, Failure> {
        let failed = |what: &str, error: std::io::Error| Failure::failed(format!("{what}: {error}"));
        let ottla = std::env::current_exe().map_err(|error| failed("this program is not found", error))?;
        let log = std::fs::File::create(folder.join("log")).map_err(|error| failed("the log", error))?;
        let started = Instant::now();
        let mut child = Command::new(ottla)
            .arg("start")
            .arg("--data")
            .arg(folder.join("data"))
            .args(["--set", &format!("listeners=PLAINTEXT://127.0.0.1:{port}")])
            // None of this is needed outside of a story: it shortens what a person waits for.
            .args(["--set", "group.initial.rebalance.delay.ms=300"])
            .args(["--set", "group.min.session.timeout.ms=1000"])
            .args(["--set", "ottla.http.listeners="])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| failed("the node cannot be started", error))?;
        let said = lines(&mut child);
        let mut node = Node {
            child,
            port,
            ready_line: String::new(),
            ready_after: Duration::ZERO,
        };
        while let Ok(line) = said.recv_timeout(READY_WITHIN.saturating_sub(started.elapsed())) {
            if line.starts_with("ottla ready") {
                node.ready_line = line;
                node.ready_after = started.elapsed();
                return Ok(node);
            }
        }
        drop(node);
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        let last = log.lines().last().unwrap_or("it said nothing").to_owned();
        Err(Failure::failed(format!("the node does not come up: {last}")).hint("`ottla doctor` may know why"))
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a child writes, until it ends.
fn lines(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(out) = child.stdout.take() {
        std::thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            for line in lines {
                let _ = sender.send(line);
            }
        });
    }
    receiver
}

/// Below the range from which clients' own ports come, so that no client of the node can take it while it is down.
const PORTS: std::ops::Range<u16> = 15_000..30_000;

/// A port that nobody listens on.
pub(super) fn free_port() -> Result<u16, Failure> {
    let span = u64::from(PORTS.end - PORTS.start);
    for _ in 0..100 {
        let offset = u16::try_from(os::Random::real().u64() % span).unwrap_or_default();
        let port = PORTS.start + offset;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Failure::failed("no free port was found").hint("--port PORT chooses one"))
}
