//! Integration tests of the schema engine, in one binary.

mod canonical;
mod json_suite;
mod limits;
