//! The limits that hold before anybody has said who they are (`security.md` 3), over real sockets.

use std::future::Ready;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use net::{
    Answer, ConnectionLimits, Listener, Memory, Peer, Request, Response, Runtimes, Server, ServerOptions,
    Service, Start,
};
use telemetry::{Closed, Connections, Finished, Refused};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const FRAME_BYTES_MAX: usize = 4 << 20;

/// Held for writing by the test that measures the memory of this process, else for reading.
static ALONE: RwLock<()> = RwLock::new(());

fn shared() -> Option<RwLockReadGuard<'static, ()>> {
    ALONE.read().ok()
}

/// Answers a frame with itself.
struct Echo;

impl Service for Echo {
    type Session = ();
    type Pending = Ready<Answer>;

    fn open(&self, _: Peer) {}

    fn frame_bytes_max(&self, (): &()) -> usize {
        FRAME_BYTES_MAX
    }

    fn may_overlap(&self, _: &[u8]) -> bool {
        false
    }

    fn start(&self, (): &mut (), request: Request) -> Start<Ready<Answer>> {
        let bytes = request.frame.len() as u32;
        let mut response = Response::from(Bytes::copy_from_slice(&bytes.to_be_bytes()));
        response.push(request.frame);
        Start::Done(Answer::Send(response))
    }

    fn kick(&self, (): &mut ()) {}

    fn finished(&self, _: &Finished) {}
}

struct Node {
    address: SocketAddr,
    connections: Arc<Connections>,
    server: Server,
    _runtimes: Runtimes,
}

fn start(limits: ConnectionLimits, memory_bytes: usize) -> Node {
    let runtimes = Runtimes::start(1).expect("a thread");
    let listener = Listener {
        name: "PLAINTEXT".into(),
        address: (Ipv4Addr::LOCALHOST, 0).into(),
    };
    let bound = Server::bind(&runtimes, &[listener]).map_err(|(_, error)| error);
    let connections = Arc::new(Connections::default());
    let options = ServerOptions {
        limits,
        memory: Memory::new(memory_bytes),
        connections: connections.clone(),
    };
    let server = bound
        .expect("a free port")
        .serve(&runtimes, &Arc::new(Echo), &options);
    Node {
        address: server.listeners()[0].address,
        connections,
        server,
        _runtimes: runtimes,
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.server.stop();
    }
}

impl Node {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("listening");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a socket");
        stream
    }

    fn wait_until(&self, what: &str, holds: impl Fn(&Connections) -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !holds(&self.connections) {
            assert!(Instant::now() < until, "{what}: {:?}", self.connections);
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Sends a frame and reads its echo.
fn ask(stream: &mut TcpStream, frame: &[u8]) {
    let mut whole = (frame.len() as u32).to_be_bytes().to_vec();
    whole.extend_from_slice(frame);
    stream.write_all(&whole).expect("taken");
    let mut answer = vec![0; whole.len()];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, whole);
}

/// How long it takes until the other side closes.
fn closed_after(stream: &mut TcpStream) -> Duration {
    let before = Instant::now();
    let mut byte = [0];
    assert_eq!(stream.read(&mut byte).expect("closed in order"), 0);
    before.elapsed()
}

#[test]
fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let _shared = shared();
    let limits = ConnectionLimits {
        idle_max: Duration::from_millis(300),
        ..ConnectionLimits::default()
    };
    let node = start(limits, 64 << 20);
    let mut busy = node.connect();
    let mut idle = node.connect();
    ask(&mut idle, b"hello");
    for _ in 0..8 {
        ask(&mut busy, b"hello");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(closed_after(&mut idle) < Duration::from_secs(1));
    ask(&mut busy, b"still here");
    node.wait_until("it counts as idle", |connections| {
        connections.count_closed(Closed::Idle) == 1
    });
    node.wait_until("the busy one is open", |connections| connections.now() == 1);
}

#[test]
fn who_says_nothing_at_first_is_closed_early() {
    let _shared = shared();
    let limits = ConnectionLimits {
        first_request_max: Duration::from_millis(200),
        ..ConnectionLimits::default()
    };
    let node = start(limits, 64 << 20);
    let mut silent = node.connect();
    let after = closed_after(&mut silent);
    assert!(
        Duration::from_millis(150) < after && after < Duration::from_secs(5),
        "{after:?}"
    );
}

#[test]
fn a_frame_that_drips_is_closed_however_often_a_byte_comes() {
    let _shared = shared();
    let limits = ConnectionLimits {
        frame_max: Duration::from_millis(400),
        ..ConnectionLimits::default()
    };
    let node = start(limits, 64 << 20);
    let mut slow = node.connect();
    ask(&mut slow, b"an honest one first");
    let before = Instant::now();
    slow.write_all(&1000u32.to_be_bytes()).expect("taken");
    while slow.write_all(b"x").is_ok() {
        assert!(before.elapsed() < Duration::from_secs(10), "it was never closed");
        std::thread::sleep(Duration::from_millis(20));
    }
    node.wait_until("it counts as slow", |connections| {
        connections.count_closed(Closed::Slow) == 1
    });
}

#[test]
fn who_does_not_take_the_answer_is_given_up() {
    let _shared = shared();
    let limits = ConnectionLimits {
        idle_max: Duration::from_millis(400),
        ..ConnectionLimits::default()
    };
    let node = start(limits, 64 << 20);
    let mut greedy = node.connect();
    let frame = vec![7; 1 << 20];
    let mut whole = (frame.len() as u32).to_be_bytes().to_vec();
    whole.extend_from_slice(&frame);
    greedy
        .set_write_timeout(Some(Duration::from_millis(100)))
        .expect("a socket");
    // Never reads: the answers fill the sockets' buffers, then the requests do.
    while greedy.write_all(&whole).is_ok() {}
    node.wait_until("it counts as slow", |connections| {
        connections.count_closed(Closed::Slow) == 1
    });
    node.wait_until("it is gone", |connections| connections.now() == 0);
}

#[test]
fn one_more_than_max_connections_is_closed_at_once() {
    let _shared = shared();
    let limits = ConnectionLimits {
        connections_max: 3,
        ..ConnectionLimits::default()
    };
    let node = start(limits, 64 << 20);
    let mut held: Vec<TcpStream> = (0..3).map(|_| node.connect()).collect();
    held.iter_mut().for_each(|stream| ask(stream, b"in"));
    let mut refused = node.connect();
    assert!(closed_after(&mut refused) < Duration::from_secs(5));
    assert_eq!(node.connections.count_refused(Refused::Connections), 1);
    held.pop();
    node.wait_until("a place is free", |connections| connections.now() == 2);
    let mut next = node.connect();
    ask(&mut next, b"in");
}

#[test]
fn sizes_that_cannot_be_end_the_connection_before_anything_is_kept() {
    let _shared = shared();
    let node = start(ConnectionLimits::default(), 64 << 20);
    for size in [-1i32, i32::MIN, FRAME_BYTES_MAX as i32 + 1, i32::MAX] {
        let mut stream = node.connect();
        stream.write_all(&size.to_be_bytes()).expect("taken");
        closed_after(&mut stream);
    }
    node.wait_until("all four are counted", |connections| {
        connections.count_closed(Closed::BadFrame) == 4
    });
}

#[test]
fn frames_wait_for_memory_and_nobody_starves() {
    let _shared = shared();
    // Room for one large frame at a time.
    let node = start(ConnectionLimits::default(), 3 << 20);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut stream = node.connect();
                for _ in 0..5 {
                    ask(&mut stream, &vec![1; 2 << 20]);
                    ask(&mut stream, b"small");
                }
            });
        }
    });
    assert_eq!(node.connections.accepted(), 6);
}

