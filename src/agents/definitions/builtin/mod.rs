//! The definitions that come with the binary: what was seen of each agent, or what its own documentation says. Versions are those that were
//! tried; where none is given, nobody has tried one.

mod adapters;
mod google;
mod mistral;
mod opencode;
mod untried;

use super::{EMBEDDED, turn, user::by_us};
use crate::domain::{
    agent::{
        AgentCapabilities, AgentDefinition, AgentSource, Asks, EnvRules, Launch, Limits, McpScope,
        SessionRules, Transport,
    },
    distribution::{Distribution, GithubRelease, Package},
};

/// The command that stands for our own executable, wherever it lies.
pub const OWN: &str = "eyas";

/// What every agent that runs on Node.js may see, beside its own.
const CERTIFICATES: &[&str] = &["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// All of them, in the order in which they are listed.
pub(super) fn all() -> Vec<AgentDefinition> {
    let mut all = speaking();
    for definition in &mut all {
        definition.turn = turn::of(&definition.id);
    }
    let clis = turn::all(&all);
    all.extend(clis);
    all
}

/// Those that speak ACP.
fn speaking() -> Vec<AgentDefinition> {
    vec![
        adapters::claude(),
        adapters::codex(),
        google::gemini(),
        opencode::opencode(),
        google::qwen(),
        mistral::vibe(),
        untried::goose(),
        untried::copilot(),
        untried::cursor(),
        mistral::kimi(),
        untried::junie(),
        untried::amp(),
        embedded(),
    ]
}

fn embedded() -> AgentDefinition {
    AgentDefinition {
        // It reads for three seconds at the most; a minute covers the slowest machine.
        limits: Limits {
            initialize_ms: 10_000,
            session_ms: 10_000,
            prompt_ms: 60_000,
            close_ms: 2_000,
        },
        mcp_scope: McpScope::None,
        capabilities: AgentCapabilities {
            asks: Asks::Always,
            ..AgentCapabilities::default()
        },
        ..agent(
            EMBEDDED,
            "Surveyor (built in)",
            launch(OWN, &["agent", "embedded"], &[]),
        )
    }
}

/// An agent of which nothing more is known yet.
fn agent(id: &str, name: &str, launch: Launch) -> AgentDefinition {
    AgentDefinition {
        id: id.to_owned(),
        name: name.to_owned(),
        launch,
        env: EnvRules::default(),
        transport: Transport::default(),
        session: SessionRules::default(),
        limits: Limits::default(),
        mcp_scope: McpScope::Session,
        version: None,
        distribution: Distribution::default(),
        capabilities: AgentCapabilities::default(),
        install: None,
        turn: None,
        source: AgentSource::Builtin,
    }
}

/// The same agent, with where it can be had; what installs it follows from that.
pub(super) fn had(
    definition: AgentDefinition,
    version: Option<&str>,
    from: Distribution,
) -> AgentDefinition {
    AgentDefinition {
        version: version.map(str::to_owned),
        install: by_us(&definition.id, &from),
        distribution: from,
        ..definition
    }
}

pub(super) fn npm(package: &str, program: &str) -> Distribution {
    Distribution {
        npm: Some(Package {
            package: package.to_owned(),
            program: Some(program.to_owned()),
        }),
        ..Distribution::default()
    }
}

fn pypi(publisher: &str, package: &str, program: &str) -> Distribution {
    Distribution {
        publisher: Some(publisher.to_owned()),
        pypi: Some(Package {
            package: package.to_owned(),
            program: Some(program.to_owned()),
        }),
        ..Distribution::default()
    }
}

fn github(repository: &str, asset: &str, program: &str) -> Distribution {
    Distribution {
        github: Some(GithubRelease {
            repository: repository.to_owned(),
            tag: None,
            asset: asset.to_owned(),
            checksums: None,
            program: Some(program.to_owned()),
        }),
        ..Distribution::default()
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

fn pass(names: &[&[&str]]) -> EnvRules {
    EnvRules {
        pass: names
            .iter()
            .copied()
            .flatten()
            .map(|&name| name.to_owned())
            .collect(),
        required: Vec::new(),
    }
}

fn reads(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
