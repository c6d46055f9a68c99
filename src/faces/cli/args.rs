//! What was typed. Pure: nothing is read but the words.

use super::{
    agent::AgentVerb, delegate::DelegateArgs, host::HostVerb, hub::HubVerb, instance::InstanceVerb,
    persona::PersonaVerb, project::ProjectVerb, run::RunVerb, schedule::ScheduleVerb,
    store::StoreVerb,
};
use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser};
use serde::de::DeserializeOwned;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  eyas demo                                          try it in the current folder; nothing is kept
  eyas instance create rev --persona reviewer        place a persona in a workspace
  eyas delegate --to rev \"review the last commit\"    delegate, watch, and read the conclusion
  git diff | eyas delegate --persona reviewer -      the prompt from a pipe
  eyas run list --state running                      what is under way
  eyas mcp                                           what an editor starts: MCP on stdin and stdout

The hub that does the work starts by itself and ends when it has been idle.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "eyas",
    version,
    about = "A team of named coding agents for your editor",
    after_help = EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 120
)]
pub struct Cli {
    #[command(flatten)]
    pub flags: Flags,
    #[command(subcommand)]
    command: Command,
}

/// What may stand beside every verb.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Flags {
    /// Print the API's object as JSON, faults included
    #[arg(long, global = true)]
    pub json: bool,
    /// Keep everything below PATH [default: $EYAS_HOME, else the XDG folders]
    #[arg(long, global = true, value_name = "PATH")]
    pub home: Option<PathBuf>,
    /// Serve the API inside this process: no socket, no hub left behind
    #[arg(long, global = true)]
    pub in_process: bool,
    /// Log more to stderr; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What is to be done, as it was typed.
#[derive(Debug, Subcommand)]
enum Command {
    /// Speak MCP on stdin and stdout: what an editor starts
    Mcp,
    /// Speak JSON-RPC 2.0, one message a line, on stdin and stdout
    #[command(after_help = RPC_EXAMPLE)]
    Rpc,
    /// Be the tools of an agent's session: MCP on stdin and stdout
    #[command(hide = true)]
    SessionTools {
        /// The role may delegate
        #[arg(long)]
        may_delegate: bool,
        /// What says whose they are, in place of the environment
        #[arg(long)]
        token_file: Option<PathBuf>,
    },
    /// The process that owns agents and runs
    Hub {
        #[command(subcommand)]
        command: Option<HubCommand>,
    },
    /// Look whether all is well: the home, the database, settings and agents; no hub is started. Exits 1 if something is wrong
    Doctor,
    /// The database, from outside: no hub is started
    #[command(subcommand)]
    Store(StoreVerb),
    /// The programs that do the work
    #[command(subcommand)]
    Agent(AgentCommand),
    #[command(flatten)]
    Verb(Verb),
}

const RPC_EXAMPLE: &str = "\
Example:
  echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"run.list\"}' | eyas rpc
  echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}' | eyas rpc    every method with its schema";

#[derive(Debug, Subcommand)]
enum HubCommand {
    /// Be the hub, in the foreground; `eyas hub` alone does the same
    Run {
        /// Started by a face: a session of its own, a log file, one word on stdout
        #[arg(long, hide = true)]
        detached: bool,
    },
    #[command(flatten)]
    Verb(HubVerb),
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    #[command(flatten)]
    Verb(AgentVerb),
    /// Be the agent inside the binary: ACP on stdin and stdout
    #[command(hide = true)]
    Embedded,
}

/// A verb: spoken once to the hub, answered, printed.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Delegate a prompt to an agent and wait for its conclusion
    Delegate(Box<DelegateArgs>),
    /// Durable delegations
    #[command(subcommand)]
    Run(RunVerb),
    /// Delegations by the calendar
    #[command(subcommand)]
    Schedule(ScheduleVerb),
    /// Descriptions of who an agent should be
    #[command(subcommand)]
    Persona(PersonaVerb),
    /// Personas placed in workspaces
    #[command(subcommand)]
    Instance(InstanceVerb),
    /// Registered directories
    #[command(subcommand)]
    Project(ProjectVerb),
    /// Machines that share a database
    #[command(subcommand)]
    Host(HostVerb),
    #[command(skip)]
    Agent(AgentVerb),
    #[command(skip)]
    Hub(HubVerb),
    /// Show every setting with where it came from
    Config,
    /// Try it in the current folder, in a temporary home; nothing is kept
    Demo,
    /// Print a completion script
    #[command(
        after_help = "Example:\n  eyas completions bash > ~/.local/share/bash-completion/completions/eyas"
    )]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// What the process is to be: one of the long-lived parts of Eyas, or the speaker of one verb.
