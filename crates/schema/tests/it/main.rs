//! Integration tests of the schema engine, in one binary.

mod json_suite;
mod canonical;
mod limits;
