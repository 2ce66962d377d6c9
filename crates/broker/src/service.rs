//! The broker as connections see it: header, version, dispatch.

use std::sync::Arc;

use net::{Answer, Peer, Request, Service, Start};
use protocol::ApiKey;
use protocol::header::RequestHeader;
use telemetry::Finished;
use tracing::debug;

use crate::Broker;
use crate::api::{self, Call, Lane, Pending};

/// What a connection remembers.
pub struct Session {
    pub peer: Peer,
    /// Batches were queued since the last kick.
    pub queued: bool,
    /// One of them waits for the disk.
    pub wants_sync: bool,
    /// Who the client says it is (ApiVersions v3+).
    pub software: Option<(String, String)>,
}

/// Answers Kafka's requests on a broker listener.
pub struct BrokerService {
    broker: Arc<Broker>,
}

impl BrokerService {
    pub fn new(broker: Arc<Broker>) -> BrokerService {
        BrokerService { broker }
    }
}

impl Service for BrokerService {
    type Session = Session;
    type Pending = Pending;

    fn open(&self, peer: Peer) -> Session {
        Session {
            peer,
            queued: false,
            wants_sync: false,
            software: None,
        }
    }

    fn frame_bytes_max(&self, _: &Session) -> usize {
        // A plaintext listener has no authentication to wait for.
        self.broker.config.socket_request_max_bytes.max(0) as usize
    }

    fn may_overlap(&self, frame: &[u8]) -> bool {
        let key = frame.first_chunk::<2>().map(|bytes| i16::from_be_bytes(*bytes));
        key.and_then(api::find)
            .is_some_and(|row| row.lane == Lane::Overlapping)
    }

    fn start(&self, session: &mut Session, request: Request) -> Start<Pending> {
        let frame = request.frame;
        let (header, body_at) = match RequestHeader::decode_frame(&frame) {
            Ok(decoded) => decoded,
            Err(error) => {
                debug!(peer = %session.peer.address, %error, "a request header does not decode");
                return Start::Done(Answer::Close("a request header does not decode"));
            }
        };
        let Some(row) = api::find(header.api_key) else {
            return Start::Done(Answer::Close("an API that is not served"));
        };
        // An unknown version ends the connection (trap 3), except that ApiVersions answers in v0 (trap 1).
        if !row.versions.contains(&header.api_version) && row.key != ApiKey::ApiVersions {
            return Start::Done(Answer::Close("a version that is not served"));
        }
        (row.start)(&mut Call {
            broker: &self.broker,
            session,
            row,
            header,
            frame,
            body_at,
        })
    }

    fn kick(&self, session: &mut Session) {
        if std::mem::take(&mut session.queued) {
            self.broker.directory.kick();
        }
        if std::mem::take(&mut session.wants_sync) {
            self.broker.directory.request_sync();
        }
    }

    fn finished(&self, request: &Finished) {
        self.broker.requests.finished(request);
    }
}
