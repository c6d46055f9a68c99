//! What hubs that died left, and what was done about it.

use super::Look;
use crate::{
    agents::process,
    domain::{
        finding::{Finding, Recovery},
        ids::RunId,
    },
    hub::recovery,
    workspace::worktree::Plan,
};
use std::{fs, path::Path};

/// Of many only some are named.
const NAMED: usize = 5;

pub(super) fn look(look: Look<'_>) -> Vec<Finding> {
    let data = &look.settings.data;
    let mut findings = Vec::new();
    if let Some(recovery) = recovery::last(data) {
        findings.extend(done(&recovery));
    }
    findings.extend(processes(data));
    findings.extend(worktrees(&look.settings.worktrees_dir));
    findings
}

/// What the last hub that began found, in words.
fn done(recovery: &Recovery) -> Vec<Finding> {
    let mut parts = Vec::new();
    let runs: Vec<String> = recovery.runs.iter().map(RunId::to_string).collect();
    if !runs.is_empty() {
        parts.push(format!(
            "took {} runs from a hub that died: {}",
            runs.len(),
            some(&runs)
        ));
    }
    if !recovery.processes.is_empty() {
        let pids: Vec<String> = recovery.processes.iter().map(u32::to_string).collect();
        parts.push(format!(
            "ended {} processes that were left: {}",
            pids.len(),
            some(&pids)
        ));
    }
    if recovery.records > 0 {
        parts.push(format!("removed {} records of processes", recovery.records));
    }
    if !recovery.worktrees.is_empty() {
        let many = recovery.worktrees.len();
        parts.push(format!(
            "removed {many} worktrees in which nothing would be lost: {}",
            some(&recovery.worktrees)
        ));
    }
    let at = recovery.at;
    if parts.is_empty() && recovery.complete {
        return vec![Finding::fine(format!(
            "the hub that began at {at} found nothing left by another"
        ))];
    }
    if !recovery.complete {
        parts.push("has not looked, or did not come to look, at all worktrees".to_owned());
    }
    let said = |part: String| Finding::notice(format!("the hub that began at {at} {part}"));
    parts.into_iter().map(said).collect()
}

fn some(names: &[String]) -> String {
    let named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    match names.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Agents whose hub is gone and that are still there; their shims end them within moments.
fn processes(data: &Path) -> Option<Finding> {
    let left = process::left(&data.join("processes"));
    if left.is_empty() {
        return None;
    }
    let pids: Vec<String> = left.iter().map(u32::to_string).collect();
    Some(
        Finding::notice(format!(
            "{} processes outlive the hub that started them: {}",
            pids.len(),
            some(&pids)
        ))
        .hint("the next hub ends them by their identity records"),
    )
}

/// Worktrees that were never made whole. A hub makes some just now, perhaps: they are no fault.
fn worktrees(folder: &Path) -> Option<Finding> {
    let entries = fs::read_dir(folder).ok()?;
    let paths = entries.flatten().map(|entry| entry.path());
    let half: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| path.with_extension(""))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.parse::<RunId>().is_ok())
                && Plan::noted(path).is_ok_and(|plan| !plan.made)
        })
        .map(|path| path.display().to_string())
        .collect();
    (!half.is_empty()).then(|| {
        Finding::notice(format!(
            "{} worktrees are not made, or half made: {}",
            half.len(),
            some(&half)
        ))
        .hint("their attempts make them; what nobody needs any more goes when a hub begins")
    })
}
