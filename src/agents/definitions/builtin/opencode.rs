//! `OpenCode`.

use super::{CERTIFICATES, agent, had, launch, npm, pass, reads};
use crate::domain::agent::{AgentCapabilities, AgentDefinition, Asks, McpScope, PersonaWay};

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
];

/// By itself it runs commands without asking, so it is told to ask.
pub(super) fn opencode() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[OPENCODE, CERTIFICATES]),
        mcp_scope: McpScope::Process,
        capabilities: AgentCapabilities {
            persona: PersonaWay::FirstPrompt,
            asks: Asks::WhenTold,
            load: Some(true),
            resume: Some(true),
            reads: reads(&["AGENTS.md"]),
            login: Some("opencode auth login, or a provider's key".to_owned()),
            ..AgentCapabilities::default()
        },
        ..agent(
            "opencode",
            "OpenCode",
            launch(
                "opencode",
                &["acp"],
                &[("OPENCODE_DISABLE_AUTOUPDATE", "1")],
            ),
        )
    };
    had(definition, Some("1.18.33"), npm("opencode-ai", "opencode"))
}
