//! The MCP server of our own that a session is given, by which its agent reports, asks and delegates.

use super::link::Link;
use crate::{
    agents::badge::{Badge, Badges},
    domain::{
        agent::McpScope,
        caller::{TOKEN_VARIABLE, Token},
    },
};
use agent_client_protocol::v1::schema::{EnvVariable, McpServer, McpServerStdio};
use std::{collections::BTreeMap, path::PathBuf};

/// What our server offers in a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reporting {
    /// `delegate`, beside `conclude`, `report_progress` and `ask`.
    pub may_delegate: bool,
}

/// How that server is started, and by whose badges it is known. Without it a session has none.
#[derive(Clone, Debug)]
pub struct Equipment {
    /// Our own program.
    pub program: PathBuf,
    /// What it needs to find the hub.
    pub env: BTreeMap<String, String>,
    pub badges: Badges,
}

/// A server that is about to be given to a session, with the badge that it will show.
#[derive(Debug)]
pub(super) struct Given {
    /// Unique: some agents know one server of a name in all their sessions.
    pub(super) name: String,
    pub(super) server: McpServer,
    pub(super) badge: Badge,
    /// It stands among those of other sessions.
    pub(super) crowded: bool,
}

impl Link {
    /// The server for a new session; none where the agent takes none, or no badge can be had.
    pub(super) fn given(&self, reporting: Option<Reporting>) -> Option<Given> {
        let (reporting, equipped) = (reporting?, self.equipment()?);
        let crowded = match equipped.scope {
            McpScope::Session => false,
            McpScope::Process => true,
            McpScope::None => return None,
        };
        let minted = equipped.equipment.badges.mint(self.process().pid());
        match minted {
            Ok((badge, token)) => {
                let name = name();
                let server = equipped.equipment.server(&name, reporting, token);
                Some(Given {
                    name,
                    server,
                    badge,
                    crowded,
                })
            }
            Err(error) => {
                tracing::warn!(%error, "a session is opened without tools of ours");
                None
            }
        }
    }
}

impl Equipment {
    fn server(&self, name: &str, reporting: Reporting, token: Token) -> McpServer {
        let mut args = vec!["session-tools".to_owned()];
        if reporting.may_delegate {
            args.push("--may-delegate".to_owned());
        }
        let env = self
            .env
            .iter()
            .map(|(name, value)| EnvVariable::new(name.clone(), value.clone()))
            .chain([EnvVariable::new(TOKEN_VARIABLE, token.0)]);
        McpServer::Stdio(
            McpServerStdio::new(name, &self.program)
                .args(args)
                .env(env.collect()),
        )
    }
}

/// Its own beginning is what policies name; the rest is the random end of an id.
pub(in crate::agents) fn name() -> String {
    let id = crate::stdx::mint().simple().to_string();
    format!("eyas_{}", &id[id.len() - 8..])
}
