//! Agents that are packages of Python.

use super::{agent, had, launch, pass, pypi, reads};
use crate::domain::agent::{AgentCapabilities, AgentDefinition, Asks};

const CERTIFICATES: &[&str] = &["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"];

/// It resumes though it does not say so.
pub(super) fn vibe() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[&["VIBE_*", "MISTRAL_API_KEY"], CERTIFICATES]),
        capabilities: AgentCapabilities {
            asks: Asks::Always,
            load: Some(true),
            resume: Some(true),
            reads: reads(&["AGENTS.md"]),
            trust: Some("in a folder that is not in its trusted_folders.toml it reads no AGENTS.md; to trust is yours to decide, in vibe itself".to_owned()),
            login: Some("vibe, once, in a terminal; or MISTRAL_API_KEY".to_owned()),
            ..AgentCapabilities::default()
        },
        ..agent("vibe", "Mistral Vibe", launch("vibe-acp", &[], &[]))
    };
    let from = pypi("mistralai", "mistral-vibe", "vibe-acp");
    had(definition, Some("3.0.2"), from)
}

/// Later versions only say that they are no longer kept, and end well.
pub(super) fn kimi() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[&["KIMI_*", "MOONSHOT_API_KEY"], CERTIFICATES]),
        capabilities: AgentCapabilities {
            login: Some("kimi login".to_owned()),
            ..AgentCapabilities::default()
        },
        ..agent("kimi", "Kimi CLI", launch("kimi", &["acp"], &[]))
    };
    had(
        definition,
        Some("1.49.0"),
        pypi("moonshotai", "kimi-cli", "kimi"),
    )
}
