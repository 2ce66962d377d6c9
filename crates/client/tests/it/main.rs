//! The client against a real broker: `CLIENT_TEST_BOOTSTRAP` names it, Apache Kafka or Ottla. Without it the broker is
//! an Ottla node in this process, and its clients come in without a socket; tests that need other programs, or to kill
//! the broker, then do nothing.

mod admin;
mod compacted;
mod consumer;
mod fake;
mod hostile;
mod many;
mod mixed;
mod network;
mod producer;
mod raw;
mod restart;
mod sim;
mod slow;
mod support;
