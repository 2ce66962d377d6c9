//! The codec against Apache Kafka's own bytes, and against bytes that nobody would send.

mod codec;
#[path = "../generated/every_message.rs"]
mod every_message;
mod fuzz;
mod golden;
mod honest;
mod refused;
mod views;
