//! DeleteTopics, by name or by id (Kafka's `ControllerApis.deleteTopics`; trap 95).

use std::collections::{HashMap, HashSet};

use protocol::Str;
use protocol::messages::delete_topics_request::DeleteTopicsRequest;
use protocol::messages::delete_topics_response::{DeletableTopicResult, DeleteTopicsResponse};
use protocol::record_schemas::metadata::remove_topic_record::RemoveTopicRecord;
use types::{ErrorCode, Uuid};

use super::Decision;
use crate::MetadataImage;

/// `by_state`: the request is v6 or later, where each topic has a name or an id.
pub fn delete_topics(
    image: &MetadataImage,
    request: &DeleteTopicsRequest,
    by_state: bool,
) -> Decision<DeleteTopicsResponse> {
    let wanted: Vec<(Option<Str>, Uuid)> = if by_state {
        request
            .topics
            .iter()
            .map(|topic| (topic.name.clone(), topic.topic_id))
            .collect()
    } else {
        request
            .topic_names
            .iter()
            .map(|name| (Some(name.clone()), Uuid::ZERO))
            .collect()
    };
    let mut decision = Decision {
        records: Vec::new(),
        response: DeleteTopicsResponse::default(),
    };
    let mut named: HashMap<&(Option<Str>, Uuid), usize> = HashMap::new();
    for key in &wanted {
        *named.entry(key).or_default() += 1;
    }
    let mut removed: HashSet<Uuid> = HashSet::new();
    for key in &wanted {
        // One that comes twice is refused, and told so once.
        let Some(times) = named.remove(key) else {
            continue;
        };
        let (name, id) = key;
        let doubled = 1 < times;
        let mut result = DeletableTopicResult {
            name: name.clone(),
            topic_id: *id,
            ..Default::default()
        };
        match find(image, name, *id, doubled) {
            Ok((name, id)) if removed.insert(id) => {
                result.name = Some(name);
                result.topic_id = id;
                decision.records.push(
                    RemoveTopicRecord {
                        topic_id: id,
                        ..Default::default()
                    }
                    .into(),
                );
            }
            Ok(_) => refuse(
                &mut result,
                ErrorCode::InvalidRequest,
                "the topic is named twice in the request",
            ),
            Err((code, message)) => refuse(&mut result, code, message),
        }
        decision.response.responses.push(result);
    }
    decision
}

fn refuse(result: &mut DeletableTopicResult, code: ErrorCode, message: &str) {
    result.error_code = code.code();
    result.error_message = Some(message.into());
}

fn find(
    image: &MetadataImage,
    name: &Option<Str>,
    id: Uuid,
    doubled: bool,
) -> Result<(Str, Uuid), (ErrorCode, &'static str)> {
    if doubled {
        return Err((
            ErrorCode::InvalidRequest,
            "the topic is named twice in the request",
        ));
    }
    match (name, id.is_zero()) {
        (Some(_), false) => Err((
            ErrorCode::InvalidRequest,
            "a topic has a name and an id, one is wanted",
        )),
        (None, true) => Err((ErrorCode::InvalidRequest, "a topic has neither a name nor an id")),
        (Some(name), true) => {
            let topic = image.topic_by_name(name);
            let missing = (ErrorCode::UnknownTopicOrPartition, "the topic does not exist");
            topic.map(|topic| (name.clone(), topic.id)).ok_or(missing)
        }
        (None, false) => {
            let topic = image
                .topic(id)
                .ok_or((ErrorCode::UnknownTopicId, "no topic has this id"))?;
            Ok((topic.name.as_str().into(), topic.id))
        }
    }
}
