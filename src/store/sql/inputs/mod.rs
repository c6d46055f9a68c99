//! What is said to runs, in SQL.
//!
//! An input is pending until an attempt takes it, under its fence. It stays the one whose turn it is, for later attempts too, until that turn
//! has ended in order (`ended_at`). What is pending when its run ends is dropped with it.

pub(super) mod accept;
pub(super) mod end;
pub(super) mod read;
pub(super) mod row;
pub(super) mod take;

use super::Base;
use crate::{
    domain::{ids::RunId, input::Input},
    store::{AcceptedInput, Inputs, InputsWaiting, Lease, NewInput, StoreError, TakenInput},
};
use async_trait::async_trait;

/// The aggregate.
#[derive(Debug)]
pub(super) struct SqlInputs(pub(super) Base);

#[async_trait]
impl Inputs for SqlInputs {
    async fn accept(&self, input: NewInput) -> Result<AcceptedInput, StoreError> {
        let accept = accept::Say::new(input, &self.0.redactor);
        self.0.writer.send(accept).await
    }

    async fn waiting(&self, run: RunId) -> Result<InputsWaiting, StoreError> {
        read::waiting(&self.0.readers, run).await
    }

    async fn take(
        &self,
        lease: Lease,
        ended: Option<i64>,
    ) -> Result<Option<TakenInput>, StoreError> {
        self.0.writer.send(take::Take { lease, ended }).await
    }

    async fn turn_ended(&self, lease: Lease, turn: i64) -> Result<(), StoreError> {
        self.0.writer.send(take::TurnEnded { lease, turn }).await
    }

    async fn of(&self, run: RunId) -> Result<Vec<Input>, StoreError> {
        read::of(&self.0.readers, run).await
    }
}
