//! The index on a disk: what is found, in which order, what survives, and what is refused.

mod damage;
mod durability;
mod found;
mod large;
mod support;
mod walks;
