//! An agent's request for permission: what it asks, what the policy says, which of its options that is.

use super::update::{Tool, TurnEvent};
use crate::domain::policy::{self, Action, Ask, Decision};
use agent_client_protocol::v1::schema::{
    RequestPermissionOutcome, RequestPermissionResponse, SelectedPermissionOutcome,
};
use serde_json::Value;

/// How far a turn may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    pub security: policy::Security,
    pub grounds: policy::Grounds,
}

/// What is answered, and what is told.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) allowed: bool,
    /// The answer on the wire.
    pub(super) outcome: Value,
    pub(super) event: TurnEvent,
}

/// Decides a request. Where a person should say, the answer is no: the turn goes on, and its end names what was denied.
pub(super) fn decide(permit: &Permit, tool: &Tool, options: &Value) -> Verdict {
    let ask = Ask {
        action: action(&tool.kind),
        paths: tool.paths.clone(),
        command: tool.command.clone(),
    };
    let kinds = match policy::decide(permit.security, &permit.grounds, &ask) {
        Decision::Allow => ["allow_once", "allow_always"],
        Decision::Ask | Decision::Deny => ["reject_once", "reject_always"],
    };
    let picked = kinds
        .iter()
        .find_map(|kind| Some((*kind, pick(options, kind)?)));
    let (decision, allowed) = match picked {
        Some((kind, _)) if kind.starts_with("allow") => ("allowed", true),
        Some(_) => ("rejected", false),
        // Not even a way to say no: the turn's own way out of a question.
        None => ("cancelled", false),
    };
    let option = picked.map(|(_, id)| id.to_owned());
    let outcome = option.as_deref().map_or_else(cancelled, |id| {
        answer(RequestPermissionOutcome::Selected(
            SelectedPermissionOutcome::new(id.to_owned()),
        ))
    });
    let event = TurnEvent::Permission {
        title: tool.title.clone(),
        decision,
        option,
    };
    Verdict {
        allowed,
        outcome,
        event,
    }
}

/// The answer to whatever is asked when its turn is being cancelled, or has no turn.
pub(super) fn cancelled() -> Value {
    answer(RequestPermissionOutcome::Cancelled)
}

fn answer(outcome: RequestPermissionOutcome) -> Value {
    serde_json::to_value(RequestPermissionResponse::new(outcome)).unwrap_or_default()
}

/// By kind alone: positions and ids differ from agent to agent.
fn pick<'a>(options: &'a Value, kind: &str) -> Option<&'a str> {
    let mut options = options.as_array()?.iter();
    options.find(|option| option["kind"] == kind)?["optionId"].as_str()
}

/// The protocol's word; one from the future is `Other`.
fn action(kind: &str) -> Action {
    match kind {
        "read" => Action::Read,
        "search" => Action::Search,
        "think" => Action::Think,
        "edit" => Action::Edit,
        "delete" => Action::Delete,
        "move" => Action::Move,
        "execute" => Action::Execute,
        "fetch" => Action::Fetch,
        _ => Action::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Permit, decide};
    use crate::{
        agents::acp::update::Tool,
        domain::policy::{Grounds, Security},
    };
    use serde_json::{Value, json};

    fn outcome(security: Security, kind: &str, command: &str, options: &Value) -> Value {
        let permit = Permit {
            security,
            grounds: Grounds {
                cwd: "/p".into(),
                workspace: None,
            },
        };
        let tool = Tool {
            kind: kind.to_owned(),
            command: Some(command.to_owned()),
            ..Tool::default()
        };
        decide(&permit, &tool, options).outcome["outcome"].clone()
    }

    #[test]
    fn options_are_picked_by_kind_never_by_position() {
        let options = json!([{"optionId": "A", "kind": "reject_always"}, {"optionId": "B", "kind": "allow_always"},
            {"optionId": "C", "kind": "reject_once"}, {"optionId": "D", "kind": "allow_once"}]);
        let selected = |id: &str| json!({"outcome": "selected", "optionId": id});
        assert_eq!(
            outcome(Security::Allowlist, "execute", "git status", &options),
            selected("D")
        );
        assert_eq!(
            outcome(Security::Allowlist, "execute", "git push", &options),
            selected("C")
        );
        assert_eq!(
            outcome(Security::Full, "execute", "git push", &options),
            selected("D")
        );
        assert_eq!(
            outcome(Security::Deny, "new kind", "", &options),
            selected("C")
        );
        let always = json!([{"optionId": "B", "kind": "allow_always"}, {"optionId": "A", "kind": "reject_always"}]);
        assert_eq!(outcome(Security::Full, "edit", "", &always), selected("B"));
        assert_eq!(outcome(Security::Deny, "edit", "", &always), selected("A"));
    }

    #[test]
    fn without_a_way_to_say_no_the_request_is_cancelled() {
        let only_yes =
            json!([{"optionId": "B", "kind": "allow_once"}, {"optionId": "?", "kind": "odd"}]);
        assert_eq!(
            outcome(Security::Deny, "edit", "", &only_yes),
            json!({"outcome": "cancelled"})
        );
        assert_eq!(
            outcome(Security::Full, "edit", "", &json!(null)),
            json!({"outcome": "cancelled"})
        );
    }
}
