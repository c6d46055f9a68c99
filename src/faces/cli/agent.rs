//! `eyas agent …`.

use super::{
    context::{CliContext, heard},
    table::{details, table},
};
use crate::{
    api::agent::{AgentApiClient, AgentId, AgentList},
    domain::{agent::Agent, fault::Fault},
};
use clap::Subcommand;
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
}

pub(super) async fn run(verb: AgentVerb, context: &CliContext) -> Result<ExitCode, Fault> {
    let client = context.client().await?;
    match verb {
        AgentVerb::List => {
            let page = heard(client.list(AgentList {}).await)?;
            context.show(&page, || list(&page.items, context.terminal.width()))?;
        }
        AgentVerb::Get { id } => {
            let agent = heard(client.get(AgentId { id }).await)?;
            context.show(&agent, || full(&agent))?;
        }
        AgentVerb::Resolve { id } => {
            let agent = heard(client.resolve(AgentId { id }).await)?;
            let path = agent.path.clone();
            context.show(&agent, || path.unwrap_or_else(|| "inside eyas".to_owned()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(agents: &[Agent], width: Option<u16>) -> String {
    let rows = agents.iter().map(|agent| {
        let place = if agent.installed {
            agent.path.clone().unwrap_or_default()
        } else {
            agent
                .definition
                .install
                .clone()
                .map(|how| format!("install: {how}"))
                .unwrap_or_default()
        };
        let installed = if agent.installed { "yes" } else { "no" };
        [
            agent.definition.id.clone(),
            installed.to_owned(),
            agent.definition.name.clone(),
            place,
        ]
    });
    table(["AGENT", "INSTALLED", "NAME", "WHERE"], rows, width)
}

fn full(agent: &Agent) -> String {
    let definition = &agent.definition;
    let launch = &definition.launch;
    details([
        ("id", definition.id.clone()),
        ("name", definition.name.clone()),
        (
            "installed",
            if agent.installed { "yes" } else { "no" }.to_owned(),
        ),
        ("path", agent.path.clone().unwrap_or_default()),
        (
            "launch",
            [std::slice::from_ref(&launch.command), &launch.args]
                .concat()
                .join(" "),
        ),
        ("sees", definition.env.pass.join(" ")),
        ("needs", definition.env.required.join(" ")),
        ("install", definition.install.clone().unwrap_or_default()),
    ])
}
