//! Agents in words.

use super::super::table::{details, table, word};
use crate::api::agent::AgentReset;
use crate::domain::{
    agent::Agent,
    distribution::Installed,
    finding::{Diagnosis, Level},
    probe::{Login, Probe},
};

pub(super) fn list(agents: &[Agent], width: Option<u16>) -> String {
    let rows = agents.iter().map(|agent| {
        let place = match (&agent.installing, agent.installed) {
            (Some(now), _) => format!("being installed: {}", now.step),
            (None, true) => agent.path.clone().unwrap_or_default(),
            (None, false) => agent
                .definition
                .install
                .clone()
                .map(|how| format!("install: {how}"))
                .unwrap_or_default(),
        };
        let installed = match (&agent.installed_version, agent.installed) {
            (Some(version), _) => version.clone(),
            (None, true) => "yes".to_owned(),
            (None, false) => "no".to_owned(),
        };
        [
            agent.definition.id.clone(),
            installed,
            agent
                .found_by
                .map(|by| by.as_str().to_owned())
                .unwrap_or_default(),
            agent.definition.name.clone(),
            place,
        ]
    });
    table(["AGENT", "INSTALLED", "FROM", "NAME", "WHERE"], rows, width)
}

pub(super) fn full(agent: &Agent) -> String {
    let definition = &agent.definition;
    let launch = &definition.launch;
    let can = &definition.capabilities;
    let sources: Vec<&str> = definition
        .distribution
        .kinds()
        .iter()
        .map(|kind| kind.as_str())
        .collect();
    let depot: Vec<String> = agent.depot.iter().map(version).collect();
    details([
        ("id", definition.id.clone()),
        ("name", definition.name.clone()),
        (
            "installed",
            if agent.installed { "yes" } else { "no" }.to_owned(),
        ),
        (
            "version",
            agent.installed_version.clone().unwrap_or_default(),
        ),
        ("path", agent.path.clone().unwrap_or_default()),
        (
            "found by",
            agent
                .found_by
                .map(|by| by.as_str().to_owned())
                .unwrap_or_default(),
        ),
        ("depot", depot.join("\n")),
        (
            "launch",
            [std::slice::from_ref(&launch.command), &launch.args]
                .concat()
                .join(" "),
        ),
        ("served", definition.transport.kind.as_str().to_owned()),
        ("sees", definition.env.pass.join(" ")),
        ("needs", definition.env.required.join(" ")),
        ("persona", word(can.persona)),
        ("asks", word(can.asks)),
        ("reads", can.reads.join(" ")),
        ("trust", can.trust.clone().unwrap_or_default()),
        ("log in", can.login.clone().unwrap_or_default()),
        ("sources", sources.join(" ")),
        ("install", definition.install.clone().unwrap_or_default()),
    ])
}

/// What was installed, and what vouches for it.
pub(super) fn reset(reset: &AgentReset) -> String {
    if reset.was_broken {
        format!("{} is started again when it is needed", reset.id)
    } else {
        format!("nothing stood against {}", reset.id)
    }
}

pub(super) fn installed(agent: &Agent) -> String {
    let used = agent.depot.iter().find(|one| one.used);
    let used = used.map(version).unwrap_or_default();
    format!(
        "{} {used}\n{}",
        agent.definition.id,
        agent.path.as_deref().unwrap_or_default()
    )
}

fn version(one: &Installed) -> String {
    let used = if one.used { ", used" } else { "" };
    let digest = one.digest.as_deref().map(|digest| format!(", {digest}"));
    format!(
        "{} from {} ({}; vouched for by: {}{}{used})",
        one.version,
        one.source.as_str(),
        one.from,
        word(one.vouched),
        digest.unwrap_or_default(),
    )
}

pub(super) fn probe(probe: &Probe) -> String {
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
    let login = match probe.login {
        Login::Ready => "ready: it opens a session",
        Login::Needed => "somebody must log in",
        Login::Unknown => "unknown: it opens no session",
    };
    details([
        ("agent", probe.agent.clone()),
        ("program", probe.program.clone()),
        (
            "calls itself",
            format!(
                "{} {}",
                probe.name,
                probe.version.as_deref().unwrap_or_default()
            ),
        ),
        ("protocol", probe.protocol_version.to_string()),
        ("hello", format!("{} ms", probe.hello_ms)),
        ("can", can.join(", ")),
        ("login", login.to_owned()),
        ("why", probe.detail.clone().unwrap_or_default()),
        ("log in by", probe.auth_methods.join("\n")),
    ])
}

/// As the home's own doctor says it: what is wrong comes last.
pub(super) fn diagnosis(seen: &Diagnosis) -> String {
    let mut findings: Vec<_> = seen.findings.iter().collect();
    findings.sort_by_key(|one| one.level);
    let mut lines = Vec::new();
    for one in findings {
        let mark = match one.level {
            Level::Fine => "fine  ",
            Level::Notice => "note  ",
            Level::Wrong => "WRONG ",
        };
        lines.push(format!("{mark} {}", one.what));
        lines.extend(one.hint.iter().map(|hint| format!("        {hint}")));
    }
    lines.join("\n")
}
