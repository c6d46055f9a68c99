//! The promises of the store on PostgreSQL. Not among what `cargo test` runs: it needs the programs of a server, or the address of one.

#![allow(
    clippy::unwrap_used,
    reason = "a test may end where a promise is broken"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a test is a user: it reads where it is, and starts a server"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a promise over many cases is a list, and reads as one"
)]

mod hub;
mod job;
mod store;
