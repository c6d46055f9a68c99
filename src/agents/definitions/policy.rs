//! How a run's policy reaches an agent that would otherwise act without asking.

use crate::domain::{
    agent::{AgentDefinition, Asks},
    policy::{Security, guarded},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, path::Path};

/// What makes an agent keep to our policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyRoute {
    /// It asks for permission by itself, or does nothing that needs one.
    Asks,
    /// It asks once these are set for the process, over what the environment says. They belong to the launch policy,
    /// so a warm agent that was launched under another one is not reused.
    Environment(BTreeMap<String, String>),
    /// Nobody knows whether it asks: the run warns `policy_not_enforced`.
    Unknown,
}

/// The route for an agent under `security`. Told apart by id and program, as a person may define the same program anew.
#[must_use]
pub fn policy_route(definition: &AgentDefinition, security: Security) -> PolicyRoute {
    let program = Path::new(&definition.launch.command)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    match program {
        "claude-agent-acp" | super::OWN => PolicyRoute::Asks,
        "opencode" => opencode(security),
        _ if definition.capabilities.asks == Asks::Always => PolicyRoute::Asks,
        _ if security == Security::Full => PolicyRoute::Asks,
        _ => PolicyRoute::Unknown,
    }
}

/// The agents that `OpenCode` brings. A file of the project may give each permissions of its own, which outweigh the
/// general ones, or make another agent the default; both are said again here, over it.
const OPENCODE_AGENTS: &[&str] = &["build", "plan", "general", "explore"];

/// Both variables are merged over every configuration file, the project's own included, key by key: therefore each tool
/// is named, as a file's `bash: allow` would outlive a bare `*`. Reads outside the directory still ask. Project files as
/// a whole could be switched off (`OPENCODE_DISABLE_PROJECT_CONFIG`), but AGENTS.md goes with them.
fn opencode(security: Security) -> PolicyRoute {
    let acting = match security {
        Security::Full => return PolicyRoute::Asks,
        Security::Allowlist => "ask",
        Security::Deny => "deny",
    };
    PolicyRoute::Environment(opencode_told(&json!("ask"), &json!(acting), &json!(acting)))
}

/// The same where nobody can be asked: what asks is refused. Edits inside the directory pass, commands do not.
pub(super) fn opencode_by_turn(security: Security) -> BTreeMap<String, String> {
    match security {
        Security::Deny => opencode_told(&json!("ask"), &json!("deny"), &json!("deny")),
        Security::Full => opencode_told(&json!("allow"), &json!("allow"), &json!("allow")),
        Security::Allowlist => {
            let mut edit = Map::from_iter([("*".to_owned(), json!("allow"))]);
            for name in guarded() {
                edit.insert(format!("*{name}"), json!("deny"));
                edit.insert(format!("*{name}/*"), json!("deny"));
            }
            opencode_told(&json!("ask"), &Value::Object(edit), &json!("ask"))
        }
    }
}

/// `other`: whatever leaves the directory or the machine, and what is not known.
fn opencode_told(other: &Value, edit: &Value, bash: &Value) -> BTreeMap<String, String> {
    let rules = json!({
        "*": other,
        "read": "allow",
        "glob": "allow",
        "grep": "allow",
        "list": "allow",
        "lsp": "allow",
        "todoread": "allow",
        "todowrite": "allow",
        "task": "allow",
        "skill": "allow",
        "edit": edit,
        "bash": bash,
        "webfetch": other,
        "websearch": other,
        "codesearch": other,
        "external_directory": other,
        "eyas_*": "allow",
    });
    let agents: Map<String, Value> = OPENCODE_AGENTS
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "permission": rules })))
        .collect();
    // By itself it ends its turn without a word when something is denied; the model should hear it, and go on or say so.
    let content = json!({
        "default_agent": OPENCODE_AGENTS[0],
        "agent": agents,
        "experimental": { "continue_loop_on_deny": true },
    });
    BTreeMap::from([
        ("OPENCODE_PERMISSION".to_owned(), rules.to_string()),
        ("OPENCODE_CONFIG_CONTENT".to_owned(), content.to_string()),
    ])
}

