//! The MCP server that an agent is given with a session: by its tools the agent reports, asks, and delegates.
//!
//! It is started by the agent, knows whose it is by a token in its environment, and holds nothing else: each call goes to the hub on a
//! connection of its own, so that a call that is cancelled is taken back there, and a session that only might be needed is no peer. The wire
//! is that of [`super::mcp`].

mod handler;
mod texts;
mod tools;
mod way;

use super::mcp;
use crate::hub::join::Connection;
use handler::Tools;
use std::process::ExitCode;
use way::Way;

/// What the agent's role lets it do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// `delegate`, beside the others.
    pub may_delegate: bool,
}

/// Serves the agent on standard input and output until these end, or the agent does.
pub async fn serve(connection: Connection, offer: Offer) -> ExitCode {
    mcp::on_stdio(|closing| Tools::new(Way::new(connection, closing), offer)).await
}
