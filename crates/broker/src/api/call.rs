//! One request on its way to its API's file.

use std::sync::Arc;

use bytes::Bytes;
use net::Answer;
use protocol::header::RequestHeader;
use protocol::{Budget, Decode, DecodeError, Reader, Str};
use tracing::debug;

use super::Row;
use crate::Broker;
use crate::respond::Reply;
use crate::service::Session;

/// A request whose header is read and whose version is served.
pub struct Call<'a> {
    pub broker: &'a Arc<Broker>,
    pub session: &'a mut Session,
    pub row: &'static Row,
    pub header: RequestHeader,
    /// The whole frame; records are slices of it.
    pub frame: Bytes,
    /// Where the body begins.
    pub body_at: usize,
}

impl Call<'_> {
    pub fn version(&self) -> i16 {
        self.header.api_version
    }

    pub fn reply(&self) -> Reply {
        Reply {
            key: self.row.key,
            version: self.header.api_version,
            correlation_id: self.header.correlation_id,
            requests: self.broker.requests,
        }
    }

    fn body(&self) -> Bytes {
        self.frame.slice(self.body_at.min(self.frame.len())..)
    }

    /// The body as an owned message. A body that does not decode ends the connection, as in Kafka.
    pub fn decode<T: Decode>(&self) -> Result<T, Answer> {
        let mut budget = Budget::after_authentication(self.frame.len());
        let mut reader = Reader::new(self.body());
        T::decode(&mut reader, self.version(), &mut budget).map_err(|error| self.undecodable(&error))
    }

    /// The body as a view that borrows from the frame, a clone of this call's, and allocates nothing.
    pub fn decode_view<'f, T>(
        &self,
        frame: &'f Bytes,
        decode: impl FnOnce(&'f [u8], i16) -> Result<T, DecodeError>,
    ) -> Result<T, Answer> {
        let body = frame.get(self.body_at..).unwrap_or_default();
        decode(body, self.version()).map_err(|error| self.undecodable(&error))
    }

    fn undecodable(&self, error: &DecodeError) -> Answer {
        let (api, version, peer) = (self.row.key.name(), self.version(), self.session.peer.address);
        debug!(%peer, api, version, %error, "a request does not decode");
        Answer::Close("a request does not decode")
    }

    /// A copy of a view's text that outlives the frame.
    pub fn str(&self, text: &str) -> Str {
        Str::from(text)
    }
}
