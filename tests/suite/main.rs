//! Promises, one file each.

mod agents;
