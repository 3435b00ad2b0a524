//! One file a command.

pub(crate) mod audit;
pub(crate) mod backfill;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod forget_position;
pub(crate) mod generate;
pub(crate) mod keys;
pub(crate) mod rebuild_index;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod verify;
