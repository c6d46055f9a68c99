//! What agents ask of people, on SQLite.

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
pub(super) struct SqliteRequests(pub(super) Base);

#[async_trait]
impl Requests for SqliteRequests {
    async fn open(&self, _: Lease, _: NewRequest) -> Result<RequestRow, StoreError> {
        Err(StoreError::Internal(format!("{:?}", self.0)))
    }

    async fn answer(
        &self,
        _: RunId,
        _: &str,
        _: Answer,
        _: Option<String>,
    ) -> Result<(RequestRow, bool), StoreError> {
        Err(StoreError::Internal(String::new()))
    }

    async fn close(
        &self,
        _: Lease,
        _: &str,
        _: DecidedBy,
        _: Answer,
        _: Option<String>,
    ) -> Result<RequestRow, StoreError> {
        Err(StoreError::Internal(String::new()))
    }

    async fn of(&self, _: RunId) -> Result<Vec<RequestRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn get(&self, _: RunId, _: &str) -> Result<RequestRow, StoreError> {
        Err(StoreError::Internal(String::new()))
    }
}
