//! `eyas delegate`.

use super::{
    args::one_of,
    conclusion,
    context::{CliContext, heard},
    live, misused,
};
use crate::{
    api::run::{Delegate, RunApiClient},
    domain::{
        fault::{ErrorKind, Fault},
        ids::{RunId, SessionId},
        policy::{Asking, PolicyWish, Security},
        retry::Retry,
        run::Mode,
        spent::Budget,
        worktree::Isolation,
    },
};
use clap::Args;
use std::{process::ExitCode, time::Duration};
use tokio::io::AsyncReadExt as _;

/// The longest prompt taken from a pipe, in bytes.
const PROMPT_MAX: u64 = 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  eyas delegate \"what does this project do?\"          the default agent, in this folder
  eyas delegate --to rev \"review the last commit\"     an instance of yours
  git diff | eyas delegate --persona reviewer -       the prompt from a pipe
  eyas delegate --no-wait --label nightly \"…\"         answer at once with the run
  eyas delegate --previous 0199… \"and the tests?\"     go on in the same conversation

While it waits, Ctrl-C leaves the run going.
Exit code: 0 the run succeeded or still goes on, 1 it failed, 2 the command cannot be understood.";

/// What is delegated, to whom, and how long to wait here.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DelegateArgs {
    /// What is to be done, complete in itself; "-" or nothing takes it from a pipe
    prompt: Option<String>,
    /// Instance, by name or id
    #[arg(long, value_name = "NAME", visible_alias = "instance")]
    to: Option<String>,
    /// Persona id, for a delegation without an instance
    #[arg(long, value_name = "ID")]
    persona: Option<String>,
    /// Agent id, which must be installed
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Project by name, id or path [default: this folder]
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// auto: reuse a warm agent or start one; warm: never cold; cold: a process of its own
    #[arg(long, hide_possible_values = true, value_parser = one_of::<Mode, 3>(["auto", "warm", "cold"]))]
    mode: Option<Mode>,
    /// Session to continue
    #[arg(long, value_name = "ID", conflicts_with = "previous")]
    session: Option<SessionId>,
    /// Run whose session to continue
    #[arg(long, value_name = "ID")]
    previous: Option<RunId>,
    /// Wait at most so long [default: to the end]
    #[arg(long, value_name = "MS")]
    wait_ms: Option<u64>,
    /// Answer as soon as the run is on disk
    #[arg(long, conflicts_with = "wait_ms")]
    no_wait: bool,
    /// End the run when it has taken so long
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u64>,
    /// What it may do unasked: deny: nothing but reading; allowlist: edits here, listed commands; full: everything
    #[arg(long, hide_possible_values = true, value_parser = one_of::<Security, 3>(["deny", "allowlist", "full"]))]
    security: Option<Security>,
    /// When you are asked: off: never; on_miss: about what it may not do unasked; always: about everything but reading
    #[arg(long, hide_possible_values = true, value_parser = one_of::<Asking, 3>(["off", "on_miss", "always"]))]
    ask: Option<Asking>,
    /// Deny what you have not answered for so long
    #[arg(long, value_name = "MS")]
    ask_timeout_ms: Option<u64>,
    /// Free text to find it by
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// The same key with the same request gives the same run
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Write in the working tree even while another run does
    #[arg(long)]
    concurrent: bool,
    /// Work in a git worktree and on a branch of its own; then `eyas run diff|apply|keep|drop`
    #[arg(long, conflicts_with = "concurrent")]
    worktree: bool,
    /// Attempts in all when its agent fails: 1 to 20, default 2
    #[arg(long)]
    attempts: Option<u32>,
    /// US dollars that it may cost; reaching them ends it as failed, with its conclusion so far
    #[arg(long)]
    budget_usd: Option<f64>,
}

pub(super) async fn run(args: DelegateArgs, context: &CliContext) -> Result<ExitCode, Fault> {
    let limit = if args.no_wait { Some(0) } else { args.wait_ms };
    let prompt = match from_pipe("prompt", args.prompt.as_deref(), context).await {
        Ok(prompt) => prompt,
        Err(fault) => return Ok(misused(&fault, context)),
    };
    let params = Delegate {
        prompt,
        instance: args.to,
        project: args.project.map(|typed| context.project(&typed)),
        persona: args.persona,
        agent: args.agent,
        mode: args.mode,
        session: args.session,
        previous: args.previous,
        concurrent: args.concurrent,
        timeout_ms: args.timeout_ms,
        idempotency_key: args.key,
        label: args.label,
        lane: None,
        policy: Some(PolicyWish {
            security: args.security,
            ask: args.ask,
            ask_timeout_ms: args.ask_timeout_ms,
        })
        .filter(|wish| *wish != PolicyWish::default()),
        isolation: args.worktree.then_some(Isolation::Worktree),
        retry: args.attempts.map(|max_attempts| Retry {
            max_attempts,
            ..Retry::default()
        }),
        budget: args.budget_usd.map(|usd| Budget {
            cost_usd: Some(usd),
            ..Budget::default()
        }),
        ..Delegate::default()
    };
    let run = heard(context.client().await?.delegate(params).await)?;
    let watched = live::follow(context, run, limit.map(Duration::from_millis)).await?;
    conclusion::show(context, watched)
}

/// What was typed, or what comes from a pipe; `field` is what it is.
pub(super) async fn from_pipe(
    field: &str,
    typed: Option<&str>,
    context: &CliContext,
) -> Result<String, Fault> {
    let text = match typed {
        Some(typed) if typed != "-" => typed.to_owned(),
        None if context.terminal.stdin => String::new(),
        Some(_) | None => piped(field).await?,
    };
    if text.trim().is_empty() {
        return Err(Fault::required(field).hint("say what is to be done, or pipe it in"));
    }
    Ok(text)
}

async fn piped(field: &str) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    tokio::io::stdin()
        .take(PROMPT_MAX + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| Fault::internal(format!("cannot read the {field}: {error}")))?;
    if bytes.len() as u64 > PROMPT_MAX {
        return Err(Fault::new(
            ErrorKind::TooLarge,
            format!("the {field} is larger than 1 MiB"),
        )
        .field(field)
        .hint("write it to a file in the project and name the file"));
    }
    String::from_utf8(bytes)
        .map_err(|error| Fault::invalid(field, format!("is not UTF-8: {error}")))
}
