//! Promises, one file each.

mod agents;
mod store;
