//! A run with those that its agent delegated, as a tree.

use super::{
    context::heard,
    names::Names,
    table::{one_line, table},
};
use crate::{
    api::run::{RunApiClient, RunList},
    domain::{fault::Fault, run::Run},
};

/// Runs shown below one; more are named by `eyas run list --parent`.
const SHOWN: usize = 50;

/// The runs below one, each with its level from 0, a parent before its children and the oldest first.
pub(super) async fn below(
    client: &(impl RunApiClient + Sync),
    run: &Run,
) -> Result<Vec<(usize, Run)>, Fault> {
    let mut found = Vec::new();
    let mut next: Vec<(usize, Run)> = Vec::new();
    let mut at = (0, run.clone());
    loop {
        let (level, run) = at;
        // Newest first: the oldest is taken next.
        let children = heard(
            client
                .list(RunList {
                    parent: Some(run.id),
                    limit: Some(200),
                    ..RunList::default()
                })
                .await,
        )?;
        next.extend(children.items.into_iter().map(|child| (level, child)));
        let Some((level, child)) = next.pop() else {
            return Ok(found);
        };
        found.push((level, child.clone()));
        if found.len() == SHOWN {
            return Ok(found);
        }
        at = (level + 1, child);
    }
}

/// The tree as text; nothing when there is none.
pub(super) fn words(below: &[(usize, Run)], names: &Names, width: Option<u16>) -> String {
    if below.is_empty() {
        return String::new();
    }
    let rows = below.iter().map(|(level, run)| {
        [
            format!("{}{}", "  ".repeat(*level), run.id),
            run.state.as_str().to_owned(),
            run.instance
                .map_or_else(|| run.agent.clone(), |id| names.instance(Some(id))),
            one_line(run.label.as_deref().unwrap_or(&run.prompt)),
        ]
    });
    let shown = table(["BELOW IT", "STATE", "WHO", "WHAT"], rows, width);
    format!("\n\n{shown}")
}

/// What the tree has cost, in a line.
pub(super) fn cost(run: &Run) -> String {
    let Some(tree) = run.tree_usage.filter(|tree| tree.runs > 0) else {
        return String::new();
    };
    let mut parts = vec![match tree.runs {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    }];
    parts.extend(tree.usage.total_tokens.map(|all| format!("{all} tokens")));
    parts.extend(tree.usage.cost_usd.map(|cost| format!("${cost:.2}")));
    if !tree.complete {
        parts.push("so far, as far as it is known".to_owned());
    }
    parts.join(" · ")
}
