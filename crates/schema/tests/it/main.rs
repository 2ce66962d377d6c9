//! Integration tests of the schema engine, in one binary.

mod canonical;
mod hostile;
mod json_suite;
mod limits;
mod lint_page;
mod order_event;
