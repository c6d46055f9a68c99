//! How a run's policy reaches an agent that would otherwise act without asking.

use crate::domain::{agent::AgentDefinition, policy::Security};
use serde_json::json;
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
        _ if security == Security::Full => PolicyRoute::Asks,
        _ => PolicyRoute::Unknown,
    }
}

/// `OPENCODE_PERMISSION` is merged over every configuration file, the project's own included, key by key: therefore each
/// tool is named, as a file's `bash: allow` would outlive a bare `*`. Reads outside the directory still ask.
fn opencode(security: Security) -> PolicyRoute {
    let acting = match security {
        Security::Full => return PolicyRoute::Asks,
        Security::Allowlist => "ask",
        Security::Deny => "deny",
    };
    let rules = json!({
        "*": "ask",
        "read": "allow",
        "glob": "allow",
        "grep": "allow",
        "list": "allow",
        "lsp": "allow",
        "todoread": "allow",
        "todowrite": "allow",
        "task": "allow",
        "skill": "allow",
        "edit": acting,
        "bash": acting,
        "webfetch": "ask",
        "websearch": "ask",
        "codesearch": "ask",
        "external_directory": "ask",
        "eyas_*": "allow",
    });
    PolicyRoute::Environment(BTreeMap::from([(
        "OPENCODE_PERMISSION".to_owned(),
        rules.to_string(),
    )]))
}

#[cfg(test)]
mod tests {
    use super::{PolicyRoute, policy_route};
    use crate::{agents::definitions::builtin, domain::policy::Security};

    #[test]
    fn each_agent_has_its_route() {
        let [claude, opencode, embedded] = &builtin::all()[..] else {
            panic!("three are built in");
        };
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
        }
        let mut stranger = claude.clone();
        stranger.launch.command = "/opt/hawk".to_owned();
        assert_eq!(
            policy_route(&stranger, Security::Allowlist),
            PolicyRoute::Unknown
        );
        assert_eq!(policy_route(&stranger, Security::Full), PolicyRoute::Asks);
    }
}
