//! The whole product: stores, pipeline and HTTP together.

mod arrows;
mod chance;
mod commands;
mod compare;
mod expected;
mod feeding;
mod http;
mod kafka_kill;
mod order;
mod permutations;
mod product;
mod program;
mod self_repair;
mod shrink;
