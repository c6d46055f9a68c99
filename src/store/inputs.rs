//! What is said to runs, as it is remembered.

use super::{Idempotency, Lease, StoreError};
use crate::domain::{
    ids::{RunId, SessionId},
    input::{Delivery, Input, InputMode},
};
use async_trait::async_trait;

/// An input to be accepted.
#[derive(Clone, Debug)]
pub struct NewInput {
    pub run: RunId,
    pub mode: InputMode,
    pub message: String,
    /// Its scope is the run.
    pub idempotency: Option<Idempotency>,
    /// The run's attempt has ended a turn and has begun no other, as far as its hub knows.
    pub between: bool,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptedInput {
    /// It is on disk, and will be a turn of the run.
    Taken {
        delivery: Delivery,
        /// It was accepted before, under the same key.
        duplicate: bool,
    },
    /// The run is asked to end: nothing was written.
    Ending,
    /// The run has ended: nothing was written.
    Ended,
}

/// An input that an attempt has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenInput {
    pub input: Input,
    /// An earlier attempt took it, and did not end its turn in order.
    pub again: bool,
}

/// What waits for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputsWaiting {
    Nothing,
    Something,
    /// The turn under way is to be cancelled for it.
    Interrupt,
}

/// Inputs of runs.
#[async_trait]
pub trait Inputs: Send + Sync + std::fmt::Debug {
    /// Writes it with its event in one transaction, and answers when it is synced. `IdempotencyConflict` when its key came before with
    /// another message.
    async fn accept(&self, input: NewInput) -> Result<AcceptedInput, StoreError>;
    /// What waits, and how urgently.
    async fn waiting(&self, run: RunId) -> Result<InputsWaiting, StoreError>;
    /// The next input, marked as taken by this attempt in the same write; first of all one that was taken before and whose turn has not
    /// ended in order. `ended`: the turn of this input has, 0 being that of the prompt.
    async fn take(
        &self,
        lease: Lease,
        ended: Option<i64>,
    ) -> Result<Option<TakenInput>, StoreError>;
    /// The turn of this input has ended in order, 0 being that of the prompt, and the attempt takes no other.
    async fn turn_ended(&self, lease: Lease, turn: i64) -> Result<(), StoreError>;
    /// All of a run, in the order in which they are put.
    async fn of(&self, run: RunId) -> Result<Vec<Input>, StoreError>;
}

/// What was asked of a run that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub run: RunId,
    pub session: SessionId,
    /// That it ends.
    pub end: bool,
    /// That its turn is cut for an input.
    pub cut: bool,
}
