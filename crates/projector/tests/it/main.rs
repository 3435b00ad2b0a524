//! The sources, against files, the in-process broker and a real Kafka.

mod conformance;
mod file;
mod inputs;
mod kafka_mock;
mod kafka_real;
mod reading;
mod sources;
