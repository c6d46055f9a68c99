//! What is SQLite's own: the file, its connections, its schema, its refusals.

pub(super) mod connect;
pub(super) mod error;
pub(super) mod file;
#[cfg(test)]
mod plans;
pub(super) mod schema;
