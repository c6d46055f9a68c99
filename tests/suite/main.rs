//! The promises of Eyas, one file each, by floor.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may stop on what cannot be, and starts the real binary"
)]

mod agents;
mod cli;
mod desks;
mod hub;
mod rpc;
mod store;
mod templates;
mod workspace;
//! What Eyas promises, one file per promise, by floor.

mod mcp;
