//! What agents ask of people, in SQL.
//!
//! A request carries the fence of the attempt that asks. It loses it when that attempt gives its run back, and then a later attempt of the
//! run that asks the same takes it up: open, or answered by a person while nobody waited for it. A run is `input_required` while a request with its
//! own fence is open; what earlier attempts left open is shown and may be answered, but nobody waits for it.

pub(super) mod decide;
pub(super) mod end;
pub(super) mod open;
pub(super) mod read;
pub(super) mod row;
pub(super) mod state;

use super::Base;
use crate::{
    domain::{
        ids::RunId,
        request::{Answer, DecidedBy},
    },
    store::{Lease, NewRequest, RequestRow, Requests, StoreError},
};
use async_trait::async_trait;

/// The aggregate.
#[derive(Debug)]
pub(super) struct SqlRequests(pub(super) Base);

#[async_trait]
impl Requests for SqlRequests {
    async fn open(&self, lease: Lease, request: NewRequest) -> Result<RequestRow, StoreError> {
        let ask = open::Ask::new(lease, request, &self.0.redactor)?;
        self.0.writer.send(ask).await
    }

    async fn answer(
        &self,
        run: RunId,
        request: &str,
        answer: Answer,
        face: Option<String>,
    ) -> Result<(RequestRow, bool), StoreError> {
        let answer = decide::AnswerIt::new(run, request, answer, face, &self.0.redactor);
        self.0.writer.send(answer).await
    }

    async fn close(
        &self,
        lease: Lease,
        request: &str,
        by: DecidedBy,
        answer: Answer,
        why: Option<String>,
    ) -> Result<RequestRow, StoreError> {
        let close = decide::CloseIt::new(lease, request, by, answer, why, &self.0.redactor)?;
        self.0.writer.send(close).await
    }

    async fn of(&self, run: RunId) -> Result<Vec<RequestRow>, StoreError> {
        read::of(&self.0.readers, run).await
    }

    async fn get(&self, run: RunId, request: &str) -> Result<RequestRow, StoreError> {
        read::one(&self.0.readers, run, request).await
    }
}
