//! A connection as its users see it: requests go in, in order, without waiting; each gives an answer to wait for.
//!
//! Dropping an answer gives up waiting and nothing else: the request was or will be sent, and its answer is read and
//! thrown away, so that the order of the others holds.

use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use protocol::header::{RequestHeader, response_is_flexible};
use protocol::messages::api_versions_request::ApiVersionsRequest;
use protocol::messages::api_versions_response::ApiVersionsResponse;
use protocol::{ApiKey, Budget, Decode, Encode, Reader, Segments, Str};
use smallvec::SmallVec;
use tokio::sync::oneshot;
use tokio::time::Instant;
use types::ErrorCode;

use super::driver::{Outgoing, Queue, drive};
use super::{Request, Versions};
use crate::{ClientConfig, Error, Result};

/// Heap that decoding may take for each byte of an answer; the widest of Kafka's answers needs about 6.
const HEAP_PER_BYTE: usize = 16;
const HEAP_FLOOR_BYTES: usize = 1 << 20;
const SOFTWARE_NAME: &str = "ottla-client";

/// A broker's address, for dialling and for messages.
#[derive(Debug, Clone)]
pub(crate) struct Dialed {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// An open connection. Clones share it; it is closed when the last is dropped and everything asked is answered.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    handle: Arc<Handle>,
    versions: Arc<Versions>,
}

#[derive(Debug)]
struct Handle {
    queue: Arc<Queue>,
    address: Arc<str>,
    client_id: Option<Str>,
    next_id: AtomicI32,
    request_timeout: Duration,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.leave();
    }
}

/// A request's answer on its way.
pub(crate) struct Answer<R> {
    receiver: oneshot::Receiver<Result<Bytes>>,
    key: ApiKey,
    version: i16,
    address: Arc<str>,
    kind: PhantomData<fn() -> R>,
}

impl<R: Decode> Answer<R> {
    /// Waits for the answer and reads it. Dropping this future loses the answer, not the request.
    pub(crate) async fn receive(self) -> Result<R> {
        let gone = || Error::Disconnected {
            address: self.address.to_string(),
            reason: "its runtime was shut down".into(),
        };
        let frame = self.receiver.await.map_err(|_| gone())??;
        decode(self.key, self.version, frame)
    }
}

/// Reads an answer's header and body, under a budget. Bytes behind the body are left alone, as Kafka's clients do.
pub(crate) fn decode<R: Decode>(key: ApiKey, version: i16, frame: Bytes) -> Result<R> {
    let heap = frame
        .len()
        .saturating_mul(HEAP_PER_BYTE)
        .saturating_add(HEAP_FLOOR_BYTES);
    let mut budget = Budget::new(heap);
    let mut reader = Reader::new(frame);
    let mut read = || {
        reader.i32()?;
        if response_is_flexible(key, version) {
            reader.tagged_fields(&mut budget)?;
        }
        R::decode(&mut reader, version, &mut budget)
    };
    read().map_err(|source| Error::Decode { key, version, source })
}

impl Connection {
    /// Dials, learns the broker's versions and authenticates, all within the time to connect.
    pub(crate) async fn open(config: &ClientConfig, to: &Dialed) -> Result<Connection> {
        let address: Arc<str> = format!("{}:{}", to.host, to.port).into();
        let opening = Connection::open_unbounded(config, to, &address);
        match tokio::time::timeout(config.connect_timeout, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(Error::Connect {
                address: address.to_string(),
                source: Arc::new(std::io::Error::new(
                    std::io::ErrorKind::TimedOut,
                    format!("no answer in {:?}", config.connect_timeout),
                )),
            }),
        }
    }

    async fn open_unbounded(config: &ClientConfig, to: &Dialed, address: &Arc<str>) -> Result<Connection> {
        let dialled = config.dialer.dial(&to.host, to.port).await;
        let stream = dialled.map_err(|source| Error::Connect {
            address: address.to_string(),
            source: Arc::new(source),
        })?;
        let queue = Arc::new(Queue::default());
        tokio::spawn(drive(
            stream,
            queue.clone(),
            address.clone(),
            config.response_bytes_max,
        ));
        let mut connection = Connection {
            handle: Arc::new(Handle {
                queue,
                address: address.clone(),
                client_id: Some(Str::from(config.client_id.as_str())),
                next_id: AtomicI32::new(0),
                request_timeout: config.request_timeout,
            }),
            versions: Arc::default(),
        };
        connection.versions = Arc::new(connection.learn_versions().await?);
        if let Some(authenticate) = &config.authenticate {
            let handshake = Handshake {
                connection: &connection,
            };
            authenticate.authenticate(handshake).await?;
        }
        Ok(connection)
    }

