//! Projects and their conversations, as tables.

use crate::{
    api::project::{ProjectApiClient, ProjectList, ProjectSession, ProjectSessions},
    domain::{fault::Fault, project::Project},
    faces::cli::{
        context::{CliContext, heard},
        run::{PageArgs, more},
        table::{ago, at, table, word},
    },
};
use jsonrpsee::core::client::Client;
use std::process::ExitCode;

pub(super) async fn projects(
    client: &Client,
    page: PageArgs,
    context: &CliContext,
) -> Result<ExitCode, Fault> {
    let params = ProjectList {
        cursor: page.cursor,
        limit: page.limit,
    };
    let page = heard(client.list(params).await)?;
    context.show(&page, || rows(&page.items, context.terminal.width()))?;
    if !context.json {
        more(
            page.items.is_empty(),
            "projects",
            page.next_cursor.as_deref(),
        );
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn sessions(
    client: &Client,
    project: String,
    page: PageArgs,
    context: &CliContext,
) -> Result<ExitCode, Fault> {
    let params = ProjectSessions {
        project,
        cursor: page.cursor,
        limit: page.limit,
    };
    let page = heard(client.sessions(params).await)?;
    context.show(&page, || {
        conversations(&page.items, context.terminal.width())
    })?;
    if !context.json {
        more(
            page.items.is_empty(),
            "sessions",
            page.next_cursor.as_deref(),
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn rows(projects: &[Project], width: Option<u16>) -> String {
    let rows = projects.iter().map(|project| {
        [
            project.name.clone(),
            if project.external {
                "external".to_owned()
            } else {
                word(project.status)
            },
            project.delegations.to_string(),
            project.agent.clone().unwrap_or_default(),
            project.last_opened_at.map(ago).unwrap_or_default(),
            at(project.path.clone(), project.host.as_deref()),
        ]
    });
    table(
        ["PROJECT", "STATUS", "RUNS", "AGENT", "OPENED", "PATH"],
        rows,
        width,
    )
}

fn conversations(sessions: &[ProjectSession], width: Option<u16>) -> String {
    let rows = sessions.iter().map(|one| {
        [
            one.session.to_string(),
            if one.live { "live" } else { "" }.to_owned(),
            one.agent.clone(),
            one.persona.clone().unwrap_or_default(),
            one.last_run.map(|run| run.to_string()).unwrap_or_default(),
        ]
    });
    table(
        ["SESSION", "OPEN", "AGENT", "PERSONA", "LAST RUN"],
        rows,
        width,
    )
}
