//! Messages as bytes and as JSON.

use prost_reflect::{
    DeserializeOptions, DynamicMessage, MessageDescriptor, ReflectMessage as _, SerializeOptions,
    prost::Message as _,
};
use serde_json::Value;

use super::ProtobufSchema;

/// Why bytes or JSON are no message of a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    #[error("no {message}: {why}")]
    Bytes { message: String, why: String },
    #[error("no {message} in JSON: {why}")]
    Json { message: String, why: String },
    #[error("{message} lacks the required field {field}")]
    Required { message: String, field: String },
}

impl ProtobufSchema {
    /// Reads a message; fields that the type does not know are kept.
    pub fn decode(&self, message: &MessageDescriptor, bytes: &[u8]) -> Result<DynamicMessage, ValueError> {
        let value = DynamicMessage::decode(message.clone(), bytes).map_err(|error| ValueError::Bytes {
            message: message.full_name().to_owned(),
            why: error.to_string(),
        })?;
        check_required(&value)?;
        Ok(value)
    }

    /// Reads a message and shows it in Protobuf's JSON mapping.
    pub fn decode_json(&self, message: &MessageDescriptor, bytes: &[u8]) -> Result<Value, ValueError> {
        self.to_json(&self.decode(message, bytes)?)
    }

    /// A message in Protobuf's JSON mapping: lower camel case, 64-bit integers as strings, well-known types by theirs.
    pub fn to_json(&self, value: &DynamicMessage) -> Result<Value, ValueError> {
        value
            .serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())
            .map_err(|error| ValueError::Json {
                message: value.descriptor().full_name().to_owned(),
                why: error.to_string(),
            })
    }

    /// A message from Protobuf's JSON mapping; members that the type does not know are refused.
    pub fn from_json(&self, message: &MessageDescriptor, json: &Value) -> Result<DynamicMessage, ValueError> {
        let options = DeserializeOptions::new();
        let value = DynamicMessage::deserialize_with_options(message.clone(), json, &options);
        let value = value.map_err(|error| ValueError::Json {
            message: message.full_name().to_owned(),
            why: error.to_string(),
        })?;
        check_required(&value)?;
        Ok(value)
    }

    /// The bytes of a message given in Protobuf's JSON mapping.
    pub fn encode_json(&self, message: &MessageDescriptor, json: &Value) -> Result<Vec<u8>, ValueError> {
        Ok(self.from_json(message, json)?.encode_to_vec())
    }
}

/// proto2's `required` holds for the message and for every message inside it.
fn check_required(value: &DynamicMessage) -> Result<(), ValueError> {
    let descriptor = value.descriptor();
    for field in descriptor
        .fields()
        .filter(|field| field.cardinality() == prost_reflect::Cardinality::Required)
    {
        if !value.has_field(&field) {
            let (message, field) = (descriptor.full_name().to_owned(), field.name().to_owned());
            return Err(ValueError::Required { message, field });
        }
    }
    value.fields().try_for_each(|(_, inner)| check_inside(inner))
}

/// Depth is bounded by the decoder's own limit of 100.
fn check_inside(value: &prost_reflect::Value) -> Result<(), ValueError> {
    match value {
        prost_reflect::Value::Message(message) => check_required(message),
        prost_reflect::Value::List(items) => items.iter().try_for_each(check_inside),
        prost_reflect::Value::Map(entries) => entries.values().try_for_each(check_inside),
        _ => Ok(()),
    }
}
