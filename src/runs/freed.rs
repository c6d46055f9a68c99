//! What a burst of changes leaves to be claimed.

use crate::{
    domain::{ids::RunId, run::RunState},
    store::Change,
};

/// Gathers changes in the order of their commits.
#[derive(Debug, Default)]
pub(super) struct Freed {
    /// Came or came back, and have not been begun since: most runs are claimed in the commit that accepts them.
    queued: Vec<RunId>,
    /// One that never ran has left its place in its session to the next.
    place: bool,
}

impl Freed {
    pub(super) fn hear(&mut self, change: &Change) {
        match (change.run, change.state) {
            (Some(run), Some(RunState::Queued)) => self.queued.push(run),
            (Some(run), Some(RunState::Running)) => self.queued.retain(|one| *one != run),
            (_, Some(RunState::Cancelled | RunState::TimedOut)) => self.place = true,
            (_, _) => {}
        }
    }

    /// Whether a look may find something.
    pub(super) fn is_some(&self) -> bool {
        self.place || !self.queued.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Freed;
    use crate::{
        domain::{
            ids::RunId,
            run::RunState::{self, Cancelled, InputRequired, Queued, Running, Succeeded, TimedOut},
        },
        stdx::mint,
        store::Change,
    };

    /// Of two runs, by their numbers.
    fn leaves(heard: &[(usize, RunState)]) -> bool {
        let runs = [RunId(mint()), RunId(mint())];
        let mut freed = Freed::default();
        for (run, state) in heard {
            freed.hear(&Change {
                run: Some(runs[*run]),
                state: Some(*state),
            });
        }
        freed.is_some()
    }

    #[test]
    fn what_was_begun_as_it_came_is_not_looked_for() {
        for (heard, expected) in [
            (&[(0, Queued)][..], true),
            (&[(0, Queued), (0, Running)], false),
            (&[(0, Queued), (1, Running)], true),
            (&[(0, Queued), (1, Queued), (1, Running)], true),
            (&[(0, Queued), (0, Running), (0, Queued)], true),
            (&[(0, Running), (0, InputRequired), (0, Succeeded)], false),
            (&[(0, Cancelled)], true),
            (&[(0, TimedOut), (1, Running)], true),
        ] {
            assert_eq!(leaves(heard), expected, "{heard:?}");
        }
    }
}
