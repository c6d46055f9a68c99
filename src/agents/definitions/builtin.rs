//! The definitions that come with the binary.

use super::EMBEDDED;
use crate::domain::agent::{AgentDefinition, AgentSource, EnvRules, Launch, Limits, McpScope};

/// The command that stands for our own executable, wherever it lies.
pub const OWN: &str = "eyas";

/// What Claude Code takes from its environment. General AWS credentials are not among them: they open far more than a
/// model, and `agent.env_passthrough` adds them for whoever wants that. Names of profiles, regions and projects are no
/// secrets, and the bearer token opens nothing but the model.
const CLAUDE: &[&str] = &[
    "ANTHROPIC_*",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_*",
    "CLAUDE_AGENT_*",
    "API_TIMEOUT_MS",
    "MAX_THINKING_TOKENS",
    "MAX_MCP_OUTPUT_TOKENS",
    "MCP_TIMEOUT",
    "MCP_TOOL_TIMEOUT",
    "ENABLE_TOOL_SEARCH",
    "BASH_DEFAULT_TIMEOUT_MS",
    "BASH_MAX_TIMEOUT_MS",
    "DISABLE_TELEMETRY",
    "DISABLE_ERROR_REPORTING",
    "DISABLE_AUTOUPDATER",
    "DISABLE_PROMPT_CACHING",
    "IS_SANDBOX",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_BEARER_TOKEN_BEDROCK",
    "CLOUD_ML_REGION",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// What `OpenCode` takes: its own names, and the keys of the providers that it finds by their environment.
const OPENCODE: &[&str] = &[
    "OPENCODE_*",
    "OPENAI_*",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "OPENROUTER_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_GENERATIVE_AI_API_KEY",
    "GROQ_API_KEY",
    "MISTRAL_API_KEY",
    "DEEPSEEK_API_KEY",
    "XAI_API_KEY",
    "AZURE_RESOURCE_NAME",
    "AZURE_API_KEY",
    "AWS_REGION",
    "AWS_PROFILE",
    "AWS_BEARER_TOKEN_BEDROCK",
    "GOOGLE_CLOUD_PROJECT",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// All of them, in the order in which they are listed.
pub(super) fn all() -> Vec<AgentDefinition> {
    vec![claude(), opencode(), embedded()]
}

fn claude() -> AgentDefinition {
    AgentDefinition {
        id: "claude".to_owned(),
        name: "Claude Code".to_owned(),
        // A program that replaces itself under a run is a different program at the next turn.
        launch: launch("claude-agent-acp", &[], &[("DISABLE_AUTOUPDATER", "1")]),
        env: pass(CLAUDE),
        limits: Limits::default(),
        mcp_scope: McpScope::Session,
        install: Some(
            "npm install -g @agentclientprotocol/claude-agent-acp@0.100.0 (needs Node.js 22.13 or later)"
                .to_owned(),
        ),
        source: AgentSource::Builtin,
    }
}

fn opencode() -> AgentDefinition {
    AgentDefinition {
        id: "opencode".to_owned(),
        name: "OpenCode".to_owned(),
        launch: launch(
            "opencode",
            &["acp"],
            &[("OPENCODE_DISABLE_AUTOUPDATE", "1")],
        ),
        env: pass(OPENCODE),
        limits: Limits::default(),
        mcp_scope: McpScope::Process,
        install: Some("npm install -g opencode-ai@1.18.33".to_owned()),
        source: AgentSource::Builtin,
    }
}

fn embedded() -> AgentDefinition {
    AgentDefinition {
        id: EMBEDDED.to_owned(),
        name: "Surveyor (built in)".to_owned(),
        launch: launch(OWN, &["agent", "embedded"], &[]),
        env: EnvRules::default(),
        // It reads for three seconds at the most; a minute covers the slowest machine.
        limits: Limits {
            initialize_ms: 10_000,
            session_ms: 10_000,
            prompt_ms: 60_000,
            close_ms: 2_000,
        },
        mcp_scope: McpScope::None,
        install: None,
        source: AgentSource::Builtin,
    }
}

fn launch(command: &str, args: &[&str], env: &[(&str, &str)]) -> Launch {
    Launch {
        command: command.to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        env: env
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

fn pass(names: &[&str]) -> EnvRules {
    EnvRules {
        pass: names.iter().map(|&name| name.to_owned()).collect(),
        required: Vec::new(),
    }
}