#[derive(Debug)]
pub enum Job {
    /// The MCP face.
    Mcp,
    /// The JSON-RPC face.
    Rpc,
    /// The hub, until it is told to end or has been idle for long.
    Hub {
        /// Started by a face, which waits for one word on stdout.
        detached: bool,
    },
    /// The agent inside the binary.
    EmbeddedAgent,
    /// The tools of an agent's session.
    SessionTools {
        /// Its role may delegate.
        may_delegate: bool,
        /// Where its token lies, if not in the environment.
        token_file: Option<PathBuf>,
    },
    /// A look at the home and all around it.
    Doctor,
    /// Upkeep of the database.
    Store(StoreVerb),
    /// A verb, for [`super::run()`].
    Verb(Verb),
}

impl Cli {
    /// What the words mean.
    #[must_use]
    pub fn job(self) -> (Flags, Job) {
        let job = match self.command {
            Command::Mcp => Job::Mcp,
            Command::Rpc => Job::Rpc,
            Command::SessionTools {
                may_delegate,
                token_file,
            } => Job::SessionTools {
                may_delegate,
                token_file,
            },
            Command::Hub { command: None } => Job::Hub { detached: false },
            Command::Hub {
                command: Some(HubCommand::Run { detached }),
            } => Job::Hub { detached },
            Command::Hub {
                command: Some(HubCommand::Verb(verb)),
            } => Job::Verb(Verb::Hub(verb)),
            Command::Doctor => Job::Doctor,
            Command::Store(verb) => Job::Store(verb),
            Command::Agent(AgentCommand::Embedded) => Job::EmbeddedAgent,
            Command::Agent(AgentCommand::Verb(verb)) => Job::Verb(Verb::Agent(verb)),
            Command::Verb(verb) => Job::Verb(verb),
        };
        (self.flags, job)
    }
}

/// Reads a value that is one of the API's own words, and offers them in `--help`.
pub(super) fn one_of<T, const N: usize>(
    words: [&'static str; N],
) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| serde_json::from_value(word.into()))
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn long_lived_parts_and_verbs_are_told_apart() {
        let cases = [
            ("eyas mcp --in-process", "Mcp"),
            ("eyas rpc", "Rpc"),
            ("eyas hub", "Hub { detached: false }"),
            ("eyas hub run", "Hub { detached: false }"),
            ("eyas hub status", "Verb(Hub(Status))"),
            ("eyas agent embedded", "EmbeddedAgent"),
            ("eyas store check", "Store(Check)"),
            ("eyas doctor --json", "Doctor"),
            ("eyas agent list", "Verb(Agent(List))"),
        ];
        for (line, job) in cases {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert_eq!(format!("{:?}", cli.job().1), job, "{line}");
        }
        Cli::try_parse_from(["eyas", "nonsense"]).expect_err("no such verb");
    }

    #[test]
    fn every_word_that_help_offers_is_one_the_api_takes() {
        for line in [
            "eyas delegate x --mode auto",
            "eyas delegate x --mode warm",
            "eyas delegate x --mode cold",
            "eyas run list --state queued",
            "eyas run list --state running",
            "eyas run list --state input_required",
            "eyas run list --state succeeded",
            "eyas run list --state failed",
            "eyas run list --state cancelled",
            "eyas run list --state timed_out",
            "eyas instance list --status created",
            "eyas instance list --status starting",
            "eyas instance list --status running",
            "eyas instance list --status stopped",
            "eyas instance list --status error",
            "eyas instance create a --role commander",
            "eyas instance create a --role captain",
            "eyas instance create a --role talon",
            "eyas persona create a --reasoning-level low",
            "eyas persona create a --reasoning-level medium",
            "eyas persona create a --reasoning-level high",
        ] {
            Cli::try_parse_from(line.split(' ')).expect(line);
        }
    }
}
