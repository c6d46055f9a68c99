//! Reads a project, without ever writing, and within bounds.

mod budget;
mod findings;
mod git;
mod ignore;
mod language;
mod manifest;
mod notes;
mod rank;
mod readme;
mod scan;
mod text;
mod tree;

pub(super) use budget::{Bounds, Budget, Stopped};
pub(super) use findings::{Findings, Step, StepKind};
pub(super) use rank::Match;
pub(super) use text::plain;

use super::prompt::Prompt;
use std::path::Path;

/// Surveys the project at `root` for a prompt; `watch` hears of each step as it begins and ends.
///
/// # Errors
/// [`Stopped`] when the turn was cancelled.
pub(super) fn survey(
    root: &Path,
    prompt: &Prompt,
    budget: &mut Budget,
    watch: &mut dyn FnMut(Step),
) -> Result<Findings, Stopped> {
    watch(Step::began(
        "tree",
        StepKind::Search,
        "Walk the project",
        Vec::new(),
    ));
    let tree = tree::walk(root, budget)?;
    watch(Step::ended("tree", tree.told()));

    let paths = manifest::candidates(&tree);
    let shown = paths.iter().map(|file| file.full.clone()).collect();
    watch(Step::began(
        "manifests",
        StepKind::Read,
        "Read manifests and the README",
        shown,
    ));
    let manifests = manifest::read(&tree, &paths, budget)?;
    let readme = readme::read(&tree, budget)?;
    let git = git::read(root);
    watch(Step::ended("manifests", manifests.told()));

    let title = match &prompt.words[..] {
        [] => "Read the sources".to_owned(),
        words => {
            let words: Vec<&str> = words.iter().map(|word| word.shown.as_str()).collect();
            format!("Search for {}", words.join(", "))
        }
    };
    watch(Step::began("search", StepKind::Search, &title, Vec::new()));
    let scan = scan::scan(&tree, &prompt.words, budget)?;
    let matches = rank::rank(&prompt.words, &tree, &scan);
    watch(Step::ended("search", scan.told(matches.len())));

    Ok(Findings {
        name: findings::project_name(root, &manifests),
        tree: tree.summary(&scan),
        manifests,
        readme,
        git,
        notes: scan.notes,
        missing: rank::missing(&prompt.words, &matches),
        matches,
        cut: budget.cut(),
        took_ms: budget.elapsed_ms(),
    })
}

#[cfg(test)]
mod tests;
