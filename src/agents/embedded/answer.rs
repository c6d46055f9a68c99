//! The whole answer to a prompt: the report, and the conclusion that ends it.

use super::{
    prompt::Prompt,
    report::{self, Stand},
    survey::{Findings, plain},
};
use crate::domain::conclusion::ConclusionStatus;
use serde::Serialize;

/// Files that a conclusion cites.
const MAX_ARTIFACTS: usize = 6;

/// What is said, in the order in which it is said; the conclusion is the last.
pub(super) fn answer(stand: &Stand, prompt: &Prompt, findings: &Findings) -> Vec<String> {
    let mut parts = report::sections(stand, prompt, findings);
    parts.push(block(&conclude(stand, prompt, findings)));
    parts
}

#[derive(Debug, Serialize)]
struct Conclusion {
    status: ConclusionStatus,
    summary: String,
    artifacts: Vec<String>,
    memory_refs: Vec<String>,
    follow_up: String,
    questions: Vec<String>,
    confidence: f64,
    warnings: Vec<String>,
}

fn conclude(stand: &Stand, prompt: &Prompt, findings: &Findings) -> Conclusion {
    let mut warnings = Vec::new();
    if let Some(verb) = &prompt.change {
        warnings.push(format!(
            "facts_only: asked to {verb}; no model is configured, so nothing was changed or run"
        ));
    } else if let Some(agent) = &stand.instead_of {
        let agent = plain(agent, 60);
        warnings.push(format!(
            "facts_only: the surveyor answered instead of \"{agent}\", which is not installed"
        ));
    }
    if let Some(cut) = &findings.cut {
        warnings.push(format!("the survey ended {cut}"));
    }
    let partial = prompt.change.is_some() || stand.instead_of.is_some();
    Conclusion {
        status: if partial {
            ConclusionStatus::Partial
        } else {
            ConclusionStatus::Success
        },
        summary: summary(prompt, findings),
        artifacts: artifacts(findings),
        memory_refs: Vec::new(),
        follow_up: follow_up(stand, partial),
        questions: Vec::new(),
        confidence: confidence(prompt, findings),
        warnings,
    }
}

fn follow_up(stand: &Stand, partial: bool) -> String {
    match &stand.install {
        Some(command) => format!("Install the agent: {}", plain(command, 200)),
        None if partial => "Delegate this to an agent with a model; see agent.list.".to_owned(),
        None => String::new(),
    }
}

/// A few sentences that no other prompt and no other project would get.
fn summary(prompt: &Prompt, findings: &Findings) -> String {
    let tree = &findings.tree;
    let lines: usize = tree.languages.iter().map(|(_, _, lines)| lines).sum();
    let number = report::number;
    let mut parts = Vec::new();
    if prompt.change.is_some() {
        parts.push("Facts only, nothing was changed or run.".to_owned());
    }
    if !prompt.words.is_empty() {
        parts.push(found(prompt, findings));
    }
    parts.push(format!(
        "{}: {} files, {} lines{}.",
        findings.name,
        number(tree.files),
        number(lines),
        tree.main
            .map_or_else(String::new, |main| format!(", mostly {main}")),
    ));
    if let Some(entry) = findings.manifests.entries.first() {
        parts.push(format!("Entry: {} ({}).", entry.path, entry.what));
    }
    let commands: Vec<String> = findings
        .manifests
        .commands
        .iter()
        .take(2)
        .map(|command| format!("`{}`", command.line))
        .collect();
    if !commands.is_empty() {
        parts.push(format!("Commands: {}.", commands.join(", ")));
    }
    if findings.notes.total > 0 {
        parts.push(format!(
            "{} TODO or FIXME notes.",
            number(findings.notes.total)
        ));
    }
    parts.join(" ")
}

fn found(prompt: &Prompt, findings: &Findings) -> String {
    let words: Vec<String> = prompt
        .words
        .iter()
        .take(4)
        .map(|word| format!("`{}`", plain(&word.shown, 40)))
        .collect();
    let words = words.join(", ");
    let best: Vec<String> = findings
        .matches
        .iter()
        .take(3)
        .map(|found| match found.best {
            Some(number) => format!("{}:{number}", found.path),
            None => found.path.clone(),
        })
        .collect();
    match &best[..] {
        [] => format!("Nothing was found for {words}."),
        best => format!("For {words} look first at {}.", best.join(", ")),
    }
}

/// Paths that are there: the best files, or without words what a newcomer opens first.
fn artifacts(findings: &Findings) -> Vec<String> {
    let best = findings.matches.iter().filter(|found| found.exact);
    let mut paths: Vec<String> = best
        .map(|found| found.path.clone())
        .take(MAX_ARTIFACTS)
        .collect();
    if paths.is_empty() {
        let readme = findings.readme.iter().map(|readme| readme.path.clone());
        let manifests = findings.manifests.commands.iter().map(|c| c.from.clone());
        for path in readme.chain(manifests) {
            if !paths.contains(&path) && paths.len() < MAX_ARTIFACTS {
                paths.push(path);
            }
        }
    }
    // A path that had to be shortened or freed of control characters is not a path any more.
    paths.retain(|path| !path.ends_with('…') && !path.contains('‹'));
    paths
}

/// How sure it is that these facts are what was asked for.
fn confidence(prompt: &Prompt, findings: &Findings) -> f64 {
    let mut sure: f64 = match (prompt.words.is_empty(), findings.matches.is_empty()) {
        (true, _) => 0.8,
        (false, true) => 0.3,
        (false, false) if findings.missing.is_empty() => 0.7,
        (false, false) => 0.5,
    };
    if prompt.change.is_some() {
        sure = sure.min(0.4);
    }
    if findings.cut.is_some() {
        sure -= 0.1;
    }
    (sure * 10.0).round() / 10.0
}

/// The block that ends an answer. JSON where YAML cannot be written, as both are read.
fn block(conclusion: &Conclusion) -> String {
    let text = serde_saphyr::to_string(conclusion)
        .or_else(|_| serde_json::to_string(conclusion))
        .unwrap_or_else(|_| "status: partial".to_owned());
    format!("<eyas:conclusion>\n{}\n</eyas:conclusion>", text.trim_end())
}
