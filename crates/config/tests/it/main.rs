//! The table and what is described from it, against facts taken from Apache Kafka 4.3.1 (`kafka_4_3_1/`), the
//! reference page, and files of arbitrary bytes.

mod files;
mod kafka;
mod page;
