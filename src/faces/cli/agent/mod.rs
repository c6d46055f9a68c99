//! `eyas agent …`.

mod install;
mod words;

use super::context::{CliContext, heard};
use crate::{
    api::agent::{AgentAdd, AgentApiClient, AgentId, AgentList, AgentRemove},
    domain::fault::Fault,
};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Verbs on agents.
#[derive(Debug, Subcommand)]
pub enum AgentVerb {
    /// Agents with a definition, and whether each is installed
    List,
    /// One agent
    Get {
        /// Agent id, such as "claude"
        id: String,
    },
    /// Find an agent's program; fails with the command that installs it
    Resolve {
        /// Agent id, such as "claude"
        id: String,
    },
    /// Install an agent into the depot, verified, and pin its version in agents.lock
    #[command(after_help = INSTALL)]
    Install {
        /// Agent id, such as "claude", with a version or none: claude@0.100.0, claude@latest
        agent: String,
    },
    /// Install the newest version that can be had, and pin it; what runs now goes on with the old one
    Update {
        /// Agent id, such as "claude"
        id: String,
    },
    /// Remove a version from the depot, or all of them
    Remove {
        /// Agent id, such as "claude", with a version or none
        agent: String,
    },
    /// Define agents that the public registry of ACP agents lists, or a file like it
    Add(AddArgs),
    /// Start an agent, ask what it can do and whether somebody has logged in, and end it
    Probe {
        /// Agent id, such as "claude"
        id: String,
    },
    /// Let an agent be started again that ended by itself too often; for you, once you have looked at why
    Reset {
        /// Agent id, such as "claude"
        id: String,
    },
    /// Look at all that an agent needs, and probe it; exits 1 if something is wrong
    Doctor {
        /// Agent id, such as "claude"
        id: String,
    },
}

const INSTALL: &str = "\
Without a version: the one that agents.lock pins, else the one that the definition names, else the newest. `latest` is the newest in the
depot, or the newest that can be had when there is none. With EYAS_AGENT_SOURCE=local nothing is fetched.";

/// What is added.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// A file, or an address: the registry, or one agent of it
    from: String,
    /// Ids of the agents to take; none for the only one there is
    ids: Vec<String>,
    /// Write over a definition of yours that has the same id
    #[arg(long)]
    replace: bool,
}

pub(super) async fn run(verb: AgentVerb, context: &CliContext) -> Result<ExitCode, Fault> {
    match verb {
        AgentVerb::Install { agent } => {
            let agent = install::run(&agent, false, context).await?;
            context.show(&agent, || words::installed(&agent))?;
        }
        AgentVerb::Update { id } => {
            let agent = install::run(&id, true, context).await?;
            context.show(&agent, || words::installed(&agent))?;
        }
        AgentVerb::Doctor { id } => {
            let client = context.client().await?;
            let seen = heard(client.doctor(AgentId { id }).await)?;
            context.show(&seen, || words::diagnosis(&seen))?;
            if !seen.sound {
                return Ok(ExitCode::FAILURE);
            }
        }
        verb @ (AgentVerb::List
        | AgentVerb::Get { .. }
        | AgentVerb::Resolve { .. }
        | AgentVerb::Remove { .. }
        | AgentVerb::Add(_)
        | AgentVerb::Reset { .. }
        | AgentVerb::Probe { .. }) => asked(verb, context).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// One question, one answer.
async fn asked(verb: AgentVerb, context: &CliContext) -> Result<(), Fault> {
    let client = context.client().await?;
    match verb {
        AgentVerb::Get { id } => {
            let agent = heard(client.get(AgentId { id }).await)?;
            context.show(&agent, || words::full(&agent))
        }
        AgentVerb::Resolve { id } => {
            let agent = heard(client.resolve(AgentId { id }).await)?;
            let path = agent.path.clone();
            context.show(&agent, || path.unwrap_or_else(|| "inside eyas".to_owned()))
        }
        AgentVerb::Remove { agent } => {
            let (id, version) = install::named(&agent);
            let agent = heard(client.remove(AgentRemove { id, version }).await)?;
            context.show(&agent, || words::full(&agent))
        }
        AgentVerb::Add(AddArgs { from, ids, replace }) => {
            let from = if from.contains("://") {
                from
            } else {
                context.cwd.join(from).to_string_lossy().into_owned()
            };
            let page = heard(client.add(AgentAdd { from, ids, replace }).await)?;
            context.show(&page, || words::list(&page.items, context.terminal.width()))
        }
        AgentVerb::Reset { id } => {
            let reset = heard(client.reset(AgentId { id }).await)?;
            context.show(&reset, || words::reset(&reset))
        }
        AgentVerb::Probe { id } => {
            let probe = heard(client.probe(AgentId { id }).await)?;
            context.show(&probe, || words::probe(&probe))
        }
        AgentVerb::List
        | AgentVerb::Install { .. }
        | AgentVerb::Update { .. }
        | AgentVerb::Doctor { .. } => {
            let page = heard(client.list(AgentList {}).await)?;
            context.show(&page, || words::list(&page.items, context.terminal.width()))
        }
    }
}
