//! The domain against the fixtures and against chance.

mod fixtures;
mod properties;
mod scenarios;
