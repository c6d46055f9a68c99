//! What a write has in hand: the transaction, the moment it happens at, and whom to tell afterwards.

use crate::{
    domain::{ids::RunId, run::RunState},
    store::Change,
};
use sqlx::SqliteConnection;

/// One item of a batch at work.
#[derive(Debug)]
pub(super) struct Tx<'c> {
    pub(super) connection: &'c mut SqliteConnection,
    /// The database's clock, read once in this transaction; it never goes back while the store is open.
    pub(super) now: i64,
    /// Told after the commit.
    pub(super) changes: Vec<Change>,
}

impl Tx<'_> {
    /// A run changed, and has `state` now.
    pub(super) fn changed(&mut self, run: RunId, state: RunState) {
        self.changes.push(Change {
            run: Some(run),
            state: Some(state),
        });
    }

    /// Something changed that is not a run.
    pub(super) fn changed_elsewhere(&mut self) {
        self.changes.push(Change {
            run: None,
            state: None,
        });
    }
}
