//! An ACP agent that takes its script in the prompt: for the suite and the benches, never installed.
//!
//! Lines of a prompt that start with `!` are commands (see `script.rs`); a prompt without any is answered with `echo: …`. How it behaves
//! before the first prompt is said by arguments (see `options.rs`). As `fake-agent cli` it is no ACP agent but a CLI (see `cli.rs`). No runtime and no threads but one per turn: it answers at once.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::unused_self,
    clippy::needless_pass_by_value,
    clippy::struct_excessive_bools,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool of the suite: what cannot be is to be seen"
)]

mod agent;
mod cli;
mod hub;
mod options;
mod script;
mod serve;
mod session;
mod tools;
mod wire;

use options::Options;
use std::{process::ExitCode, sync::mpsc};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == "hub") {
        return hub::run(&args[1..]);
    }
    let deaf = usize::from(args.first().is_some_and(|first| first == "--deaf"));
    if args.get(deaf).is_some_and(|first| first == "cli") {
        return cli::run(&args[deaf + 1..]);
    }
    let options = Options::parse(&args);
    if options.ignore_term {
        return options::deafened(&args);
    }
    // A command may end the process from a turn's thread; the code comes here, so that `main` returns it.
    let (end, ended) = mpsc::channel();
    std::thread::spawn(move || agent::serve(options, end));
    ended.recv().map_or(ExitCode::SUCCESS, ExitCode::from)
}
