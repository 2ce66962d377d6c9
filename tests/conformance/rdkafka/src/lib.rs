//! Nothing of its own: the tests of the rdkafka crate are copied to `tests/` by `run.sh`.
