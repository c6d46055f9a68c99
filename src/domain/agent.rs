//! An agent: a program that speaks ACP, or a CLI that is run once a turn, and how it is launched.

use super::{
    distribution::{Distribution, Installed, Installing, SourceKind},
    turn_form::TurnForm,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The agent that is always there.
pub const EMBEDDED: &str = "embedded";

/// What stands for the model in [`SessionRules::model_args`].
pub const MODEL: &str = "{model}";

/// The variable that holds what an agent at a port or socket tells us from others by.
pub const AGENT_TOKEN_VARIABLE: &str = "EYAS_AGENT_TOKEN";

/// Who wrote a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentSource {
    Builtin,
    /// `<home>/agents/*.toml`.
    User,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    /// A name looked up on PATH, or an absolute path.
    pub command: String,
    #[serde(default)]
    pub args: Vec<String>,
    /// Set for the process, beside what `pass` lets through.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// What of the caller's environment an agent may see, beside the common set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnvRules {
    /// Names; a trailing `*` stands for any ending.
    pub pass: Vec<String>,
    /// Names without which the agent cannot work.
    pub required: Vec<String>,
}

/// Whose the MCP servers are that an agent is given with a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum McpScope {
    /// Each session has its own.
    #[default]
    Session,
    /// All sessions of a process see those of all: they are told apart by their names alone.
    Process,
    /// It takes none.
    None,
}

/// How long each step may take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub initialize_ms: u64,
    pub session_ms: u64,
    /// Of one whole turn.
    pub prompt_ms: u64,
    /// Of a cancelled turn's answer and of the end of stdin.
    pub close_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            initialize_ms: 30_000,
            session_ms: 120_000,
            prompt_ms: 3_600_000,
            close_ms: 5_000,
        }
    }
}

/// The best way by which a persona reaches an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonaWay {
    /// The protocol's own field, where the agent says that it takes it.
    SystemPrompt,
    /// A key of its own in `_meta`.
    Meta,
    /// A file named by a variable, for the whole process: see `session.persona_file`.
    EnvFile,
    /// Its own configuration.
    Config,
    /// Before the first prompt, which every agent reads.
    #[default]
    FirstPrompt,
}

/// Whether an agent asks before it acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    Always,
    /// Once it is told to, which we do for each process.
    WhenTold,
    Never,
    #[default]
    Unknown,
}

/// How many sessions one process of an agent has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionsPer {
    /// Many at once, in the one process.
    #[default]
    Process,
    /// It starts a process of its own below itself for each.
    Session,
}

/// What is known of an agent's ways before it is asked; what it says of itself when it is started counts for more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentCapabilities {
    pub persona: PersonaWay,
    pub asks: Asks,
    pub sessions: SessionsPer,
    /// It takes up a conversation of an earlier process, with the history replayed; absent when nobody has tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<bool>,
    /// The same without replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<bool>,
    /// Files of the working directory that it reads by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// What it does not do in a folder that it was not told to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
    /// How a person logs in, where it needs that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
}

/// How an agent takes what a session is to be, where the protocol alone does not get it there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionRules {
    /// The variable that names a file with the persona. Such an agent has a process for each persona.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona_file: Option<String>,
    /// Arguments that choose the model, with `{model}` in one of them. Such an agent has a process for each model.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub model_args: Vec<String>,
    /// The agent's own mode, set whenever a session is opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// Where ACP is spoken with an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// On its stdin and stdout.
    #[default]
    Stdio,
    /// On a port of this machine that it says in its first line on stdout.
    Tcp,
    /// On a socket of this machine that it says likewise.
    Unix,
}

impl Carrier {
    /// The word in a definition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Tcp => "tcp",
            Self::Unix => "unix",
        }
    }
}

/// How an agent is reached, and how long that may take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Transport {
    pub kind: Carrier,
    /// From the start of the process to the line that says where it serves.
    pub startup_ms: u64,
    /// From that line to the answer to `initialize`.
    pub dial_ms: u64,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            kind: Carrier::Stdio,
            startup_ms: 30_000,
            dial_ms: 10_000,
        }
    }
}

/// How to find, launch and speak to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentDefinition {
    pub id: String,
    pub name: String,
    pub launch: Launch,
    #[serde(default)]
    pub env: EnvRules,
    #[serde(default)]
    pub transport: Transport,
    #[serde(default)]
    pub session: SessionRules,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub mcp_scope: McpScope,
    /// What is installed where nobody says a version: absent, the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default)]
    pub distribution: Distribution,
    #[serde(default)]
    pub capabilities: AgentCapabilities,
    /// The command that installs it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
    /// How a CLI is run once a turn: that of `launch`, or one that stands in for it where it is not installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnForm>,
    pub source: AgentSource,
}

impl AgentDefinition {
    /// The form of its turns, where its own program is run once for each.
    #[must_use]
    pub fn by_turn(&self) -> Option<&TurnForm> {
        self.turn.as_ref().filter(|turn| turn.command.is_none())
    }

    /// The definition that stands in for this one where its program is not installed: its CLI, run once a turn.
    #[must_use]
    pub fn stand_in(&self) -> Option<Self> {
        let turn = self.turn.as_ref()?;
        let command = turn.command.clone()?;
        let mut stand_in = self.clone();
        stand_in.launch.command = command;
        stand_in.launch.args = Vec::new();
        // What can be installed is the program that is missing.
        stand_in.distribution = Distribution::default();
        stand_in.turn = Some(TurnForm {
            command: None,
            ..turn.clone()
        });
        Some(stand_in)
    }
}

/// An agent as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    #[serde(flatten)]
    pub definition: AgentDefinition,
    /// Its program was found.
    pub installed: bool,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// By which way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_by: Option<SourceKind>,
    /// Of the program that was found, where it lies in the depot; elsewhere nobody knows before it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_version: Option<String>,
    /// Its versions in the depot, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depot: Vec<Installed>,
    /// What is being installed of it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installing: Option<Installing>,
}
