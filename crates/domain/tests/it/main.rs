//! The domain against the fixtures and against chance.

mod asyncapi;
mod fixtures;
mod properties;
mod scenarios;
