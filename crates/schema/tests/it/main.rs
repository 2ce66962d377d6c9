//! Integration tests of the schema engine, in one binary.

mod limits;
