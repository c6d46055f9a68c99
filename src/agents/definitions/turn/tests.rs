use super::{builtin, of, told_by_turn};
use crate::domain::{
    policy::{Asking, Policy, Security},
    turn_form::{Turn, Values},
};

const ID: &str = "0b5c7a3e-7d7e-4a51-9a55-0c1f5d3a1b2c";

/// The arguments, those of the policy left out.
fn args(id: &str, turn: Turn<'_>, values: &Values<'_>) -> Vec<String> {
    let mut form = of(id).expect("a form");
    form.policy = super::PolicyWords::default();
    form.arguments(turn, values).expect("arguments")
}

fn line(id: &str, turn: Turn<'_>) -> String {
    args(id, turn, &Values::default()).join(" ")
}

#[test]
fn claude_is_told_its_turn_by_these_flags() {
    let rest = "--print --verbose --output-format stream-json";
    for (turn, form) in [
        (Turn::Start(Some(ID)), format!("--session-id {ID} ")),
        (Turn::Start(None), String::new()),
        (Turn::ResumeLatest, "--continue ".to_owned()),
        (Turn::ResumeById(ID), format!("--resume {ID} ")),
        (Turn::FollowUp(Some(ID)), format!("--resume {ID} ")),
        (Turn::FollowUp(None), "--continue ".to_owned()),
    ] {
        assert_eq!(line("claude", turn), format!("{form}{rest}"), "{turn:?}");
    }
    let values = Values {
        model: Some("opus"),
        persona_file: Some("/f/persona.md"),
        tools: Some("eyas_1"),
        tools_file: Some("/f/tools.json"),
        ..Values::default()
    };
    assert_eq!(
        args("claude", Turn::Start(None), &values).join(" "),
        format!(
            "{rest} --model opus --append-system-prompt-file /f/persona.md --mcp-config /f/tools.json --allowedTools mcp__eyas_1"
        )
    );
}

#[test]
fn the_others_are_told_theirs() {
    for (id, turn, expected) in [
        (
            "codex",
            Turn::Start(None),
            "exec --json --skip-git-repo-check -".to_owned(),
        ),
        (
            "codex",
            Turn::ResumeById(ID),
            format!("exec --json --skip-git-repo-check resume {ID} -"),
        ),
        (
            "codex",
            Turn::ResumeLatest,
            "exec --json --skip-git-repo-check resume --last -".to_owned(),
        ),
        (
            "gemini",
            Turn::Start(Some(ID)),
            format!("--session-id {ID} --output-format stream-json"),
        ),
        (
            "gemini",
            Turn::FollowUp(Some(ID)),
            format!("--resume {ID} --output-format stream-json"),
        ),
        (
            "gemini",
            Turn::FollowUp(None),
            "--resume latest --output-format stream-json".to_owned(),
        ),
        (
            "opencode",
            Turn::Start(None),
            "run --format json".to_owned(),
        ),
        (
            "opencode",
            Turn::ResumeById("ses_1"),
            "run --format json --session ses_1".to_owned(),
        ),
        (
            "opencode",
            Turn::FollowUp(None),
            "run --format json --continue".to_owned(),
        ),
    ] {
        assert_eq!(line(id, turn), expected, "{id} {turn:?}");
    }
}

#[test]
fn all_forms_can_be_used_and_take_the_prompt_where_nobody_sees_it() {
    let by_turn = builtin::all()
        .into_iter()
        .filter(|one| one.by_turn().is_some());
    for definition in by_turn {
        let form = definition.turn.as_ref().expect("a form");
        assert_eq!(form.check(), Ok(()), "{}", definition.id);
        assert_eq!(form.command, None);
        assert!(!form.names("prompt"), "{}", definition.id);
        for security in [Security::Deny, Security::Allowlist, Security::Full] {
            assert!(form.policy.under(security).is_some(), "{}", definition.id);
        }
    }
}

#[test]
fn each_is_told_the_policy_in_its_own_words() {
    let under = |id: &str, security| {
        let values = Values {
            security,
            ..Values::default()
        };
        let form = of(id).expect("a form");
        form.arguments(Turn::Start(Some(ID)), &values)
            .expect("arguments")
            .join(" ")
    };
    for (id, security, words) in [
        ("claude", Security::Deny, "--disallowedTools Edit,Write,"),
        ("claude", Security::Allowlist, r#""allow":["Edit(./**)"]"#),
        ("claude", Security::Allowlist, "Edit(./**/.git/**)"),
        (
            "claude",
            Security::Full,
            "--permission-mode bypassPermissions",
        ),
        (
            "codex",
            Security::Deny,
            "--sandbox read-only -c approval_policy=\"never\"",
        ),
        ("codex", Security::Allowlist, "--sandbox workspace-write"),
        ("codex", Security::Full, "--sandbox danger-full-access"),
        ("gemini", Security::Deny, "--approval-mode default"),
        ("gemini", Security::Allowlist, "--approval-mode auto_edit"),
        ("gemini", Security::Full, "--approval-mode yolo"),
    ] {
        assert!(under(id, security).contains(words), "{id} {security:?}");
    }
    let opencode = of("opencode").expect("a form").policy;
    for (told, edit, bash) in [
        (opencode.deny, "deny", "deny"),
        (opencode.full, "allow", "allow"),
    ] {
        let env = told.expect("told").env;
        let rules: serde_json::Value =
            serde_json::from_str(&env["OPENCODE_PERMISSION"]).expect("json");
        assert_eq!(
            (&rules["edit"], &rules["bash"]),
            (&edit.into(), &bash.into())
        );
    }
    let env = opencode.allowlist.expect("told").env;
    let rules: serde_json::Value = serde_json::from_str(&env["OPENCODE_PERMISSION"]).expect("json");
    assert_eq!(rules["edit"]["*"], "allow");
    assert_eq!(rules["edit"]["*.envrc"], "deny");
    assert_eq!(rules["bash"], "ask");
}

#[test]
fn who_cannot_ask_does_nothing_that_is_always_to_be_asked_about() {
    let of = |security, ask| {
        told_by_turn(&Policy {
            security,
            ask,
            ..Policy::default()
        })
    };
    assert_eq!(of(Security::Full, Asking::Always), Security::Deny);
    assert_eq!(of(Security::Full, Asking::OnMiss), Security::Full);
    assert_eq!(of(Security::Allowlist, Asking::Off), Security::Allowlist);
}
