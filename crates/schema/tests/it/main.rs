//! Integration tests of the schema engine, in one binary.

mod canonical;
mod json_suite;
mod limits;
mod lint_page;
mod order_event;
