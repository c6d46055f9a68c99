//! Claude Code and Codex, which speak ACP by adapters.

use super::{CERTIFICATES, agent, had, launch, npm, pass, reads};
use crate::domain::agent::{AgentCapabilities, AgentDefinition, Asks, PersonaWay, SessionsPer};

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
];

const CODEX: &[&str] = &[
    "CODEX_*",
    "OPENAI_*",
    "MODEL_PROVIDER",
    "INITIAL_AGENT_MODE",
    "APP_SERVER_LOGS",
];

/// A process of Claude Code for each session, below the adapter's own.
pub(super) fn claude() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[CLAUDE, CERTIFICATES]),
        capabilities: AgentCapabilities {
            persona: PersonaWay::SystemPrompt,
            asks: Asks::Always,
            sessions: SessionsPer::Session,
            load: Some(true),
            resume: Some(true),
            reads: reads(&["CLAUDE.md"]),
            login: Some("claude auth login, or ANTHROPIC_API_KEY".to_owned()),
            ..AgentCapabilities::default()
        },
        ..agent(
            "claude",
            "Claude Code",
            // A program that replaces itself under a run is a different program at the next turn.
            launch("claude-agent-acp", &[], &[("DISABLE_AUTOUPDATER", "1")]),
        )
    };
    let from = npm("@agentclientprotocol/claude-agent-acp", "claude-agent-acp");
    had(definition, Some("0.100.0"), from)
}

/// Its MCP servers were seen to outlive their session by a little.
pub(super) fn codex() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[CODEX, CERTIFICATES]),
        capabilities: AgentCapabilities {
            persona: PersonaWay::SystemPrompt,
            asks: Asks::Unknown,
            load: Some(true),
            resume: Some(true),
            reads: reads(&["AGENTS.md"]),
            login: Some("codex login, or OPENAI_API_KEY".to_owned()),
            ..AgentCapabilities::default()
        },
        ..agent("codex", "Codex", launch("codex-acp", &[], &[]))
    };
    let from = npm("@agentclientprotocol/codex-acp", "codex-acp");
    had(definition, Some("2.6.0"), from)
}
