//! Answers as frames: size, header, body.

use net::{Answer, Response};
use protocol::{ApiKey, Encode, Segments};
use telemetry::Requests;

use crate::answered;

/// What an answer needs to know of its request.
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    pub key: ApiKey,
    pub version: i16,
    pub correlation_id: i32,
    /// Where the errors of the answer are counted.
    pub requests: &'static Requests,
}

impl Reply {
    /// The body as a frame; large byte fields are sent from where they are.
    pub fn send<T: Encode + 'static>(&self, body: &T) -> Answer {
        answered::count_errors(self.requests, self.key, body);
        self.write(body)
    }

    /// As [`Reply::send`], for a body that is no message of its own and says itself which error codes it has.
    pub fn send_counted(&self, body: &impl Encode, errors: impl Iterator<Item = i16>) -> Answer {
        errors.for_each(|code| self.requests.error(self.key.code(), code));
        self.write(body)
    }

    fn write(&self, body: &impl Encode) -> Answer {
        let mut segments = Segments::frame();
        protocol::header::encode_response_header(self.key, self.version, self.correlation_id, &mut segments);
        let written = body
            .encode(self.version, &mut segments)
            .and_then(|()| segments.finish_frame());
        match written {
            Ok(pieces) => {
                let mut response = Response::default();
                pieces.into_iter().for_each(|piece| response.push(piece));
                Answer::Send(response)
            }
            Err(error) => {
                let (api, version) = (self.key.name(), self.version);
                tracing::error!(
                    api,
                    version,
                    %error,
                    action = "report this: no request should be able to cause it",
                    "an answer cannot be written"
                );
                Answer::Close("an answer could not be written")
            }
        }
    }
}
