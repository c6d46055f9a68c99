//! Which agents are there, and what they need.

use super::Look;
use crate::{
    agents::{definitions::Registry, depot::Depot},
    domain::{
        agent::{AgentDefinition, AgentSource},
        fault::{ErrorKind, Fault},
        finding::Finding,
    },
};

pub(super) fn look(look: Look<'_>) -> Vec<Finding> {
    let settings = look.settings;
    let depot = Depot::new(&settings.depot, &settings.agents_lock);
    let registry = Registry::load(&settings.agents_dir, &look.env.exe).with_depot(depot);
    let path = look.values.get("PATH").map(String::as_str);
    let mut findings: Vec<Finding> = registry
        .faults()
        .iter()
        .map(|(path, fault)| {
            Finding::wrong(format!("{} is no agent: {}", path.display(), fault.detail)).hint(
                fault
                    .hint
                    .clone()
                    .unwrap_or_else(|| "correct or remove it".to_owned()),
            )
        })
        .collect();
    let default = settings.agent.default.as_deref();
    if let Some(named) = default
        && let Err(fault) = registry.get(named)
    {
        let finding = Finding::wrong(format!("`agent.default`: {}", fault.detail));
        findings.push(finding.hint(fault.hint.unwrap_or_default()));
    }
    let mut absent = Vec::new();
    for definition in registry.all() {
        match registry.find(&definition.id, path) {
            Ok((found, program)) => {
                let how = found.by_turn().map_or("", |_| ", run once a turn");
                findings.push(Finding::fine(format!(
                    "agent {}: {}{how}",
                    definition.id,
                    program.shown()
                )));
                findings.extend(wants(look, &found));
            }
            // One line for all that come with the binary: nobody uses every agent there is.
            Err(fault) if is_plain_absence(definition, &fault, default) => {
                absent.push(definition.id.as_str());
            }
            Err(fault) => {
                let finding = if default == Some(definition.id.as_str()) {
                    Finding::wrong(format!("{}, and it is `agent.default`", fault.detail))
                } else {
                    Finding::notice(fault.detail)
                };
                findings.push(finding.hint(fault.hint.unwrap_or_default()));
            }
        }
    }
    if !absent.is_empty() {
        let words = format!(
            "agents that are known and not installed: {}",
            absent.join(", ")
        );
        findings.push(Finding::notice(words).hint("`eyas agent install <agent>` installs one"));
    }
    findings
}

fn is_plain_absence(definition: &AgentDefinition, fault: &Fault, default: Option<&str>) -> bool {
    definition.source == AgentSource::Builtin
        && fault.kind == ErrorKind::AgentNotFound
        && default != Some(definition.id.as_str())
}

/// Names without which it cannot work, and that nobody has sent.
fn wants(look: Look<'_>, definition: &AgentDefinition) -> Option<Finding> {
    let missing: Vec<&str> = definition
        .env
        .required
        .iter()
        .map(String::as_str)
        .filter(|name| look.values.get(*name).is_none_or(String::is_empty))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let whose = if look.is_hub {
        "the hub knows"
    } else {
        "this shell has"
    };
    let words = format!(
        "agent {} needs {}, of which {whose} nothing",
        definition.id,
        missing.join(", ")
    );
    Some(Finding::notice(words).hint(
        "its runs wait for their environment: set them where you delegate, or in `agent.env_file`",
    ))
}
