//! What the product promises: one folder per floor, one file per promise.

#![allow(
    clippy::unwrap_used,
    reason = "a test may end where a promise is broken"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a test is a user of the binary: it starts it and reads where it is"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a promise over many cases is a list, and reads as one"
)]

mod agents;
mod cli;
mod config;
mod depot;
mod desks;
mod hub;
mod job;
mod mcp;
mod rpc;
mod runs;
mod store;
mod templates;
mod workspace;
