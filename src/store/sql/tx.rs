//! What a write has in hand: the transaction, the moment it happens at, and whom to tell afterwards.

use super::{
    connection::{Connection, Row, Told, scalars},
    error::Error,
    statement::{Either, Statement},
    value::Values,
};
use crate::{
    domain::{ids::RunId, run::RunState},
    store::Change,
};

/// One item of a batch at work.
#[derive(Debug)]
pub(super) struct Tx<'c> {
    pub(super) connection: &'c mut Connection,
    /// The database's clock, read once in this transaction; it never goes back while the store is open, see `moment.rs`.
    pub(super) now: i64,
    /// Told after the commit.
    pub(super) changes: Vec<Change>,
}

scalars!(Tx<'_>, &mut Self);

impl Tx<'_> {
    /// As [`Connection::execute`].
    pub(super) async fn execute(
        &mut self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<u64, Error> {
        self.connection.execute(sql, values).await
    }

    /// As [`Connection::one`].
    pub(super) async fn one<T: Row>(
        &mut self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<T, Error> {
        self.connection.one(sql, values).await
    }

    /// As [`Connection::optional`].
    pub(super) async fn optional<T: Row>(
        &mut self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<Option<T>, Error> {
        self.connection.optional(sql, values).await
    }

    /// As [`Connection::all`].
    pub(super) async fn all<T: Row>(
        &mut self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<Vec<T>, Error> {
        self.connection.all(sql, values).await
    }

    /// As [`Connection::script`].
    pub(super) async fn script(
        &mut self,
        script: impl Into<Either>,
        values: Values<'_>,
    ) -> Result<Told, Error> {
        self.connection.script(script, values).await
    }

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
