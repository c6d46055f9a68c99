//! The command line.

use crate::config::Flags;
use clap::{Parser, Subcommand};
use std::{ffi::OsString, process::ExitCode};

/// Gives an AI editor a team of named coding agents.
#[derive(Debug, Parser)]
#[command(name = "eyas", version)]
pub(super) struct Arguments {
    /// The directory that holds everything, instead of `$EYAS_HOME`.
    #[arg(long, global = true)]
    home: Option<String>,
    /// How much to log: a level, or a filter such as `eyas=debug`.
    #[arg(long, global = true)]
    log: Option<String>,
    /// Run the hub inside this process, for as long as it lives.
    #[arg(long, global = true)]
    pub(super) in_process: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// JSON-RPC 2.0 on stdin and stdout, one message per line.
    Rpc,
    /// Each setting, and where its value came from.
    Config {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// The process that owns agents and runs.
    Hub {
        /// `run` when it is left out.
        #[command(subcommand)]
        verb: Option<HubCommand>,
    },
}

/// What to do with the hub.
#[derive(Debug, Subcommand)]
pub(super) enum HubCommand {
    /// Be the hub, until told to end or idle for long.
    Run {
        /// Started by a face: a session of its own, a log file, one word on stdout.
        #[arg(long, hide = true)]
        detached: bool,
    },
    /// The hub as it is; starts none.
    Status,
    /// End it.
    Stop {
        /// When the last run has ended.
        #[arg(long, conflicts_with = "now")]
        wait: bool,
        /// Even with runs under way: they go back to the queue.
        #[arg(long)]
        now: bool,
    },
    /// End it and start another.
    Restart {
        /// When the last run has ended.
        #[arg(long, conflicts_with = "now")]
        wait: bool,
        /// Even with runs under way: they go back to the queue.
        #[arg(long)]
        now: bool,
    },
}

impl Arguments {
    pub(super) fn read(args: Vec<OsString>) -> Result<Self, ExitCode> {
        Self::try_parse_from(args).map_err(|error| {
            // Nobody to tell that nobody listens.
            drop(error.print());
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }

    /// What was given here, by the names of `config.toml`.
    pub(super) fn flags(&self) -> Flags {
        let given = [("home", &self.home), ("log", &self.log)];
        Flags(
            given
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
                .collect(),
        )
    }
}
