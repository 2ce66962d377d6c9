//! One schema of any of the three formats.

use crate::{
    Format, Limits, SchemaError, Source, avro::AvroSchema, json::JsonSchema, outline::Outline,
    protobuf::ProtobufSchema,
};

/// A parsed schema with everything it refers to.
#[derive(Debug, Clone)]
pub enum Schema {
    Avro(AvroSchema),
    Json(JsonSchema),
    Protobuf(ProtobufSchema),
}

impl Schema {
    /// Parses under the default limits.
    ///
    /// ```
    /// use schema::{Format, Schema, Source};
    /// let schema = Schema::parse(&Source::new(Format::Avro, r#""long""#))?;
    /// assert_eq!(schema.format(), Format::Avro);
    /// let error = Schema::parse(&Source::new(Format::Avro, r#""lung""#)).unwrap_err();
    /// assert!(error.what.contains("lung"));
    /// # Ok::<(), schema::SchemaError>(())
    /// ```
    pub fn parse(source: &Source) -> Result<Schema, SchemaError> {
        Schema::parse_within(source, &Limits::default())
    }

    /// Parses under the given limits.
    pub fn parse_within(source: &Source, limits: &Limits) -> Result<Schema, SchemaError> {
        match source.format {
            Format::Avro => AvroSchema::parse_source(source, limits).map(Schema::Avro),
            Format::Json => JsonSchema::parse_source(source, limits).map(Schema::Json),
            Format::Protobuf => ProtobufSchema::parse_source(source, limits).map(Schema::Protobuf),
        }
    }

    /// The language that it is written in.
    pub fn format(&self) -> Format {
        match self {
            Schema::Avro(_) => Format::Avro,
            Schema::Json(_) => Format::Json,
            Schema::Protobuf(_) => Format::Protobuf,
        }
    }

    /// The text that is compared and stored when `normalize` is asked for: equal for schemas that mean the same.
    pub fn normal_text(&self) -> String {
        match self {
            Schema::Avro(schema) => schema.normal_text(),
            Schema::Json(schema) => schema.normal_text(),
            Schema::Protobuf(schema) => schema.normal_text(),
        }
    }

    /// The format-neutral view that lint, diff and search walk.
    pub fn outline(&self) -> Outline {
        match self {
            Schema::Avro(schema) => schema.outline(),
            Schema::Json(schema) => schema.outline(),
            Schema::Protobuf(schema) => schema.outline(),
        }
    }
}
