//! Protobuf alone: rules that are known by buf's ids (a public rule set), where the format-neutral rules do not say it.

use super::super::{Example, Input, Needs, Rule, Severity, rule::PROTO, tree::Found, words};
use crate::{Path, Schema};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ENUM_NO_ALLOW_ALIAS",
        severity: Severity::Warning,
        formats: PROTO,
        needs: Needs::Schema,
        asks: "No two values of an enum share a number",
        why: "JSON and generated code know one name for a number",
        fails: Example::proto(
            "syntax = \"proto3\"; enum E { option allow_alias = true; E_UNSPECIFIED = 0; E_NONE = 0; }",
        ),
        passes: Example::proto("syntax = \"proto3\"; enum E { E_UNSPECIFIED = 0; E_NONE = 1; }"),
        check: enums_have_no_alias,
    },
    Rule {
        id: "ENUM_VALUE_PREFIX",
        severity: Severity::Warning,
        formats: PROTO,
        needs: Needs::Schema,
        asks: "Values of an enum begin with the enum's name",
        why: "In C++ and in the package they share one space of names",
        fails: Example::proto("syntax = \"proto3\"; enum Colour { UNSPECIFIED = 0; RED = 1; }"),
        passes: Example::proto(
            "syntax = \"proto3\"; enum Colour { COLOUR_UNSPECIFIED = 0; COLOUR_RED = 1; }",
        ),
        check: values_have_prefix,
    },
    Rule {
        id: "FIELD_NOT_REQUIRED",
        severity: Severity::Warning,
        formats: PROTO,
        needs: Needs::Schema,
        asks: "No field is required",
        why: "A required field can never be removed",
        fails: Example::proto("syntax = \"proto2\"; message A { required int32 x = 1; }"),
        passes: Example::proto("syntax = \"proto2\"; message A { optional int32 x = 1; }"),
        check: nothing_is_required,
    },
    Rule {
        id: "IMPORT_NO_PUBLIC",
        severity: Severity::Warning,
        formats: PROTO,
        needs: Needs::Schema,
        asks: "No import is public",
        why: "Readers would depend on files that they never named",
        fails: Example::proto(
            "syntax = \"proto3\"; import public \"google/protobuf/timestamp.proto\"; message A { google.protobuf.Timestamp at = 1; }",
        ),
        passes: Example::proto(
            "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\"; message A { google.protobuf.Timestamp at = 1; }",
        ),
        check: imports_are_private,
    },
    Rule {
        id: "IMPORT_USED",
        severity: Severity::Warning,
        formats: PROTO,
        needs: Needs::Schema,
        asks: "Every import is used",
        why: "Each one is a reference that must be registered and kept",
        fails: Example::proto(
            "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\"; message A { int32 x = 1; }",
        ),
        passes: Example::proto(
            "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\"; message A { google.protobuf.Timestamp at = 1; }",
        ),
        check: imports_are_used,
    },
    Rule {
        id: "ONEOF_LOWER_SNAKE_CASE",
        severity: Severity::Warning,
        formats: PROTO,
        needs: Needs::Schema,
        asks: "A oneof is named in snake_case",
        why: "It becomes a field in generated code",
        fails: Example::proto("syntax = \"proto3\"; message A { oneof Paid { int32 x = 1; } }"),
        passes: Example::proto("syntax = \"proto3\"; message A { oneof paid { int32 x = 1; } }"),
        check: oneofs_are_snake,
    },
    Rule {
        id: "PACKAGE_VERSION_SUFFIX",
        severity: Severity::Info,
        formats: PROTO,
        needs: Needs::Schema,
        asks: "The package ends with a version, such as v1",
        why: "A version that breaks readers can then live beside the old one",
        fails: Example::proto("syntax = \"proto3\"; package com.example.shop; message A {}"),
        passes: Example::proto("syntax = \"proto3\"; package com.example.shop.v1; message A {}"),
        check: package_has_version,
    },
    Rule {
        id: "RPC_PASCAL_CASE",
        severity: Severity::Warning,
        formats: PROTO,
        needs: Needs::Schema,
        asks: "Services and their methods are named in PascalCase",
        why: "They become classes and functions in generated code",
        fails: Example::proto("syntax = \"proto3\"; message A {} service Orders { rpc put(A) returns (A); }"),
        passes: Example::proto(
            "syntax = \"proto3\"; message A {} service Orders { rpc Put(A) returns (A); }",
        ),
        check: services_are_pascal,
    },
    Rule {
        id: "SYNTAX_SPECIFIED",
        severity: Severity::Warning,
        formats: PROTO,
        needs: Needs::Schema,
        asks: "The file states its syntax",
        why: "Without it, it is proto2, which is rarely meant",
        fails: Example::proto("message A { optional int32 x = 1; }"),
        passes: Example::proto("syntax = \"proto2\"; message A { optional int32 x = 1; }"),
        check: syntax_is_stated,
    },
];

