//! Gemini CLI and Qwen Code, which began as one program.

use super::{CERTIFICATES, agent, had, launch, npm, pass, reads};
use crate::domain::agent::{
    AgentCapabilities, AgentDefinition, Asks, McpScope, PersonaWay, SessionRules,
};

const GEMINI: &[&str] = &[
    "GEMINI_*",
    "GOOGLE_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_APPLICATION_CREDENTIALS",
];

const QWEN: &[&str] = &["QWEN_*", "OPENAI_*", "DASHSCOPE_API_KEY"];

/// It would start itself a second time to have more memory, which is a process more and nothing gained here.
pub(super) fn gemini() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[GEMINI, CERTIFICATES]),
        session: by_file("GEMINI_SYSTEM_MD"),
        capabilities: AgentCapabilities {
            persona: PersonaWay::EnvFile,
            asks: Asks::Always,
            load: Some(false),
            resume: Some(false),
            reads: reads(&["GEMINI.md"]),
            trust: Some("in a folder that is not trusted it reads no GEMINI.md, starts no MCP servers and refuses to act unasked; to trust is yours to decide, in gemini itself or by GEMINI_CLI_TRUST_WORKSPACE=true".to_owned()),
            login: Some("gemini, once, in a terminal; or GEMINI_API_KEY".to_owned()),
            ..AgentCapabilities::default()
        },
        ..agent(
            "gemini",
            "Gemini CLI",
            launch("gemini", &["--acp"], &[("GEMINI_CLI_NO_RELAUNCH", "true")]),
        )
    };
    had(
        definition,
        Some("0.61.0"),
        npm("@google/gemini-cli", "gemini"),
    )
}

/// One MCP server of a name serves all its sessions, and its model was not seen to be told of the tools.
pub(super) fn qwen() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[QWEN, CERTIFICATES]),
        session: by_file("QWEN_SYSTEM_MD"),
        mcp_scope: McpScope::Process,
        capabilities: AgentCapabilities {
            persona: PersonaWay::EnvFile,
            asks: Asks::Always,
            load: Some(true),
            resume: Some(true),
            reads: reads(&["AGENTS.md", "QWEN.md"]),
            login: Some("qwen, once, in a terminal; or OPENAI_API_KEY".to_owned()),
            ..AgentCapabilities::default()
        },
        ..agent("qwen", "Qwen Code", launch("qwen", &["--acp"], &[]))
    };
    had(
        definition,
        Some("0.24.4"),
        npm("@qwen-code/qwen-code", "qwen"),
    )
}

/// The file of this variable is the whole of what the model is told first, in place of what it is told otherwise.
fn by_file(variable: &str) -> SessionRules {
    SessionRules {
        persona_file: Some(variable.to_owned()),
        ..SessionRules::default()
    }
}
