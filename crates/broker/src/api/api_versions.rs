//! ApiVersions (key 18), v0-v4.
//!
//! An unknown version is answered in the v0 format with UNSUPPORTED_VERSION, so that the client can try again
//! (trap 1). The response header is always v0 (trap 2). Features carry a real epoch (trap 7).

use net::{Answer, Start};
use protocol::messages::api_versions_request::ApiVersionsRequest;
use protocol::messages::api_versions_response::{
    ApiVersion, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use types::ErrorCode;

use super::{APIS, Call, Pending};
use crate::respond::Reply;

/// The first version that names the client's software.
const SOFTWARE_FROM: i16 = 3;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    if !call.row.versions.contains(&call.version()) {
        let reply = Reply {
            version: 0,
            ..call.reply()
        };
        return Start::Done(reply.send(&table(ErrorCode::UnsupportedVersion)));
    }
    let request: ApiVersionsRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    Start::Done(handle(call, &request))
}

fn handle(call: &mut Call<'_>, request: &ApiVersionsRequest) -> Answer {
    if SOFTWARE_FROM <= call.version() {
        let (name, version) = (&request.client_software_name, &request.client_software_version);
        if !is_software_word(name) || !is_software_word(version) {
            let refused = ApiVersionsResponse {
                error_code: ErrorCode::InvalidRequest.code(),
                ..ApiVersionsResponse::default()
            };
            return call.reply().send(&refused);
        }
        call.session.software = Some((name.to_string(), version.to_string()));
    }
    let mut response = table(ErrorCode::None);
    let image = call.broker.image();
    for feature in image.features() {
        response.supported_features.push(SupportedFeatureKey {
            name: feature.name.into(),
            min_version: feature.supported_min,
            max_version: feature.supported_max,
            ..SupportedFeatureKey::default()
        });
        if 0 < feature.finalized {
            response.finalized_features.push(FinalizedFeatureKey {
                name: feature.name.into(),
                min_version_level: feature.finalized,
                max_version_level: feature.finalized,
                ..FinalizedFeatureKey::default()
            });
        }
    }
    response.finalized_features_epoch = image.offset().0;
    // Before v4 a lowest version of 0 could not be said for features (KIP-1022): such rows are left out.
    if call.version() < 4 {
        response
            .supported_features
            .retain(|feature| feature.min_version != 0);
    }
    call.reply().send(&response)
}

fn table(code: ErrorCode) -> ApiVersionsResponse {
    let row = |row: &super::Row| ApiVersion {
        api_key: row.key.code(),
        min_version: *row.versions.start(),
        max_version: *row.versions.end(),
        ..ApiVersion::default()
    };
    // Kafka names only its own row when it refuses a version.
    let named = |row: &&super::Row| code.is_ok() || row.key == protocol::ApiKey::ApiVersions;
    let api_keys = APIS.iter().filter(named).map(row).collect();
    ApiVersionsResponse {
        error_code: code.code(),
        api_keys,
        ..ApiVersionsResponse::default()
    }
}

/// `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?` (trap 6).
fn is_software_word(word: &str) -> bool {
    let bytes = word.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner)
}

#[cfg(test)]
mod tests {
    use super::is_software_word;

    #[test]
    fn software_names_follow_the_rule() {
        for good in ["a", "librdkafka", "apache-kafka-java", "4.3.1", "a-b.c"] {
            assert!(is_software_word(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a b", "a_b", ".", "ä"] {
            assert!(!is_software_word(bad), "{bad}");
        }
    }
}