/// Sets each of `over` in an environment. Where both values are JSON objects they are merged, as a person's own
/// `OPENCODE_CONFIG_CONTENT` may hold the model, a persona's its instructions and ours the policy.
pub fn overlay(values: &mut BTreeMap<String, String>, over: &BTreeMap<String, String>) {
    for (name, value) in over {
        let merged = values.get(name).and_then(|old| merged(old, value));
        values.insert(name.clone(), merged.unwrap_or_else(|| value.clone()));
    }
}

fn merged(old: &str, new: &str) -> Option<String> {
    let mut old: Map<String, Value> = serde_json::from_str(old).ok()?;
    merge(&mut old, serde_json::from_str(new).ok()?);
    serde_json::to_string(&old).ok()
}

/// A key of `new` goes to the end, as the last rule that matches is the one that holds.
fn merge(old: &mut Map<String, Value>, new: Map<String, Value>) {
    for (key, value) in new {
        let value = match (old.shift_remove(&key), value) {
            (Some(Value::Object(mut old)), Value::Object(new)) => {
                merge(&mut old, new);
                Value::Object(old)
            }
            (_, value) => value,
        };
        old.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::{PolicyRoute, overlay, policy_route};
    use crate::{agents::definitions::builtin, domain::policy::Security};
    use std::collections::BTreeMap;

    #[test]
    fn each_agent_has_its_route() {
        let all = builtin::all();
        let of = |id: &str| all.iter().find(|one| one.id == id).expect(id);
        let (claude, opencode, embedded) = (&of("claude"), &of("opencode"), &of("embedded"));
        for (id, route) in [
            ("gemini", PolicyRoute::Asks),
            ("qwen", PolicyRoute::Asks),
            ("vibe", PolicyRoute::Asks),
            // Nobody has seen it ask.
            ("codex", PolicyRoute::Unknown),
            ("goose", PolicyRoute::Unknown),
        ] {
            assert_eq!(policy_route(of(id), Security::Allowlist), route, "{id}");
        }
        assert_eq!(policy_route(claude, Security::Allowlist), PolicyRoute::Asks);
        assert_eq!(policy_route(embedded, Security::Deny), PolicyRoute::Asks);
        assert_eq!(policy_route(opencode, Security::Full), PolicyRoute::Asks);
        for (security, word) in [(Security::Allowlist, "ask"), (Security::Deny, "deny")] {
            let PolicyRoute::Environment(env) = policy_route(opencode, security) else {
                panic!("opencode acts without asking");
            };
            let rules: serde_json::Value =
                serde_json::from_str(&env["OPENCODE_PERMISSION"]).expect("json");
            assert_eq!(rules["bash"], word);
            assert_eq!(rules["edit"], word);
            let content: serde_json::Value =
                serde_json::from_str(&env["OPENCODE_CONFIG_CONTENT"]).expect("json");
            assert_eq!(content["agent"]["build"]["permission"], rules);
            assert_eq!(content["experimental"]["continue_loop_on_deny"], true);
        }
        let mut stranger = of("codex").clone();
        stranger.launch.command = "/opt/hawk".to_owned();
        assert_eq!(
            policy_route(&stranger, Security::Allowlist),
            PolicyRoute::Unknown
        );
        assert_eq!(policy_route(&stranger, Security::Full), PolicyRoute::Asks);
    }

    #[test]
    fn settings_are_merged_and_ours_come_last() {
        let of = |text: &str| BTreeMap::from([("X".to_owned(), text.to_owned())]);
        for (old, new, expected) in [
            (
                r#"{"a":{"b":1,"c":2},"d":3}"#,
                r#"{"a":{"b":4}}"#,
                r#"{"d":3,"a":{"c":2,"b":4}}"#,
            ),
            (r#"{"a":"allow"}"#, r#"{"a":{"b":4}}"#, r#"{"a":{"b":4}}"#),
            ("not json", r#"{"a":1}"#, r#"{"a":1}"#),
            (r#"{"a":1}"#, "plain", "plain"),
        ] {
            let mut values = of(old);
            overlay(&mut values, &of(new));
            assert_eq!(values, of(expected));
        }
    }
}
