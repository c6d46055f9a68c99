//! `eyas project …`.

mod pages;
mod trust;

use super::{
    context::{CliContext, heard},
    run::PageArgs,
    table::{ago, details, word},
};
use crate::{
    api::{
        hub::Nothing,
        project::{ProjectApiClient, ProjectName, ProjectRegister, ProjectRename},
    },
    domain::{fault::Fault, project::Project},
};
use clap::Subcommand;
use std::{path::PathBuf, process::ExitCode};

/// Verbs on projects.
#[derive(Debug, Subcommand)]
pub enum ProjectVerb {
    /// Registered projects
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// One project
    Get {
        /// Its name, id or path
        project: String,
    },
    /// Register a directory; its root is the enclosing git work tree
    Register {
        /// The directory
        #[arg(default_value = ".")]
        path: String,
        /// Name for people [default: the directory's]
        #[arg(long)]
        name: Option<String>,
    },
    /// Forget a project; refused while it has open runs
    Unregister {
        /// Its name, id or path
        project: String,
    },
    /// Give a project another name
    Rename {
        /// Its name, id or path
        project: String,
        /// Its new name
        name: String,
    },
    /// Write its .eyas.toml when there is none, and start its agent
    Init {
        /// Its name, id or path
        #[arg(default_value = ".")]
        project: String,
    },
    /// Look at its .eyas.toml and let all of it count; asks again once it has changed
    Trust {
        /// Its name, id or path
        #[arg(default_value = ".")]
        project: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Start its agent, for work to come
    Activate {
        /// Its name, id or path
        #[arg(default_value = ".")]
        project: String,
    },
    /// Work in no project any more
    Deactivate,
    /// End its runs and its warm agents
    Stop {
        /// Its name, id or path
        #[arg(default_value = ".")]
        project: String,
    },
    /// Its conversations
    Sessions {
        /// Its name, id or path
        #[arg(default_value = ".")]
        project: String,
        #[command(flatten)]
        page: PageArgs,
    },
}

pub(super) async fn run(verb: ProjectVerb, context: &CliContext) -> Result<ExitCode, Fault> {
    let client = context.client().await?;
    let named = |typed: &str| ProjectName {
        project: context.project(typed),
    };
    let project = match verb {
        ProjectVerb::List { page } => return pages::projects(&client, page, context).await,
        ProjectVerb::Sessions { project, page } => {
            let project = context.project(&project);
            return pages::sessions(&client, project, page, context).await;
        }
        ProjectVerb::Trust { project, yes } => {
            let project = context.project(&project);
            return trust::run(&client, project, yes, context).await;
        }
        ProjectVerb::Stop { project } => {
            let stopped = heard(client.stop(named(&project)).await)?;
            context.show(&stopped, || {
                let ended = stopped.delegations_ended;
                format!("{}\nended runs  {ended}", full(&stopped.project))
            })?;
            return Ok(ExitCode::SUCCESS);
        }
        ProjectVerb::Deactivate => {
            let left = heard(client.deactivate(Nothing {}).await)?;
            context.show(&left, || {
                left.as_ref()
                    .map_or_else(|| "no project was active".to_owned(), full)
            })?;
            return Ok(ExitCode::SUCCESS);
        }
        ProjectVerb::Get { project } => client.get(named(&project)).await,
        ProjectVerb::Register { path, name } => {
            let path: PathBuf = context.cwd.join(path).components().collect();
            let path = path.to_string_lossy().into_owned();
            client.register(ProjectRegister { path, name }).await
        }
        ProjectVerb::Unregister { project } => client.unregister(named(&project)).await,
        ProjectVerb::Rename { project, name } => {
            let ProjectName { project } = named(&project);
            client.rename(ProjectRename { project, name }).await
        }
        ProjectVerb::Init { project } => client.init(named(&project)).await,
        ProjectVerb::Activate { project } => client.activate(named(&project)).await,
    };
    let project = heard(project)?;
    context.show(&project, || full(&project))?;
    Ok(ExitCode::SUCCESS)
}

fn full(project: &Project) -> String {
    let yes = |is: bool, word: &str| if is { word.to_owned() } else { String::new() };
    details([
        ("name", project.name.clone()),
        ("path", project.path.clone()),
        ("host", project.host.clone().unwrap_or_default()),
        ("status", word(project.status)),
        (
            "served by",
            yes(project.external, "another process; delegations are cold"),
        ),
        (
            "its file",
            match (project.initialized, project.trusted) {
                (false, _) => String::new(),
                (true, false) => "not trusted".to_owned(),
                (true, true) => "trusted".to_owned(),
            },
        ),
        ("open runs", project.delegations.to_string()),
        ("agent", project.agent.clone().unwrap_or_default()),
        (
            "started by",
            yes(project.delegation_spawned, "a delegation"),
        ),
        (
            "pid",
            project.pid.map(|pid| pid.to_string()).unwrap_or_default(),
        ),
        (
            "opened",
            project.last_opened_at.map(ago).unwrap_or_default(),
        ),
        ("id", project.id.to_string()),
    ])
}