    /// Asks in our newest version; a broker that does not have it says so in version 0, and which it has.
    async fn learn_versions(&self) -> Result<Versions> {
        let mut version = *ApiVersionsRequest::VERSIONS.end();
        loop {
            let frame = self.exchange_versions(version).await?;
            let code = frame.get(4..6).and_then(|code| code.first_chunk::<2>()).copied();
            let refused = code.map(i16::from_be_bytes) == Some(ErrorCode::UnsupportedVersion.code());
            let answered = if refused { 0 } else { version };
            let response: ApiVersionsResponse = decode(ApiKey::ApiVersions, answered, frame)?;
            if !refused {
                Error::check(response.error_code, || {
                    format!("{}: ApiVersions", self.handle.address)
                })?;
                return Ok(Versions::new(&response));
            }
            let theirs = Versions::new(&response).of(ApiKey::ApiVersions).unwrap_or(0..=0);
            let lower = (*theirs.end()).min(version - 1);
            if version == 0 {
                return Err(self.broken("it refuses version 0 of ApiVersions"));
            }
            version = lower.max(0);
        }
    }

    async fn exchange_versions(&self, version: i16) -> Result<Bytes> {
        let request = ApiVersionsRequest {
            client_software_name: if 3 <= version {
                SOFTWARE_NAME.into()
            } else {
                Str::default()
            },
            client_software_version: if 3 <= version {
                env!("CARGO_PKG_VERSION").into()
            } else {
                Str::default()
            },
            ..ApiVersionsRequest::default()
        };
        let frame = self.frame(&request, version)?;
        let (sender, receiver) = oneshot::channel();
        self.push(frame, Some(sender), self.handle.request_timeout)?;
        receiver
            .await
            .map_err(|_| self.broken("its runtime was shut down"))?
    }

    fn broken(&self, reason: &str) -> Error {
        Error::Protocol {
            address: self.handle.address.to_string(),
            reason: reason.to_owned(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.handle.queue.is_open()
    }

    pub(crate) fn versions(&self) -> &Arc<Versions> {
        &self.versions
    }

    pub(crate) fn address(&self) -> &str {
        &self.handle.address
    }

    /// The version in which a request would go out.
    pub(crate) fn version_of<Q: Request>(&self, within: &RangeInclusive<i16>) -> Result<i16> {
        self.versions.choose(Q::KEY, within, &self.handle.address)
    }

    /// Queues a request, to be answered within `timeout`. Requests go out in the order of these calls.
    pub(crate) fn send<Q: Request>(
        &self,
        request: &Q,
        within: &RangeInclusive<i16>,
        timeout: Duration,
    ) -> Result<Answer<Q::Response>> {
        let version = self.version_of::<Q>(within)?;
        let frame = self.frame(request, version)?;
        let (sender, receiver) = oneshot::channel();
        self.push(frame, Some(sender), timeout)?;
        Ok(Answer {
            receiver,
            key: Q::KEY,
            version,
            address: self.handle.address.clone(),
            kind: PhantomData,
        })
    }

    /// Queues a request that is not answered (`acks=0`).
    pub(crate) fn send_unanswered<Q: Request>(
        &self,
        request: &Q,
        within: &RangeInclusive<i16>,
    ) -> Result<()> {
        let version = self.version_of::<Q>(within)?;
        let frame = self.frame(request, version)?;
        self.push(frame, None, self.handle.request_timeout)
    }

    fn frame<Q: Request>(&self, request: &Q, version: i16) -> Result<(i32, SmallVec<[Bytes; 3]>)> {
        let correlation_id = self.handle.next_id.fetch_add(1, Ordering::Relaxed) & i32::MAX;
        let header = RequestHeader {
            api_key: Q::KEY.code(),
            api_version: version,
            correlation_id,
            client_id: self.handle.client_id.clone(),
        };
        let mut frame = Segments::frame();
        header.encode(Q::KEY, &mut frame);
        Encode::encode(request, version, &mut frame)?;
        Ok((correlation_id, frame.finish_frame()?))
    }

    fn push(
        &self,
        (correlation_id, pieces): (i32, SmallVec<[Bytes; 3]>),
        answer: Option<oneshot::Sender<Result<Bytes>>>,
        timeout: Duration,
    ) -> Result<()> {
        self.handle.queue.push(Outgoing {
            pieces,
            correlation_id,
            answer,
            deadline: Instant::now() + timeout,
            timeout,
        })
    }
}

/// A connection that is not yet authenticated.
#[derive(Debug)]
pub struct Handshake<'a> {
    connection: &'a Connection,
}

impl Handshake<'_> {
    /// Sends a request and waits for its answer.
    pub async fn call<Q: Request>(&self, request: &Q) -> Result<Q::Response> {
        let timeout = self.connection.handle.request_timeout;
        self.connection
            .send(request, &Q::VERSIONS, timeout)?
            .receive()
            .await
    }

    /// What the broker serves.
    pub fn versions(&self) -> &Versions {
        self.connection.versions()
    }

    /// Host and port as they were dialled.
    pub fn address(&self) -> &str {
        self.connection.address()
    }
}
