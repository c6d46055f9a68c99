//! A person's own definition: one file of `<home>/agents/`.

use crate::domain::{
    agent::{
        AgentCapabilities, AgentDefinition, AgentSource, EnvRules, Launch, Limits, MODEL, McpScope,
        SessionRules, Transport,
    },
    distribution::Distribution,
    fault::{ErrorKind, Fault},
    slug,
    turn_form::TurnForm,
    version::Version,
};
use serde::{Deserialize, Serialize};
use std::{fs::File, io::Read as _, path::Path};

/// More than any definition needs; a file beyond it is no definition.
const MAX_BYTES: u64 = 64 * 1024;

/// The file as it is written.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: Option<String>,
    name: Option<String>,
    version: Option<String>,
    install: Option<String>,
    #[serde(default)]
    mcp_scope: McpScope,
    launch: Launch,
    #[serde(default)]
    env: EnvRules,
    #[serde(default)]
    transport: Transport,
    #[serde(default)]
    session: SessionRules,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    distribution: Distribution,
    #[serde(default)]
    capabilities: AgentCapabilities,
    turn: Option<TurnForm>,
}

/// The definition that a file's text is.
///
/// # Errors
/// What is wrong with it. The text is never quoted, as `[launch.env]` may hold a key.
pub(super) fn parsed(path: &Path, text: &str) -> Result<AgentDefinition, Fault> {
    let written: Written = toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let place = line.map_or_else(String::new, |line| format!(" line {line}:"));
        fault(path, &format!("{place} {}", error.message()))
    })?;
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let id = written
        .id
        .or_else(|| stem.map(str::to_owned))
        .unwrap_or_default();
    slug::check("id", &id).map_err(|wrong| fault(path, &format!(" {}", wrong.detail)))?;
    check_command(path, &written.launch.command)?;
    check_limits(path, &written.limits, &written.transport)?;
    check_session(path, &written.session)?;
    let version = written.version.as_deref().map(Version::parse).transpose();
    let version = version.map_err(|wrong| fault(path, &format!(" {}", wrong.detail)))?;
    if let Some(turn) = &written.turn {
        if let Some(command) = &turn.command {
            check_command(path, command)?;
        }
        turn.check()
            .map_err(|wrong| fault(path, &format!(" `turn` {wrong}")))?;
    }
    Ok(AgentDefinition {
        name: written.name.unwrap_or_else(|| slug::display_name(&id)),
        launch: written.launch,
        env: written.env,
        transport: written.transport,
        session: written.session,
        limits: written.limits,
        mcp_scope: written.mcp_scope,
        install: written
            .install
            .or_else(|| by_us(&id, &written.distribution)),
        version: version.map(|version| version.as_str().to_owned()),
        distribution: written.distribution,
        capabilities: written.capabilities,
        turn: written.turn,
        id,
        source: AgentSource::User,
    })
}

/// What installs an agent that can be fetched.
pub(super) fn by_us(id: &str, distribution: &Distribution) -> Option<String> {
    (!distribution.is_empty()).then(|| format!("eyas agent install {id}"))
}

/// A definition as a file of the home.
///
/// # Errors
/// None that a definition of ours causes.
pub fn written(definition: &AgentDefinition) -> Result<String, Fault> {
    let of = definition.clone();
    let written = Written {
        id: Some(of.id),
        name: Some(of.name),
        version: of.version,
        install: of.install,
        mcp_scope: of.mcp_scope,
        launch: of.launch,
        env: of.env,
        transport: of.transport,
        session: of.session,
        limits: of.limits,
        distribution: of.distribution,
        capabilities: of.capabilities,
        turn: of.turn,
    };
    toml::to_string(&written).map_err(Fault::internal)
}

/// What the file says.
///
/// # Errors
/// That it cannot be read, or is too large.
pub(super) fn text(path: &Path) -> Result<String, Fault> {
    let unreadable = |error: std::io::Error| fault(path, &format!(" cannot be read: {error}"));
    let mut text = String::new();
    File::open(path)
        .map_err(unreadable)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(fault(path, &format!(" is larger than {MAX_BYTES} bytes")));
    }
    Ok(text)
}

/// A name or an absolute path: a relative one would depend on where the hub was started.
fn check_command(path: &Path, command: &str) -> Result<(), Fault> {
    if command.trim().is_empty() {
        return Err(fault(path, " `launch.command` is empty"));
    }
    if command.contains('/') && !Path::new(command).is_absolute() {
        return Err(fault(
            path,
            " `launch.command` must be a name or an absolute path",
        ));
    }
    Ok(())
}

fn check_limits(path: &Path, limits: &Limits, transport: &Transport) -> Result<(), Fault> {
    let steps = [
        ("limits.initialize_ms", limits.initialize_ms),
        ("limits.session_ms", limits.session_ms),
        ("limits.prompt_ms", limits.prompt_ms),
        ("limits.close_ms", limits.close_ms),
        ("transport.startup_ms", transport.startup_ms),
        ("transport.dial_ms", transport.dial_ms),
    ];
    match steps.iter().find(|(_, ms)| *ms == 0) {
        Some((name, _)) => Err(fault(path, &format!(" `{name}` must be above 0"))),
        None => Ok(()),
    }
}

fn check_session(path: &Path, session: &SessionRules) -> Result<(), Fault> {
    if session
        .persona_file
        .as_ref()
        .is_some_and(|name| !is_variable(name))
    {
        return Err(fault(
            path,
            " `session.persona_file` must be the name of a variable",
        ));
    }
    let names = |arg: &String| arg.contains(MODEL);
    if !session.model_args.is_empty() && !session.model_args.iter().any(names) {
        return Err(fault(
            path,
            &format!(" `session.model_args` must hold {MODEL}"),
        ));
    }
    Ok(())
}

fn is_variable(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(letter) && !name.as_bytes()[0].is_ascii_digit()
}

fn fault(path: &Path, detail: &str) -> Fault {
    Fault::new(
        ErrorKind::InvalidParams,
        format!("agent definition {}:{detail}", path.display()),
    )
}
