//! `eyas project trust`: first a look, then the word.

use crate::{
    api::project::{ProjectApiClient, ProjectTrust, TrustView},
    domain::fault::Fault,
    faces::cli::{
        context::{CliContext, heard},
        print,
    },
};
use jsonrpsee::core::client::Client;
use std::{io, process::ExitCode};

/// What is trusted is what was shown: the hub refuses when the file has changed in between.
pub(super) async fn run(
    client: &Client,
    project: String,
    yes: bool,
    context: &CliContext,
) -> Result<ExitCode, Fault> {
    let look = ProjectTrust {
        project: project.clone(),
        digest: None,
        dry_run: true,
    };
    let seen = heard(client.trust(look).await)?;
    if !context.json {
        print::out(&shown(&seen))?;
    }
    if !yes && !seen.trusted && !agreed(context)? {
        print::err("not trusted");
        return Ok(ExitCode::FAILURE);
    }
    let word = ProjectTrust {
        project,
        digest: Some(seen.digest),
        dry_run: false,
    };
    let trusted = heard(client.trust(word).await)?;
    context.show(&trusted, || format!("trusted: {}", trusted.path))?;
    Ok(ExitCode::SUCCESS)
}

fn shown(seen: &TrustView) -> String {
    let state = if seen.trusted { " (trusted)" } else { "" };
    format!("{}{state}\n\n{}", seen.path, seen.text.trim_end())
}

fn agreed(context: &CliContext) -> Result<bool, Fault> {
    if !context.terminal.stdin {
        return Err(Fault::required("--yes").hint("nobody is at a terminal to be asked"));
    }
    print::err("Let all of this count for agents in this project? [y/N]");
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(Fault::internal)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
