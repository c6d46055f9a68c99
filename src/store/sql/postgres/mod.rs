//! What is PostgreSQL's own: its connections, its schema, its refusals, and telling other hubs.
//!
//! One transaction writes at a time, over all hubs: each takes the same advisory lock first. So whatever the statements promise on SQLite they
//! promise here, and the log's cursor is drawn in the order of the commits.

pub(super) mod connect;
pub(super) mod error;
pub(super) mod schema;
pub(super) mod script;
pub(super) mod wake;
