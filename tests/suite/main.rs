//! What the product promises: one folder per floor, one file per promise.

mod agents;
mod cli;
mod desks;
mod hub;
mod job;
mod mcp;
mod rpc;
mod store;
mod templates;
mod workspace;
