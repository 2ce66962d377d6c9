//! Integration tests of the schema engine, in one binary.

mod canonical;
mod dice;
mod generated;
mod hostile;
mod json_property;
mod json_suite;
mod limits;
mod lint_page;
mod order_event;
mod protobuf_property;
