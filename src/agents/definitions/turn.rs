//! The CLIs that come with the binary, and what they are told of a policy. Each was looked at in the version that the README names.

use super::{builtin, policy};
use crate::domain::{
    agent::{AgentDefinition, Launch},
    policy::{Asking, Policy, Security, guarded},
    turn_form::{NamedBy, Output, PolicyWords, Told, ToolsBy, TurnForm, Words},
};
use serde_json::json;

/// What `claude` may not even try where nothing may happen: a deny rule outweighs whatever a file of the project allows.
const CLAUDE_ACTS: &str =
    "Edit,Write,NotebookEdit,Bash,Monitor,WebFetch,WebSearch,EnterWorktree,Workflow,CronCreate";

/// The definitions of CLIs that are run once a turn whatever else is installed. They take the same from their environment as those of `speaking`
/// that are named as they are.
pub(super) fn all(speaking: &[AgentDefinition]) -> Vec<AgentDefinition> {
    let named = [
        (
            "claude",
            "Claude Code",
            "@anthropic-ai/claude-code",
            "2.1.329",
        ),
        ("codex", "Codex", "@openai/codex", "0.169.0"),
        ("gemini", "Gemini CLI", "@google/gemini-cli", "0.61.0"),
        ("opencode", "OpenCode", "opencode-ai", "1.18.33"),
    ];
    let of = |(program, name, package, version): (&str, &str, &str, &str)| {
        let kin = speaking.iter().find(|one| one.id == program)?;
        let definition = AgentDefinition {
            id: format!("{program}-cli"),
            name: format!("{name}, once a turn"),
            launch: Launch {
                command: program.to_owned(),
                args: Vec::new(),
                env: kin.launch.env.clone(),
            },
            turn: Some(TurnForm {
                command: None,
                ..kin.turn.clone()?
            }),
            ..kin.clone()
        };
        Some(builtin::had(
            definition,
            Some(version),
            builtin::npm(package, program),
        ))
    };
    named.into_iter().filter_map(of).collect()
}

/// The form of an agent that is known by this id, for when its program that speaks ACP is not there.
pub(super) fn of(id: &str) -> Option<TurnForm> {
    let form = match id {
        "claude" => claude(),
        "codex" => codex(),
        "gemini" => gemini(),
        "opencode" => opencode(),
        _ => return None,
    };
    Some(TurnForm {
        command: Some(id.to_owned()),
        ..form
    })
}

/// What an agent that cannot ask is told: where every act is to be asked about, none may happen.
#[must_use]
pub fn told_by_turn(policy: &Policy) -> Security {
    match policy.ask {
        Asking::Always => Security::Deny,
        Asking::Off | Asking::OnMiss => policy.security,
    }
}

fn claude() -> TurnForm {
    let flags = |args: &[&str]| {
        Some(Told {
            args: words(args),
            ..Told::default()
        })
    };
    let guards: Vec<String> = guarded()
        .iter()
        .flat_map(|name| {
            [
                format!("Edit(./**/{name})"),
                format!("Edit(./**/{name}/**)"),
            ]
        })
        .collect();
    let rules = json!({"permissions": {"allow": ["Edit(./**)"], "deny": guards}}).to_string();
    let mut args = words(&[
        "--print",
        "--verbose",
        "--output-format",
        "stream-json",
        "{policy}",
    ]);
    args.extend([
        together(&["--model", "{model}"]),
        together(&["--append-system-prompt-file", "{persona_file}"]),
        together(&[
            "--mcp-config",
            "{tools_file}",
            "--allowedTools",
            "mcp__{tools}",
        ]),
    ]);
    TurnForm {
        args,
        start: vec![together(&["--session-id", "{session}"])],
        resume: Some(words(&["--resume", "{session}"])),
        latest: Some(words(&["--continue"])),
        output: Output::Claude,
        named_by: NamedBy::Eyas,
        tools: Some(ToolsBy::File),
        policy: PolicyWords {
            deny: flags(&[
                "--permission-mode",
                "default",
                "--disallowedTools",
                CLAUDE_ACTS,
            ]),
            allowlist: flags(&["--permission-mode", "default", "--settings", &rules]),
            full: flags(&["--permission-mode", "bypassPermissions"]),
        },
        ..TurnForm::default()
    }
}

fn codex() -> TurnForm {
    let sandbox = |mode: &str, gap: Option<&str>| {
        Some(Told {
            args: words(&["--sandbox", mode, "-c", "approval_policy=\"never\""]),
            gap: gap.map(str::to_owned),
            ..Told::default()
        })
    };
    let mut args = words(&["exec", "--json", "--skip-git-repo-check", "{policy}"]);
    args.push(together(&["--model", "{model}"]));
    args.extend(words(&["{form}", "-"]));
    TurnForm {
        args,
        resume: Some(words(&["resume", "{session}"])),
        latest: Some(words(&["resume", "--last"])),
        output: Output::Codex,
        tools: Some(ToolsBy::Codex),
        policy: PolicyWords {
            deny: sandbox("read-only", None),
            allowlist: sandbox(
                "workspace-write",
                Some("runs any command in its own sandbox, which writes only to the directory"),
            ),
            full: sandbox("danger-full-access", None),
        },
        ..TurnForm::default()
    }
}

fn gemini() -> TurnForm {
    let mode = |mode: &str| {
        Some(Told {
            args: words(&["--approval-mode", mode]),
            ..Told::default()
        })
    };
    let mut args = words(&["--output-format", "stream-json", "{policy}"]);
    args.push(together(&["--model", "{model}"]));
    TurnForm {
        args,
        start: words(&["--session-id", "{session}"]),
        resume: Some(words(&["--resume", "{session}"])),
        latest: Some(words(&["--resume", "latest"])),
        output: Output::Gemini,
        named_by: NamedBy::Eyas,
        policy: PolicyWords {
            deny: mode("default"),
            allowlist: mode("auto_edit"),
            full: mode("yolo"),
        },
        ..TurnForm::default()
    }
}

fn opencode() -> TurnForm {
    let rules = |security| {
        Some(Told {
            env: policy::opencode_by_turn(security),
            ..Told::default()
        })
    };
    let mut args = words(&["run", "--format", "json"]);
    args.push(together(&["--model", "{model}"]));
    args.extend(words(&["{form}", "{policy}"]));
    TurnForm {
        args,
        resume: Some(words(&["--session", "{session}"])),
        latest: Some(words(&["--continue"])),
        output: Output::Opencode,
        tools: Some(ToolsBy::Opencode),
        policy: PolicyWords {
            deny: rules(Security::Deny),
            allowlist: rules(Security::Allowlist),
            full: rules(Security::Full),
        },
        ..TurnForm::default()
    }
}

fn words(args: &[&str]) -> Vec<Words> {
    args.iter().map(|&arg| Words::One(arg.to_owned())).collect()
}

fn together(args: &[&str]) -> Words {
    Words::Together(args.iter().map(|&arg| arg.to_owned()).collect())
}

#[cfg(test)]
mod tests;
