//! An agent's request for permission: what it asks, what the policy says, which of its options that is.

use super::{
    petition::{self, Petition},
    reach,
    tool::Tool,
    touch::Touch,
    update::TurnEvent,
};
use crate::{
    domain::{
        policy::{self, Action, Ask, Asking, Decision, Grounds, Policy, Ruling, Security},
        request::OptionKind,
    },
    stdx::Pause,
};
use agent_client_protocol::v1::schema::{
    RequestPermissionOutcome, RequestPermissionResponse, SelectedPermissionOutcome,
};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// How far a turn may go, and who can be asked about the rest.
#[derive(Clone, Debug)]
pub struct Permit {
    pub policy: Policy,
    pub grounds: Grounds,
    /// Takes what a person should decide; without, all of it is rejected.
    pub petitions: Option<mpsc::UnboundedSender<Petition>>,
    /// Told of what may change something; what the agent asks for waits until that is kept. Without, nobody keeps it.
    pub touches: Option<mpsc::UnboundedSender<Touch>>,
    /// Held while a person is waited for: the limit of the prompt then stands still.
    pub pause: Pause,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Verdict {
    Ruled(Ruled),
    /// A person decides; the option that is chosen comes from here.
    Asked(oneshot::Receiver<Option<String>>),
}

/// What is answered, and what is told.
#[derive(Debug)]
pub(super) struct Ruled {
    pub(super) allowed: bool,
    /// The answer on the wire.
    pub(super) outcome: Value,
    pub(super) event: TurnEvent,
}

/// What the policy is asked about a tool call. Blocks as long as the disk does.
pub(super) fn ask(grounds: &Grounds, tool: &Tool) -> Ask {
    reach::ask(grounds, tool, action(&tool.kind))
}

/// The same where nobody could look: where it leads is not known.
pub(super) fn unseen(tool: &Tool) -> Ask {
    reach::unseen(tool, action(&tool.kind))
}

/// Whether it matters to the policy where a request leads.
pub(super) fn must_look(permit: &Permit) -> bool {
    permit.policy.security != Security::Full
}

/// Decides a request, or hands it on to be decided. `may_ask`: there is room for one more question.
pub(super) fn decide(
    permit: &Permit,
    tool: &Tool,
    ask: &Ask,
    options: &Value,
    may_ask: bool,
) -> Verdict {
    let ruling = policy::rule(&permit.policy, &permit.grounds, ask);
    let Ruling { decision, why } = once(permit.policy, ruling, options);
    match decision {
        Decision::Allow => Verdict::Ruled(ruled(tool, options, true, why)),
        Decision::Deny => Verdict::Ruled(ruled(tool, options, false, why)),
        Decision::Ask => match may_ask.then(|| petition(permit, tool, options)).flatten() {
            Some(answered) => Verdict::Asked(answered),
            None => Verdict::Ruled(ruled(
                tool,
                options,
                false,
                "a person should say, and cannot be asked",
            )),
        },
    }
}

/// What is allowed this time is no standing permission: where the agent offers nothing less, only a person gives it, or a policy that allows
/// everything anyway.
fn once(policy: Policy, ruling: Ruling, options: &Value) -> Ruling {
    let only_always = pick(options, [ONCE, ONCE]).is_none() && pick(options, ALLOWS).is_some();
    if ruling.decision != Decision::Allow || policy.security == Security::Full || !only_always {
        return ruling;
    }
    let can_ask = policy.security == Security::Allowlist && policy.ask != Asking::Off;
    let decision = if can_ask {
        Decision::Ask
    } else {
        Decision::Deny
    };
    let why = "allowed once, but only a standing permission is offered";
    Ruling { decision, why }
}

fn petition(
    permit: &Permit,
    tool: &Tool,
    options: &Value,
) -> Option<oneshot::Receiver<Option<String>>> {
    let petitions = permit.petitions.as_ref()?;
    let (petition, answered) = Petition::new(tool, options)?;
    petitions.send(petition).ok().map(|()| answered)
}

/// What was allowed and cannot happen after all.
pub(super) fn unkept(tool: &Tool, options: &Value) -> Ruled {
    ruled(
        tool,
        options,
        false,
        "that it happens could not be written down",
    )
}

fn ruled(tool: &Tool, options: &Value, allow: bool, why: &'static str) -> Ruled {
    let picked = if allow {
        pick(options, ALLOWS)
    } else {
        pick(options, REJECTS)
    };
    let (decision, allowed) = match picked {
        Some(_) if allow => ("allowed", true),
        Some(_) => ("rejected", false),
        // Not even a way to say no: the turn's own way out of a question.
        None => ("cancelled", false),
    };
    let event = TurnEvent::Permission {
        title: tool.title.clone(),
        decision,
        option: picked.map(str::to_owned),
        why,
    };
    Ruled {
        allowed,
        outcome: selected(picked),
        event,
    }
}

const ONCE: &str = "allow_once";
const ALLOWS: [&str; 2] = [ONCE, "allow_always"];
const REJECTS: [&str; 2] = ["reject_once", "reject_always"];

/// A person's choice on the wire, and whether the agent may have acted on it. What is none of the options is a no.
pub(super) fn chosen(options: &Value, option: Option<&str>) -> (Value, bool) {
    let all = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let found = option.and_then(|id| all.iter().find(|one| one["optionId"] == id));
    let meant: Option<OptionKind> = found.map(petition::kind);
    match (option, meant) {
        (Some(id), Some(kind)) => (selected(Some(id)), petition::may_act(kind)),
        _ => (selected(pick(options, REJECTS)), false),
    }
}

/// The answer to whatever is asked when its turn is being cancelled, or has no turn.
pub(super) fn cancelled() -> Value {
    answer(RequestPermissionOutcome::Cancelled)
}

fn selected(option: Option<&str>) -> Value {
    option.map_or_else(cancelled, |id| {
        answer(RequestPermissionOutcome::Selected(
            SelectedPermissionOutcome::new(id.to_owned()),
        ))
    })
}

fn answer(outcome: RequestPermissionOutcome) -> Value {
    serde_json::to_value(RequestPermissionResponse::new(outcome)).unwrap_or_default()
}

/// The first of these kinds that is there. By kind alone: positions and ids differ from agent to agent.
fn pick<'a>(options: &'a Value, kinds: [&str; 2]) -> Option<&'a str> {
    let options = options.as_array()?;
    kinds.iter().find_map(|kind| {
        options.iter().find(|option| option["kind"] == *kind)?["optionId"].as_str()
    })
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
    use super::{Permit, Verdict, ask, chosen, unseen};
    use crate::{
        agents::acp::tool::Tool,
        domain::{
            policy::{Asking, Grounds, Policy, Security},
            request::OptionKind,
        },
        stdx::Pause,
    };
    use serde_json::{Value, json};
    use tokio::sync::mpsc;

    fn permit(security: Security) -> Permit {
        Permit {
            policy: Policy {
                security,
                ..Policy::default()
            },
            grounds: Grounds {
                cwd: "/p".into(),
                workspace: None,
            },
            petitions: None,
            touches: None,
            pause: Pause::default(),
        }
    }

    fn decide(permit: &Permit, tool: &Tool, options: &Value, may_ask: bool) -> Verdict {
        let asked = ask(&permit.grounds, tool);
        super::decide(permit, tool, &asked, options, may_ask)
    }

    fn tool(kind: &str, command: &str) -> Tool {
        Tool {
            kind: kind.to_owned(),
            command: Some(command.to_owned()),
            ..Tool::default()
        }
    }

    fn outcome(security: Security, kind: &str, command: &str, options: &Value) -> Value {
        match decide(&permit(security), &tool(kind, command), options, true) {
            Verdict::Ruled(ruled) => ruled.outcome["outcome"].clone(),
            Verdict::Asked(_) => panic!("there is nobody to ask"),
        }
    }

    fn selected(id: &str) -> Value {
        json!({"outcome": "selected", "optionId": id})
    }

    #[test]
    fn options_are_picked_by_kind_never_by_position() {
        let options = json!([{"optionId": "A", "kind": "reject_always"}, {"optionId": "B", "kind": "allow_always"},
            {"optionId": "C", "kind": "reject_once"}, {"optionId": "D", "kind": "allow_once"}]);
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
    fn a_listed_command_earns_no_standing_permission() {
        let always = json!([{"optionId": "B", "kind": "allow_always"}, {"optionId": "A", "kind": "reject_once"}]);
        let answered = |security, kind: &str| {
            outcome(security, kind, "git status", &always)["optionId"].clone()
        };
        assert_eq!(answered(Security::Full, "execute"), "B");
        assert_eq!(answered(Security::Allowlist, "execute"), "A");
        assert_eq!(answered(Security::Deny, "read"), "A");
        let (send, _petitions) = mpsc::unbounded_channel();
        let mut asking = Permit {
            petitions: Some(send),
            ..permit(Security::Allowlist)
        };
        let status = tool("execute", "git status");
        let verdict = decide(&asking, &status, &always, true);
        assert!(matches!(verdict, Verdict::Asked(_)));
        asking.policy.ask = Asking::Off;
        let verdict = decide(&asking, &status, &always, true);
        assert!(matches!(verdict, Verdict::Ruled(ruled) if !ruled.allowed));
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

    #[test]
    fn a_link_out_of_the_directory_is_no_way_around_the_policy() {
        let (inside, outside) = (tempfile::tempdir(), tempfile::tempdir());
        let (inside, outside) = (inside.expect("a directory"), outside.expect("a directory"));
        let link = inside.path().join("docs");
        std::os::unix::fs::symlink(outside.path(), &link).expect("a link");
        std::os::unix::fs::symlink(".", inside.path().join("self")).expect("a link");
        std::fs::create_dir(inside.path().join(".git")).expect("a directory");
        std::os::unix::fs::symlink(".git", inside.path().join("hooks")).expect("a link");
        let grounds = Grounds {
            cwd: inside.path().to_owned(),
            workspace: None,
        };
        let permit = Permit {
            grounds,
            ..permit(Security::Allowlist)
        };
        let options = json!([{"optionId": "n", "kind": "reject_once"}, {"optionId": "y", "kind": "allow_once"}]);
        for (path, allowed) in [
            ("docs/new/file", false),
            ("docs", false),
            ("new/file", true),
            ("self/new", true),
            ("hooks/new", false),
        ] {
            let edit = Tool {
                kind: "edit".to_owned(),
                paths: vec![path.into()],
                ..Tool::default()
            };
            let verdict = decide(&permit, &edit, &options, true);
            assert!(
                matches!(verdict, Verdict::Ruled(ruled) if ruled.allowed == allowed),
                "{path}"
            );
        }
    }

    #[test]
    fn what_nobody_could_look_at_is_not_allowed() {
        let permit = permit(Security::Allowlist);
        let options = json!([{"optionId": "n", "kind": "reject_once"}, {"optionId": "y", "kind": "allow_once"}]);
        let edit = Tool {
            kind: "edit".to_owned(),
            paths: vec!["src/a".into()],
            ..Tool::default()
        };
        for (asked, allowed) in [(ask(&permit.grounds, &edit), true), (unseen(&edit), false)] {
            let verdict = super::decide(&permit, &edit, &asked, &options, true);
            assert!(matches!(verdict, Verdict::Ruled(ruled) if ruled.allowed == allowed));
        }
    }

    #[test]
    fn what_the_policy_leaves_open_is_handed_on_with_the_agents_own_options() {
        let (send, mut petitions) = mpsc::unbounded_channel();
        let asking = Permit {
            petitions: Some(send),
            ..permit(Security::Allowlist)
        };
        let options = json!([{"optionId": "n", "name": "No", "kind": "reject_once"}, {"optionId": "y", "name": "Yes", "kind": "allow_once"},
            {"optionId": "q", "kind": "from_the_future"}, {"name": "no id"}]);
        let push = tool("execute", "git push");
        assert!(matches!(
            decide(&asking, &push, &options, true),
            Verdict::Asked(_)
        ));
        let petition = petitions.try_recv().expect("it was handed on");
        assert_eq!(
            (petition.title.as_str(), petition.detail.as_deref()),
            ("git push", Some("$ git push"))
        );
        let kinds: Vec<_> = petition
            .options
            .iter()
            .map(|one| (one.id.as_str(), one.kind))
            .collect();
        assert_eq!(
            kinds,
            [
                ("n", OptionKind::RejectOnce),
                ("y", OptionKind::AllowOnce),
                ("q", OptionKind::Choice)
            ]
        );
        let only_no = json!([{"optionId": "n", "kind": "reject_once"}]);
        for (options, room) in [(&only_no, true), (&options, false)] {
            let verdict = decide(&asking, &push, options, room);
            assert!(matches!(verdict, Verdict::Ruled(ruled) if !ruled.allowed));
        }
    }

    #[test]
    fn a_choice_is_one_of_the_options_or_a_no() {
        let options = json!([{"optionId": "n", "kind": "reject_once"}, {"optionId": "y", "kind": "allow_once"}]);
        for (option, id, may_act) in [
            (Some("y"), "y", true),
            (Some("n"), "n", false),
            (Some("?"), "n", false),
            (None, "n", false),
        ] {
            let (answer, acts) = chosen(&options, option);
            assert_eq!((&answer["outcome"], acts), (&selected(id), may_act));
        }
    }
}
