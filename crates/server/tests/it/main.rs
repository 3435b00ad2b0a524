//! The whole product: stores, pipeline and HTTP together.

mod arrows;
mod chance;
mod commands;
mod compare;
mod drill;
mod drilled;
mod expected;
mod explaining;
mod feeding;
mod filters;
mod http;
mod kafka_kill;
mod keys_and_audit;
mod operated;
mod order;
mod permutations;
mod product;
mod program;
mod self_repair;
mod shrink;
mod steps;
mod tenants;
mod totals;
