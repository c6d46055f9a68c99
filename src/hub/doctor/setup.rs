//! Settings that cannot work, or not as they look.

use super::Look;
use crate::{domain::finding::Finding, runs::HOST_CAP};
use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

pub(super) fn look(look: Look<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(env_file(look));
    findings.extend(policy(look));
    findings.extend(numbers(look));
    findings.extend(git(look));
    if findings.is_empty() {
        findings.push(Finding::fine("the settings can work as they are"));
    }
    findings
}

fn env_file(look: Look<'_>) -> Option<Finding> {
    let path = look.settings.agent.env_file.as_ref()?;
    let shown = path.display();
    match fs::metadata(path) {
        Err(error) => Some(
            Finding::wrong(format!("agent.env_file {shown} cannot be read: {error}"))
                .hint("write NAME=value lines to it, mode 0600, or take the setting out"),
        ),
        Ok(found) if found.mode() & 0o077 != 0 => Some(
            Finding::wrong(format!(
                "agent.env_file {shown} is open to other users, and is not read"
            ))
            .hint(format!("chmod 600 {shown}")),
        ),
        Ok(_) => None,
    }
}

fn policy(look: Look<'_>) -> Option<Finding> {
    let policy = &look.settings.policy;
    (!policy.ceiling.bears(policy.base)).then(|| {
        Finding::notice("`policy.security` or `policy.ask` goes beyond `policy.max_security` or `policy.max_ask`")
            .hint("the lower one holds")
    })
}

fn numbers(look: Look<'_>) -> Vec<Finding> {
    let settings = look.settings;
    let mut findings = Vec::new();
    let cap = u64::try_from(HOST_CAP).unwrap_or(u64::MAX);
    if settings.warm.max_concurrent > cap {
        findings.push(Finding::notice(format!(
            "`warm.max_concurrent` is {}, and a hub works on {cap} attempts at once",
            settings.warm.max_concurrent
        )));
    }
    if settings.worktrees.max == 0 {
        findings.push(Finding::notice(
            "`worktrees.max` is 0: no run can have a worktree",
        ));
    }
    if settings.hierarchy.max_depth == 0 {
        findings.push(Finding::notice(
            "`hierarchy.max_depth` is 0: no agent can delegate",
        ));
    }
    if settings.limits.prompt_bytes == 0 {
        let finding = Finding::wrong("`limits.prompt_bytes` is 0: no prompt is short enough");
        findings.push(finding.hint("take the setting out"));
    }
    let silence = [
        ("runs.first_output_ms", settings.runs.first_output_ms),
        ("runs.stall_ms", settings.runs.stall_ms),
    ];
    for (name, ms) in silence
        .into_iter()
        .filter(|(_, ms)| (1..1_000).contains(ms))
    {
        findings.push(
            Finding::wrong(format!(
                "`{name}` is {ms} ms: agents are given up before they can think"
            ))
            .hint("0 is for ever; the default fits most"),
        );
    }
    findings
}

fn git(look: Look<'_>) -> Option<Finding> {
    let path = look
        .values
        .get("PATH")
        .or_else(|| look.env.vars.get("PATH"))?;
    let is_there = |folder: &str| {
        let git = Path::new(folder).join("git");
        fs::metadata(git).is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0)
    };
    (!path.split(':').any(is_there)).then(|| {
        Finding::notice("there is no git on the PATH: no run can have a worktree, and none can say what it changed")
            .hint("install git 2.33 or later")
    })
}