fn file<'a>(input: &'a Input<'_>) -> Option<&'a crate::protobuf::ProtobufSchema> {
    match input.schema {
        Schema::Protobuf(schema) => Some(schema),
        _ => None,
    }
}

fn enums_have_no_alias(input: &Input<'_>, found: &mut Found) {
    for declared in input.enums() {
        let mut seen = std::collections::HashSet::new();
        let shared = declared.symbols.iter().find(|symbol| !seen.insert(symbol.number));
        let allows = declared.props.iter().any(|(name, _)| name == "allow_alias");
        if allows || shared.is_some() {
            found.say(
                &declared.path,
                format!("{} allows two names for a number", declared.name),
                "keep one of them",
            );
        }
    }
}

fn values_have_prefix(input: &Input<'_>, found: &mut Found) {
    for declared in input.enums() {
        let simple = declared.name.rsplit('.').next().unwrap_or_default();
        let prefix = format!("{}_", words::snake(simple).to_uppercase());
        for symbol in declared
            .symbols
            .iter()
            .filter(|symbol| !symbol.name.starts_with(&prefix))
        {
            found.say(
                &symbol.path,
                format!("{} does not begin with {prefix}", symbol.name),
                format!("call it {prefix}{}", symbol.name),
            );
        }
    }
}

fn nothing_is_required(input: &Input<'_>, found: &mut Found) {
    for (_, field) in input.fields().filter(|(_, field)| field.required) {
        found.say(
            &field.path,
            format!("{} is required", field.name),
            "make it optional",
        );
    }
}

fn imports_are_private(input: &Input<'_>, found: &mut Found) {
    let Some(schema) = file(input) else { return };
    for import in schema.file().public_dependencies() {
        found.say(
            &Path::root(),
            format!("{} is imported publicly", import.name()),
            "import it without `public`, here and where it is used",
        );
    }
}

fn imports_are_used(input: &Input<'_>, found: &mut Found) {
    let Some(schema) = file(input) else { return };
    for unused in schema.unused_imports() {
        found.say(
            &Path::root(),
            format!("{unused} is imported and not used"),
            "remove the import",
        );
    }
}

fn oneofs_are_snake(input: &Input<'_>, found: &mut Found) {
    let Some(schema) = file(input) else { return };
    for (path, name, _) in schema
        .oneofs()
        .into_iter()
        .filter(|(_, name, _)| !words::is_snake(name))
    {
        found.say(
            &path,
            format!("{name} is not in snake_case"),
            format!("write {}", words::snake(&name)),
        );
    }
}

fn package_has_version(input: &Input<'_>, found: &mut Found) {
    let Some(schema) = file(input) else { return };
    let last = schema.package().rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix('v').unwrap_or_default();
    let is_version = digits.starts_with(|letter: char| letter.is_ascii_digit());
    if !schema.package().is_empty() && !is_version {
        found.say(
            &Path::root().with("package"),
            format!("the package {} has no version", schema.package()),
            "add .v1 behind it",
        );
    }
}

fn services_are_pascal(input: &Input<'_>, found: &mut Found) {
    let Some(schema) = file(input) else { return };
    for service in schema.file().services() {
        let methods = service
            .methods()
            .map(|method| method.name().to_owned())
            .collect::<Vec<_>>();
        for name in std::iter::once(service.name().to_owned()).chain(methods) {
            if !words::is_pascal(&name) {
                found.say(
                    &Path::root().field(service.name()),
                    format!("{name} is not in PascalCase"),
                    "write every word with a capital",
                );
            }
        }
    }
}

fn syntax_is_stated(input: &Input<'_>, found: &mut Found) {
    let Some(schema) = file(input) else { return };
    let proto = schema.file().file_descriptor_proto();
    let stated = proto.source_code_info.is_none()
        || proto
            .source_code_info
            .iter()
            .flat_map(|info| &info.location)
            .any(|location| location.path == [12]);
    if !stated {
        found.say(
            &Path::root(),
            "the file does not state its syntax",
            "begin with syntax = \"proto3\";",
        );
    }
}
