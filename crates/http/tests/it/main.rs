//! The operator's pages over a socket, and what a client cannot do to them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::{HttpLimits, Source};
use tokio::sync::watch;

struct Node {
    reasons: Vec<String>,
}

impl Source for Node {
    fn metrics(&self) -> String {
        "ottla_up 1\n".to_owned()
    }

    fn not_ready(&self) -> Vec<String> {
        self.reasons.clone()
    }
}

struct Running {
    address: SocketAddr,
    built: Arc<AtomicUsize>,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn start(reasons: &[&str], limits: HttpLimits) -> Running {
    let (stop, stopped) = watch::channel(false);
    let (say, hear) = std::sync::mpsc::channel();
    let built = Arc::new(AtomicUsize::new(0));
    let (count, reasons) = (
        built.clone(),
        reasons.iter().map(|text| (*text).to_owned()).collect(),
    );
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let listener =
                os::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into(), false).expect("a port");
            say.send(listener.local_addr().expect("bound")).expect("heard");
            let build = move || {
                count.fetch_add(1, Ordering::SeqCst);
                http::router(Arc::new(Node { reasons }))
            };
            http::serve(listener, build, limits, stopped).await;
        });
    });
    Running {
        address: hear.recv().expect("an address"),
        built,
        stop,
        thread: Some(thread),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
    }
}

impl Running {
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("listening");
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a socket");
        stream.write_all(request.as_bytes()).expect("taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        ))
    }
}

#[test]
fn the_pages_say_how_the_node_is() {
    let node = start(&[], HttpLimits::default());
    let metrics = node.get("/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    assert!(
        metrics.contains("content-type: text/plain; version=0.0.4"),
        "{metrics}"
    );
    assert!(metrics.ends_with("ottla_up 1\n"), "{metrics}");
    assert!(node.get("/health/live").starts_with("HTTP/1.1 200"));
    let ready = node.get("/health/ready");
    assert!(
        ready.starts_with("HTTP/1.1 200") && ready.ends_with("{\"status\":\"ready\"}\n"),
        "{ready}"
    );
    assert!(node.get("/nothing").starts_with("HTTP/1.1 404"));
    assert!(
        node.ask("POST /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 405")
    );
}

#[test]
fn a_node_that_is_not_ready_says_why() {
    let node = start(&["the disk is full"], HttpLimits::default());
    let ready = node.get("/health/ready");
    assert!(
        ready.starts_with("HTTP/1.1 503") && ready.contains("the disk is full"),
        "{ready}"
    );
    assert!(
        node.get("/health/live").starts_with("HTTP/1.1 200"),
        "it lives all the same"
    );
}

#[test]
fn nothing_is_built_before_the_first_connection() {
    let node = start(&[], HttpLimits::default());
    assert_eq!(node.built.load(Ordering::SeqCst), 0);
    node.get("/");
    node.get("/");
    assert_eq!(node.built.load(Ordering::SeqCst), 1);
}

#[test]
fn large_headers_are_refused() {
    let node = start(&[], HttpLimits::default());
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(64 << 10));
    let mut stream = TcpStream::connect(node.address).expect("listening");
    // The answer may come, and the connection close, before everything is sent.
    let _ = stream.write_all(large.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(100));
    assert!(node.ask(&many).starts_with("HTTP/1.1 431"));
}

#[test]
fn a_slow_client_is_closed() {
    let limits = HttpLimits {
        header_max: Duration::from_millis(200),
        ..HttpLimits::default()
    };
    let node = start(&[], limits);
    for begun in ["GET /metr", ""] {
        let before = Instant::now();
        node.ask(begun);
        assert!(before.elapsed() < Duration::from_secs(5), "{begun:?}");
    }
}

#[test]
fn connections_are_bounded_and_the_next_waits_for_a_place() {
    let limits = HttpLimits {
        connections_max: 2,
        header_max: Duration::from_millis(500),
        ..HttpLimits::default()
    };
    let node = start(&[], limits);
    let held: Vec<_> = (0..2)
        .map(|_| TcpStream::connect(node.address).expect("listening"))
        .collect();
    std::thread::sleep(Duration::from_millis(50));
    let before = Instant::now();
    assert!(node.get("/health/live").starts_with("HTTP/1.1 200"));
    assert!(
        Duration::from_millis(200) < before.elapsed(),
        "it waited until a slow one was closed"
    );
    drop(held);
}
