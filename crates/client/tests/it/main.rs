//! The client against a real broker: `CLIENT_TEST_BOOTSTRAP` names it, Apache Kafka or Ottla. Without it these tests
//! do nothing, since they would have nobody to talk to.

mod admin;
mod consumer;
mod fake;
mod hostile;
mod many;
mod mixed;
mod producer;
mod restart;
mod sim;
mod support;
