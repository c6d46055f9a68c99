//! `eyas project …`.

use super::{
    context::{CliContext, heard},
    run::{PageArgs, more},
    table::{ago, details, table, word},
};
use crate::{
    api::project::{ProjectApiClient, ProjectList, ProjectName, ProjectRegister, ProjectRename},
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
}

pub(super) async fn run(verb: ProjectVerb, context: &CliContext) -> Result<ExitCode, Fault> {
    let client = context.client().await?;
    let named = |typed: &str| context.project(typed);
    let project = match verb {
        ProjectVerb::List { page } => {
            let params = ProjectList {
                cursor: page.cursor,
                limit: page.limit,
            };
            let page = heard(client.list(params).await)?;
            context.show(&page, || list(&page.items, context.terminal.width()))?;
            if !context.json {
                more(
                    page.items.is_empty(),
                    "projects",
                    page.next_cursor.as_deref(),
                );
            }
            return Ok(ExitCode::SUCCESS);
        }
        ProjectVerb::Get { project } => {
            client
                .get(ProjectName {
                    project: named(&project),
                })
                .await
        }
        ProjectVerb::Register { path, name } => {
            let path: PathBuf = context.cwd.join(path).components().collect();
            let path = path.to_string_lossy().into_owned();
            client.register(ProjectRegister { path, name }).await
        }
        ProjectVerb::Unregister { project } => {
            client
                .unregister(ProjectName {
                    project: named(&project),
                })
                .await
        }
        ProjectVerb::Rename { project, name } => {
            client
                .rename(ProjectRename {
                    project: named(&project),
                    name,
                })
                .await
        }
    };
    let project = heard(project)?;
    context.show(&project, || full(&project))?;
    Ok(ExitCode::SUCCESS)
}

fn list(projects: &[Project], width: Option<u16>) -> String {
    let rows = projects.iter().map(|project| {
        [
            project.name.clone(),
            word(project.status),
            project.delegations.to_string(),
            project.agent.clone().unwrap_or_default(),
            project.last_opened_at.map(ago).unwrap_or_default(),
            project.path.clone(),
        ]
    });
    table(
        ["PROJECT", "STATUS", "RUNS", "AGENT", "OPENED", "PATH"],
        rows,
        width,
    )
}

fn full(project: &Project) -> String {
    details([
        ("name", project.name.clone()),
        ("path", project.path.clone()),
        ("status", word(project.status)),
        ("open runs", project.delegations.to_string()),
        ("agent", project.agent.clone().unwrap_or_default()),
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