#[test]
fn two_thousand_half_open_connections_cost_at_most_16_mib() {
    let _alone = ALONE.write();
    const COUNT: usize = 2000;
    let files = os::limits::raise_open_files();
    assert!(
        2 * COUNT as u64 + 100 < files,
        "the test needs {} descriptors",
        2 * COUNT
    );
    let node = start(ConnectionLimits::default(), 64 << 20);
    ask(&mut node.connect(), b"warm");
    let before = os::limits::resident_bytes();
    let held: Vec<TcpStream> = (0..COUNT)
        .map(|_| {
            let mut stream = node.connect();
            // A frame of 1 MiB that never comes.
            stream.write_all(&(1u32 << 20).to_be_bytes()).expect("taken");
            stream.write_all(&[0; 100]).expect("taken");
            stream
        })
        .collect();
    node.wait_until("all are open", |connections| connections.now() == COUNT as u64);
    // What they sent is received, too.
    std::thread::sleep(Duration::from_millis(300));
    let more = os::limits::resident_bytes().saturating_sub(before);
    println!("{COUNT} half-open connections: {} KiB", more >> 10);
    assert!(more <= 16 << 20, "{} KiB", more >> 10);
    ask(&mut node.connect(), b"honest");
    drop(held);
}

#[test]
fn a_pipe_carries_the_same_frames_as_a_socket_and_counts_as_a_connection() {
    let _shared = shared();
    let limits = ConnectionLimits {
        connections_max: 2,
        ..ConnectionLimits::default()
    };
    let node = start(limits, 64 << 20);
    let (entrance, port) = (node.server.entrance(), node.address.port());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // The second port is nobody's: the first listener takes it.
        for port in [port, 1] {
            let (mut near, far) = tokio::io::duplex(1 << 10);
            entrance.accept(far, port).expect("there is room");
            let frame = vec![7; 300 << 10];
            let mut whole = (frame.len() as u32).to_be_bytes().to_vec();
            whole.extend_from_slice(&frame);
            // Larger than the pipe: both ends take turns.
            let (mut reads, mut writes) = tokio::io::split(&mut near);
            let mut answer = vec![0; whole.len()];
            let sent = async { writes.write_all(&whole).await.expect("taken") };
            let received = async { reads.read_exact(&mut answer).await.map(drop).expect("an answer") };
            tokio::join!(sent, received);
            assert_eq!(answer, whole);
            assert_eq!(node.connections.now(), 1);
            drop(near);
            node.wait_until("it is closed", |connections| connections.now() == 0);
        }
        let held: Vec<_> = (0..2).map(|_| tokio::io::duplex(64)).collect();
        let mut ends = Vec::new();
        for (near, far) in held {
            entrance.accept(far, port).expect("there is room");
            ends.push(near);
        }
        let (_near, far) = tokio::io::duplex(64);
        assert!(entrance.accept(far, port).is_err(), "max.connections holds");
        drop(ends);
        node.wait_until("they are closed", |connections| connections.now() == 0);
        node.server.stop();
        let (_near, far) = tokio::io::duplex(64);
        assert!(entrance.accept(far, port).is_err(), "it has stopped");
    });
}
