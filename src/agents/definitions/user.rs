//! A person's own definition: one file of `<home>/agents/`.

use crate::domain::{
    agent::{AgentDefinition, AgentSource, EnvRules, Launch, Limits, McpScope},
    fault::{ErrorKind, Fault},
    slug,
};
use serde::Deserialize;
use std::{fs::File, io::Read as _, path::Path};

/// More than any definition needs; a file beyond it is no definition.
const MAX_BYTES: u64 = 64 * 1024;

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: Option<String>,
    name: Option<String>,
    launch: Launch,
    #[serde(default)]
    env: EnvRules,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    mcp_scope: McpScope,
    install: Option<String>,
}

/// Reads one definition.
///
/// # Errors
/// What is wrong with the file. The text of the file is never quoted, as `[launch.env]` may hold a key.
pub(super) fn read(path: &Path) -> Result<AgentDefinition, Fault> {
    let text = text(path)?;
    let written: Written = toml::from_str(&text).map_err(|error| {
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
    check_limits(path, &written.limits)?;
    Ok(AgentDefinition {
        name: written.name.unwrap_or_else(|| slug::display_name(&id)),
        id,
        launch: written.launch,
        env: written.env,
        limits: written.limits,
        mcp_scope: written.mcp_scope,
        install: written.install,
        source: AgentSource::User,
    })
}

fn text(path: &Path) -> Result<String, Fault> {
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

fn check_limits(path: &Path, limits: &Limits) -> Result<(), Fault> {
    let steps = [
        ("initialize_ms", limits.initialize_ms),
        ("session_ms", limits.session_ms),
        ("prompt_ms", limits.prompt_ms),
        ("close_ms", limits.close_ms),
    ];
    match steps.iter().find(|(_, ms)| *ms == 0) {
        Some((name, _)) => Err(fault(path, &format!(" `limits.{name}` must be above 0"))),
        None => Ok(()),
    }
}

fn fault(path: &Path, detail: &str) -> Fault {
    Fault::new(
        ErrorKind::InvalidParams,
        format!("agent definition {}:{detail}", path.display()),
    )
}
