//! Waiting for a run.

use crate::{
    domain::{
        ids::RunId,
        run::{Run, RunState},
    },
    store::{Store, StoreError},
};
use std::time::Duration;
use tokio::{sync::broadcast::error::RecvError, time::Instant};

/// A look without being told, as the safety net.
const POLL: Duration = Duration::from_secs(5);

/// The run once it is terminal or waits for a person, with `below` also once a run below it does, or as it is after `limit`. Listens before
/// it looks, so no change is missed.
///
/// # Errors
/// Those of the store.
pub async fn wait(
    store: &Store,
    run: RunId,
    limit: Duration,
    below: bool,
) -> Result<Run, StoreError> {
    let deadline = Instant::now() + limit;
    let mut changes = store.changes.subscribe();
    loop {
        let now = store.runs.get(run).await?;
        let asks_below = below && !now.asks_below.is_empty();
        if may_end(Some(now.state)) || asks_below {
            return Ok(now);
        }
        loop {
            let look = deadline.min(Instant::now() + POLL);
            match tokio::time::timeout_at(look, changes.recv()).await {
                Err(_late) if look < deadline => break,
                Err(_late) => return store.runs.get(run).await,
                // The store is closing: what it last said stands.
                Ok(Err(RecvError::Closed)) => return Ok(now),
                Ok(Err(RecvError::Lagged(_))) => break,
                Ok(Ok(change)) if change.run == Some(run) && may_end(change.state) => break,
                // Of another hub: it says no more.
                Ok(Ok(change)) if change.run.is_none() => break,
                // Whose it is the next look says; few runs ask.
                Ok(Ok(change)) if below && change.state == Some(RunState::InputRequired) => break,
                Ok(Ok(_other)) => {}
            }
        }
    }
}

/// Whether a wait is over with this state; one that is not told may be any.
fn may_end(state: Option<RunState>) -> bool {
    state.is_none_or(|state| state.is_terminal() || state == RunState::InputRequired)
}

/// The run once it is terminal, or as it is after `limit`.
///
/// # Errors
/// Those of the store.
pub async fn ended(store: &Store, run: RunId, limit: Duration) -> Result<Run, StoreError> {
    let deadline = Instant::now() + limit;
    let mut changes = store.changes.subscribe();
    loop {
        let now = store.runs.get(run).await?;
        if now.state.is_terminal() {
            return Ok(now);
        }
        let look = deadline.min(Instant::now() + POLL);
        match tokio::time::timeout_at(look, changes.recv()).await {
            Err(_late) if look < deadline => {}
            Err(_late) => return store.runs.get(run).await,
            Ok(Err(RecvError::Closed)) => return Ok(now),
            Ok(Ok(_) | Err(RecvError::Lagged(_))) => {}
        }
    }
}
