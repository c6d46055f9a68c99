//! The command line: a verb is parsed, spoken to the hub through the API's client, and its answer printed.
//!
//! Invariants: [`args`] has no effects; [`mod@print`] is the only place of the whole program that prints; what agents and people wrote reaches
//! a terminal with its control characters taken out.

mod agent;
mod answer;
mod args;
mod conclusion;
mod config;
mod context;
mod delegate;
mod demo;
mod fields;
mod host;
mod hub;
mod input;
mod install;
mod instance;
mod live;
mod names;
mod persona;
pub mod print;
mod project;
mod run;
mod schedule;
mod store;
mod table;
mod terminal;
mod tree;
mod worktree;

pub use args::{Cli, Flags, Job, Verb};
pub use context::{CliContext, InProcess};
pub use host::HostVerb;
pub use hub::HubVerb;
pub use store::StoreVerb;
pub use terminal::Terminal;

use crate::domain::fault::Fault;
use clap::{CommandFactory as _, Parser as _};
use std::{ffi::OsString, process::ExitCode};

/// The exit code of a command line that cannot be acted on, as clap has it.
const USAGE: u8 = 2;

/// Reads a command line, its first word the program. What cannot be read, and what only asks for help, is answered at once.
///
/// # Errors
/// The exit code to end with: 0 after help, 2 after a usage error.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<(Flags, Job), ExitCode> {
    Cli::try_parse_from(words).map(Cli::job).map_err(|error| {
        // Nobody is left to tell when stderr is gone.
        drop(error.print());
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE))
    })
}

/// Speaks one verb and prints its answer.
///
/// # Errors
/// The hub's fault, or one of reading and writing here; [`report`] turns it into words and an exit code.
pub async fn run(verb: Verb, context: &CliContext) -> Result<ExitCode, Fault> {
    match verb {
        Verb::Host(verb) => host::run(verb, context).await,
        Verb::Hub(verb) => hub::run(verb, context).await,
        Verb::Config => config::run(context),
        Verb::Delegate(args) => delegate::run(*args, context).await,
        Verb::Persona(verb) => persona::run(verb, context).await,
        Verb::Instance(verb) => instance::run(verb, context).await,
        Verb::Project(verb) => project::run(verb, context).await,
        Verb::Agent(verb) => agent::run(verb, context).await,
        Verb::Run(verb) => run::run(verb, context).await,
        Verb::Schedule(verb) => schedule::run(verb, context).await,
        Verb::Demo => demo::run(context).await,
        Verb::Completions { shell } => completions(shell),
    }
}

/// What the process ends with; a fault is printed: in words to stderr, or as JSON to stdout.
#[must_use]
pub fn report(result: Result<ExitCode, Fault>, json: bool) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(fault) => {
            print::fault(&fault, json);
            ExitCode::FAILURE
        }
    }
}

/// A verb that lacks something only this side can see, such as a prompt.
fn misused(fault: &Fault, context: &CliContext) -> ExitCode {
    print::fault(fault, context.json);
    ExitCode::from(USAGE)
}

fn completions(shell: clap_complete::Shell) -> Result<ExitCode, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "eyas", &mut script);
    print::raw(&String::from_utf8_lossy(&script), false)?;
    Ok(ExitCode::SUCCESS)
}
