//! Promises, one file each.

mod agents;
mod store;
//! The promises of Eyas, one file each, by floor.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may stop on what cannot be, and starts the real binary"
)]

mod cli;
//! Promises, one file each, in the folders of `src/`.

mod desks;
mod templates;
mod workspace;
mod hub;
mod rpc;
