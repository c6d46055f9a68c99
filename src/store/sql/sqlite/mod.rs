//! What is SQLite's own: the file, its connections, its schema, its refusals.

pub(super) mod cells;
pub(super) mod check;
pub(super) mod connect;
pub(super) mod connection;
mod copy;
pub(super) mod error;
pub(super) mod file;
#[cfg(test)]
mod plans;
pub(super) mod readers;
pub(super) mod schema;
pub(super) mod upkeep;
