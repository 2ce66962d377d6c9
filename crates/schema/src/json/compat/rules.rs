//! The legal way for every finding, and what the policy LENIENT lets pass.

/// Findings that Schema Registry's policy LENIENT does not count.
pub const LENIENT_ALLOWS: &[&str] = &[
    "ADDITIONAL_ITEMS_NARROWED",
    "ADDITIONAL_ITEMS_REMOVED",
    "ADDITIONAL_PROPERTIES_NARROWED",
    "ADDITIONAL_PROPERTIES_REMOVED",
    "ITEM_ADDED_TO_OPEN_CONTENT_MODEL",
    "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL",
    "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
    "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
    "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
    "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
    "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL",
    "UNEVALUATED_ITEMS_REMOVED",
    "UNEVALUATED_PROPERTIES_NARROWED",
    "UNEVALUATED_PROPERTIES_REMOVED",
];

/// How to reach the goal legally.
pub(super) fn how(rule: &str) -> &'static str {
    match rule {
        "TYPE_CHANGED" | "TYPE_NARROWED" => {
            "keep the types that were allowed, and add the new one to the list"
        }
        "ENUM_ARRAY_CHANGED" | "ENUM_ARRAY_NARROWED" => {
            "keep every value that was allowed: an enum may only grow"
        }
        "REQUIRED_ATTRIBUTE_ADDED" => "leave the property optional, or give it a default",
        "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"
        | "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL" => {
            "add the property as optional, or with a default"
        }
        "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"
        | "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL" => {
            "older data may hold anything under this name: close the old version first (additionalProperties: false), \
             or add the property without a constraint"
        }
        "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            "let the new property accept what additionalProperties and patternProperties accepted for it"
        }
        "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL" => {
            "keep the property, deprecated, or open the model first"
        }
        "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            "let additionalProperties accept what the property held"
        }
        "ADDITIONAL_PROPERTIES_REMOVED" | "ADDITIONAL_PROPERTIES_NARROWED" => {
            "keep additionalProperties as wide as it was"
        }
        "UNEVALUATED_PROPERTIES_REMOVED" | "UNEVALUATED_PROPERTIES_NARROWED" => {
            "keep unevaluatedProperties as wide as it was"
        }
        "ADDITIONAL_ITEMS_REMOVED" | "ADDITIONAL_ITEMS_NARROWED" | "UNEVALUATED_ITEMS_REMOVED" => {
            "keep accepting the items that were allowed"
        }
        "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL" => "keep the item's schema, or accept further items",
        "ITEM_ADDED_TO_OPEN_CONTENT_MODEL" => {
            "add the item without a constraint, or close the old version first"
        }
        "UNIQUE_ITEMS_ADDED" => "leave uniqueItems out: older data may repeat",
        "SUM_TYPE_NARROWED" | "COMBINED_TYPE_SUBSCHEMAS_CHANGED" => {
            "keep every branch that was there, as wide as it was; branches may be added"
        }
        "NOT_TYPE_EXTENDED" => "exclude no more than before",
        "CONDITION_CHANGED" => "keep the condition, and widen what then and else ask for",
        "DEPENDENCY_ARRAY_ADDED" | "DEPENDENCY_ARRAY_EXTENDED" | "DEPENDENCY_SCHEMA_ADDED" => {
            "ask for nothing more when the property is present"
        }
        "PROPERTY_NAMES_NARROWED" => "keep accepting the names that were allowed",
        "PATTERN_ADDED" | "PATTERN_CHANGED" => {
            "leave the pattern out, or keep it as it was: whether another one is wider cannot be told"
        }
        "MULTIPLE_OF_ADDED" | "MULTIPLE_OF_EXPANDED" | "MULTIPLE_OF_CHANGED" => {
            "keep the step, or take one that divides it"
        }
        _ => "keep the bound as wide as it was, or drop it",
    }
}
