//! Files that every schema may import without handing them over, besides Google's well-known ones.
//!
//! Definitions are facts of Confluent's serializers (`confluent-kafka-python`, Apache-2.0), in our own words.

/// Tags, documentation and parameters on anything: the option that Schema Registry's clients read.
const META: &str = r#"syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta {
  string doc = 1;
  map<string, string> params = 2;
  repeated string tags = 3;
}
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }
"#;

/// An exact number: the unscaled value, big-endian two's complement.
const DECIMAL: &str = r#"syntax = "proto3";
package confluent.type;
message Decimal {
  bytes value = 1;
  uint32 precision = 2;
  int32 scale = 3;
}
"#;

/// The text of the file called `name`.
pub(super) fn text(name: &str) -> Option<&'static str> {
    match name {
        "confluent/meta.proto" => Some(META),
        "confluent/type/decimal.proto" => Some(DECIMAL),
        _ => None,
    }
}
