//! What tests of several crates share: the reference model and the histories that try to break the stores.

pub mod histories;
pub mod kafka;
pub mod oracle;
