//! What can become of a Kafka topic while nobody looks.
