//! Agents of which only their documentation is known: how they are launched, and where they can be had.

use super::{CERTIFICATES, agent, github, had, launch, npm, pass};
use crate::domain::agent::{AgentCapabilities, AgentDefinition, Asks};

fn logs_in(how: &str) -> AgentCapabilities {
    AgentCapabilities {
        login: Some(how.to_owned()),
        ..AgentCapabilities::default()
    }
}

/// Its releases for other systems than Linux are named in another way.
pub(super) fn goose() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[&[
            "GOOSE_*",
            "OPENAI_*",
            "ANTHROPIC_API_KEY",
            "OPENROUTER_API_KEY",
        ]]),
        capabilities: logs_in("goose configure"),
        ..agent("goose", "Goose", launch("goose", &["acp"], &[]))
    };
    let from = github(
        "block/goose",
        "goose-{arch}-unknown-{os}-gnu.tar.bz2",
        "goose",
    );
    had(definition, None, from)
}

/// It says hello, and opens no session before somebody has logged in: so far it was tried.
pub(super) fn copilot() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[&["COPILOT_*"], CERTIFICATES]),
        capabilities: logs_in("copilot login"),
        ..agent(
            "copilot",
            "GitHub Copilot CLI",
            launch("copilot", &["--acp"], &[]),
        )
    };
    had(
        definition,
        Some("1.0.102"),
        npm("@github/copilot", "copilot"),
    )
}

/// Its installer is a script of its own, which is not run for anybody.
pub(super) fn cursor() -> AgentDefinition {
    AgentDefinition {
        env: pass(&[&["CURSOR_API_KEY", "CURSOR_AUTH_TOKEN"], CERTIFICATES]),
        capabilities: AgentCapabilities {
            asks: Asks::Always,
            load: Some(true),
            ..logs_in("cursor-agent login, or CURSOR_API_KEY")
        },
        install: Some("as https://cursor.com/docs/cli says".to_owned()),
        ..agent(
            "cursor",
            "Cursor CLI",
            launch("cursor-agent", &["acp"], &[]),
        )
    }
}

pub(super) fn junie() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[&["JUNIE_*"], CERTIFICATES]),
        capabilities: logs_in("junie, once, in a terminal"),
        ..agent("junie", "Junie", launch("junie", &["--acp", "true"], &[]))
    };
    had(definition, None, npm("@jetbrains/junie", "junie"))
}

/// An adapter by somebody else; Amp itself must be there too.
pub(super) fn amp() -> AgentDefinition {
    let definition = AgentDefinition {
        env: pass(&[&["AMP_*"]]),
        capabilities: AgentCapabilities {
            load: Some(true),
            ..logs_in("amp login, or AMP_API_KEY")
        },
        ..agent("amp", "Amp", launch("amp-acp", &[], &[]))
    };
    let from = github(
        "tao12345666333/amp-acp",
        "amp-acp-{os}-{nodearch}",
        "amp-acp",
    );
    had(definition, None, from)
}
