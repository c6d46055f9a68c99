//! How it is spoken to. A face holds no state: all it knows comes through the API client.

pub mod cli;
pub mod mcp;
pub mod rpc;
pub mod session;
