//! Which agents are there, and what they need.

use super::Look;
use crate::{
    agents::definitions::Registry,
    domain::{agent::AgentDefinition, finding::Finding},
};

pub(super) fn look(look: Look<'_>) -> Vec<Finding> {
    let settings = look.settings;
    let registry = Registry::load(&settings.agents_dir, &look.env.exe);
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
    for definition in registry.all() {
        match registry.resolve(definition, path) {
            Ok(found) => {
                findings.push(Finding::fine(format!(
                    "agent {}: {}",
                    definition.id,
                    found.display()
                )));
                findings.extend(wants(look, definition));
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
    findings
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
