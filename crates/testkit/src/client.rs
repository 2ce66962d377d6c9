//! A client that sends what it is told and reads what comes back.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use protocol::header::{RequestHeader, response_is_flexible};
use protocol::{ApiKey, Budget, Decode, Encode, Reader, Segments};
use record::{BatchBuilder, BatchOptions};

/// How long an answer may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Client {
    stream: TcpStream,
    correlation_id: i32,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("the node listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a real socket");
        stream.set_nodelay(true).expect("a real socket");
        Client {
            stream,
            correlation_id: 0,
        }
    }

    /// Sends a request and does not wait. Gives its correlation id.
    pub fn send(&mut self, key: ApiKey, version: i16, request: &impl Encode) -> i32 {
        let mut body = Segments::new();
        request
            .encode(version, &mut body)
            .expect("the version can say it");
        self.send_raw(key, version, &body.into_bytes())
    }

    /// Sends a body as it is behind a good header.
    pub fn send_raw(&mut self, key: ApiKey, version: i16, body: &[u8]) -> i32 {
        self.correlation_id += 1;
        let header = RequestHeader {
            api_key: key.code(),
            api_version: version,
            correlation_id: self.correlation_id,
            client_id: Some("test".into()),
        };
        let mut frame = Segments::frame();
        header.encode(key, &mut frame);
        frame.put_slice(body);
        let pieces = frame.finish_frame().expect("small");
        pieces.iter().for_each(|piece| self.send_bytes(piece));
        self.correlation_id
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the connection is open");
    }

    /// The next frame without its size, or `None` if the node closed the connection.
    pub fn receive_frame(&mut self) -> Option<Bytes> {
        let mut size = [0; 4];
        match self.stream.read_exact(&mut size) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("no answer in {PATIENCE:?}")
            }
            Err(_) => return None,
        }
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(size)).expect("a size")];
        self.stream.read_exact(&mut frame).expect("a whole frame");
        Some(frame.into())
    }

    /// The next answer: its correlation id and body.
    pub fn receive<R: Decode>(&mut self, key: ApiKey, version: i16) -> (i32, R) {
        let frame = self.receive_frame().expect("an answer");
        let mut budget = Budget::new(64 << 20);
        let mut reader = Reader::new(frame);
        let correlation_id = reader.i32().expect("a header");
        if response_is_flexible(key, version) {
            reader.tagged_fields(&mut budget).expect("a header");
        }
        let body = R::decode(&mut reader, version, &mut budget).expect("an answer of this version");
        reader.finished().expect("nothing after the answer");
        (correlation_id, body)
    }

    /// Sends and waits for the answer.
    pub fn ask<R: Decode>(&mut self, key: ApiKey, version: i16, request: &impl Encode) -> R {
        let sent = self.send(key, version, request);
        let (answered, response) = self.receive(key, version);
        assert_eq!(sent, answered, "answers come in the order of requests");
        response
    }

    /// Whether the node has closed the connection, within the time for an answer.
    pub fn is_closed(&mut self) -> bool {
        self.receive_frame().is_none()
    }
}

/// A batch of `count` records with values `value-0`, `value-1`, ...
pub fn batch(count: usize) -> Bytes {
    batch_of(count, BatchOptions::default())
}

/// The same with options, such as a producer.
pub fn batch_of(count: usize, options: BatchOptions) -> Bytes {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    let mut builder = BatchBuilder::new(options);
    for index in 0..count {
        let value = format!("value-{index}");
        builder.push(
            now.as_millis() as i64 + index as i64,
            Some(b"key"),
            Some(value.as_bytes()),
        );
    }
    builder.build().expect("memory suffices")
}
