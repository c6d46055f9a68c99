//! An agent is started, asked and ended: what it can do, whether somebody has logged in, and what else it lacks.

use super::verbs::AgentVerbs;
use crate::{
    agents::acp::{Link, Opening},
    domain::{
        agent::AgentDefinition,
        fault::{ErrorKind, Fault},
        finding::{Diagnosis, Finding},
        probe::{Login, Probe},
    },
    stdx::scratch::Scratch,
};
use std::{path::Path, time::Instant};

/// Starts it in an empty folder and opens a session there, as only that tells whether it lets us in. It is never told to authenticate: what
/// would follow, a browser among it, is for a person to begin.
pub(super) async fn probe(verbs: &AgentVerbs, id: &str) -> Result<Probe, Fault> {
    let scratch = Scratch::new("eyas-probe-").map_err(Fault::internal)?;
    let stockroom = &verbs.stockroom;
    let (values, policy) = (stockroom.values(None), &verbs.settings.policy.base);
    let mut launch = stockroom.launch(id, scratch.path().to_owned(), &values, &[], policy)?;
    launch.equipment = None;
    let program = verbs.view(id)?.path.unwrap_or_default();
    let begun = Instant::now();
    let link = launch.link(&stockroom.launcher, &stockroom.lineage).await?;
    let hello_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (login, detail) = lets_in(&link, scratch.path()).await;
    let can = link.capabilities().clone();
    link.close().await;
    Ok(Probe {
        agent: id.to_owned(),
        program,
        protocol_version: 1,
        load: can.load,
        resume: can.resume,
        close: can.close,
        system_prompt: can.system_prompt,
        auth_methods: can.logins().to_vec(),
        name: can.agent_name,
        version: can.agent_version,
        login,
        detail,
        hello_ms,
    })
}

async fn lets_in(link: &Link, cwd: &Path) -> (Login, Option<String>) {
    let opening = Opening {
        cwd: cwd.to_owned(),
        ..Opening::default()
    };
    match link.open(opening).await {
        Ok(opened) => {
            link.close_session(&opened.session).await;
            (Login::Ready, None)
        }
        Err(fault) if fault.kind == ErrorKind::AgentAuth => (Login::Needed, Some(told(fault))),
        Err(fault) => (Login::Unknown, Some(told(fault))),
    }
}

fn told(fault: Fault) -> String {
    match fault.hint {
        Some(hint) => format!("{}; {hint}", fault.detail),
        None => fault.detail,
    }
}

/// Looks at its definition, its program and its environment, then asks it.
pub(super) async fn doctor(verbs: &AgentVerbs, id: &str) -> Result<Diagnosis, Fault> {
    let view = verbs.view(id)?;
    let definition = &view.definition;
    let mut findings = vec![match (&view.path, view.found_by) {
        (Some(path), Some(by)) => {
            let version = view
                .installed_version
                .as_deref()
                .map(|version| format!(" {version}"));
            Finding::fine(format!(
                "{id}{}: {path} ({})",
                version.unwrap_or_default(),
                by.as_str()
            ))
        }
        _ => return Ok(Diagnosis::of(vec![absent(verbs, id)], true)),
    }];
    findings.extend(pinned(verbs, definition));
    match probe(verbs, id).await {
        Ok(probe) => findings.extend(heard(&probe, definition)),
        Err(fault) => {
            let finding = Finding::wrong(fault.detail);
            findings.push(match fault.hint {
                Some(hint) => finding.hint(hint),
                None => finding,
            });
        }
    }
    if let Some(trust) = &definition.capabilities.trust {
        findings.push(Finding::notice(trust.clone()));
    }
    Ok(Diagnosis::of(findings, true))
}

fn absent(verbs: &AgentVerbs, id: &str) -> Finding {
    match verbs.desk.find(id, None) {
        Err(fault) => Finding::wrong(fault.detail).hint(fault.hint.unwrap_or_default()),
        Ok(_) => Finding::notice(format!("{id} came while it was looked for")),
    }
}

/// A pin that is not what the depot has.
fn pinned(verbs: &AgentVerbs, definition: &AgentDefinition) -> Option<Finding> {
    let depot = verbs.desk.depot();
    let pin = match depot.lock_file().pin(&definition.id) {
        Ok(pin) => pin?,
        Err(fault) => return Some(Finding::wrong(fault.detail)),
    };
    let held = depot.used(definition).ok();
    let fits = held.is_some_and(|held| held.receipt.digest == pin.digest);
    Some(if fits {
        Finding::fine(format!("agents.lock pins {} of {}", pin.version, pin.from))
    } else {
        Finding::notice(format!(
            "agents.lock pins {}, which is not what is in the depot",
            pin.version
        ))
        .hint(format!("eyas agent install {}", definition.id))
    })
}

fn heard(probe: &Probe, definition: &AgentDefinition) -> Vec<Finding> {
    let version = probe.version.as_deref().unwrap_or("of an unknown version");
    let can = [
        ("load", probe.load),
        ("resume", probe.resume),
        ("close", probe.close),
        ("system prompt", probe.system_prompt),
    ];
    let can: Vec<&str> = can
        .iter()
        .filter_map(|(name, is)| is.then_some(*name))
        .collect();
    let can = if can.is_empty() {
        "nothing beyond a session".to_owned()
    } else {
        can.join(", ")
    };
    let hello = Finding::fine(format!(
        "it says hello after {} ms: {} {version}; it can: {can}",
        probe.hello_ms, probe.name
    ));
    let detail = probe.detail.clone().unwrap_or_default();
    let login = match probe.login {
        Login::Ready => Finding::fine("it opens a session"),
        Login::Needed => {
            let how = definition.capabilities.login.clone();
            let how = how.unwrap_or_else(|| probe.auth_methods.join("; or "));
            Finding::wrong(format!("it wants somebody to log in: {detail}")).hint(how)
        }
        Login::Unknown => Finding::wrong(format!("it opens no session: {detail}")),
    };
    vec![hello, login]
}
