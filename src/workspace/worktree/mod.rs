//! Git worktrees of runs: planned, made, looked at, taken over, removed.
//!
//! An agent may write into a repository's configuration, its hooks and its attributes, and into the worktree's own `.git`. None of that may
//! run anything in the hub. So the few commands that need the repository itself run with hooks off and touch no file; all that reads or
//! writes files goes through a git directory of our own, which borrows the repository's objects and has no configuration.

mod git;
mod left;
mod lens;
mod make;
mod plan;
mod standing;
mod take;

pub use make::Made;
pub use plan::Plan;
pub use standing::Standing;

#[cfg(test)]
mod tests;
