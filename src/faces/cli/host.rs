//! `eyas host …`.

use super::{
    context::{CliContext, heard},
    table::{ago, table, word},
};
use crate::{
    api::{
        host::{HostApiClient as _, HostDrain, HostForget},
        hub::Nothing,
    },
    domain::{
        fault::Fault,
        host::{Forgotten, Host},
    },
};
use clap::{Args, Subcommand};
use std::{collections::BTreeMap, fmt::Write as _, process::ExitCode};

/// Verbs on the machines that share a database.
#[derive(Debug, Subcommand)]
pub enum HostVerb {
    /// Machines that share the database, and whether their hubs are there
    List,
    /// Let a machine begin nothing new; what it has begun goes on to its end
    Drain {
        /// Its name or id
        host: String,
        /// Let it take work again
        #[arg(long)]
        off: bool,
    },
    /// Give what waits for a machine that is gone for good to another one
    Forget(ForgetArgs),
}

const FORGET: &str = "\
Only runs of projects that the other machine has are given to it: those at the same path, and those named here.
What it has no project for stays where it is, and is named. Once the project is registered there, say it again.

Example:
  eyas host forget old-laptop --to desk --project /home/me/p=/srv/p";

/// What is forgotten.
#[derive(Debug, Args)]
#[command(after_help = FORGET)]
pub struct ForgetArgs {
    /// Its name or id
    host: String,
    /// Name or id of the machine that gets its queued runs
    #[arg(long, value_name = "HOST")]
    to: String,
    /// A project there and the one that stands in for it; may be repeated
    #[arg(long = "project", value_name = "THERE=HERE", value_parser = pair)]
    projects: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((there, here)) if !there.is_empty() && !here.is_empty() => {
            Ok((there.to_owned(), here.to_owned()))
        }
        _ => Err("two projects with `=` between them".to_owned()),
    }
}

pub(super) async fn run(verb: HostVerb, context: &CliContext) -> Result<ExitCode, Fault> {
    let client = context.client().await?;
    match verb {
        HostVerb::List => {
            let page = heard(client.list(Nothing {}).await)?;
            context.show(&page, || all(&page.items, context.terminal.width()))?;
        }
        HostVerb::Drain { host, off } => {
            let host = heard(client.drain(HostDrain { host, off }).await)?;
            context.show(&host, || line(&host))?;
        }
        HostVerb::Forget(args) => {
            let forget = HostForget {
                host: args.host,
                to: args.to,
                projects: args.projects.into_iter().collect::<BTreeMap<_, _>>(),
            };
            let done = heard(client.forget(forget).await)?;
            context.show(&done, || told(&done))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn all(hosts: &[Host], width: Option<u16>) -> String {
    let rows = hosts.iter().map(|host| {
        [
            host.name.clone(),
            state(host),
            host.running.to_string(),
            host.queued.to_string(),
            ago(host.seen_at),
            host.version.clone(),
            host.home.clone(),
        ]
    });
    let header = [
        "HOST", "STATE", "RUNNING", "QUEUED", "SEEN", "VERSION", "HOME",
    ];
    table(header, rows, width)
}

/// For one line of what the hub says of itself.
pub(super) fn line(host: &Host) -> String {
    format!(
        "{} · {} · {} running · {} queued",
        host.name,
        state(host),
        host.running,
        host.queued
    )
}

fn state(host: &Host) -> String {
    let own = if host.own { ", this one" } else { "" };
    let draining = if host.draining { ", draining" } else { "" };
    format!("{}{draining}{own}", word(host.state))
}

fn told(done: &Forgotten) -> String {
    let mut text = format!(
        "{} is forgotten: {} runs wait for the other one now",
        done.host.name,
        done.moved.len()
    );
    for left in &done.left {
        // Writing to a string cannot fail.
        write!(text, "\n  {} stays: {}", left.run, left.why).ok();
    }
    text
}
