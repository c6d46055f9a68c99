//! `eyas run diff|apply|keep|drop`: what becomes of a run's worktree.

use super::{
    context::{CliContext, heard},
    print,
    table::word,
};
use crate::{
    api::run::{RunApiClient, RunDrop, RunRef},
    domain::{fault::Fault, ids::RunId, run::Run},
};
use clap::Subcommand;

/// Verbs on the worktree of a run.
#[derive(Debug, Subcommand)]
pub enum WorktreeVerb {
    /// Show what a run did in its worktree, as a patch
    Diff {
        /// Id of the run, as `eyas run list` shows it
        id: RunId,
    },
    /// Take over what a run did in its worktree, and remove the worktree
    #[command(
        after_help = "All of it becomes changes of the project's tree that are not committed. Where it does not fit nothing is changed."
    )]
    Apply {
        /// Id of the run, as `eyas run list` shows it
        id: RunId,
    },
    /// Keep a run's worktree until it is applied or dropped
    Keep {
        /// Id of the run, as `eyas run list` shows it
        id: RunId,
    },
    /// Remove a run's worktree and its branch
    Drop {
        /// Id of the run, as `eyas run list` shows it
        id: RunId,
        /// Also with work in it that is nowhere else
        #[arg(long)]
        force: bool,
    },
}

pub(super) async fn run(verb: WorktreeVerb, context: &CliContext) -> Result<(), Fault> {
    let client = context.client().await?;
    let run = match verb {
        WorktreeVerb::Diff { id } => {
            let diff = heard(client.diff(RunRef { id }).await)?;
            if context.json {
                return print::json(&diff);
            }
            print::out(diff.text.trim_end_matches('\n'))?;
            if diff.truncated {
                print::err("there is more; `git diff` in the worktree shows all of it");
            }
            return Ok(());
        }
        WorktreeVerb::Apply { id } => heard(client.apply(RunRef { id }).await)?,
        WorktreeVerb::Keep { id } => heard(client.keep(RunRef { id }).await)?,
        WorktreeVerb::Drop { id, force } => {
            heard(client.drop_worktree(RunDrop { id, force }).await)?
        }
    };
    context.show(&run, || about(&run))
}

/// What there is of a run's worktree, in a line; nothing for a run without.
pub(super) fn about(run: &Run) -> String {
    run.worktree.as_ref().map_or_else(String::new, |worktree| {
        let problem = worktree.problem.as_ref();
        let problem = problem.map_or_else(String::new, |problem| format!("; {problem}"));
        format!(
            "{} {} {}{problem}",
            word(worktree.state),
            worktree.branch,
            worktree.path
        )
    })
}
