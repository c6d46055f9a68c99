//! The end of a run is the end of what it began, when it was ended from outside: cancelled, or out of time. What a run that succeeded or
//! failed began goes on: its conclusion may be about to be asked for.
//!
//! It follows what is on disk, so a crash loses nothing: whoever comes up looks at every run that is open below one that was ended.

use super::Dispatch;
use crate::{
    domain::{
        ids::RunId,
        run::{Run, RunState},
    },
    store::{Change, PageAt, RunFilter, Store, StoreError},
};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// No lineage is longer.
const LONGEST: usize = 64;
/// Before a sweep that failed is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Starts following the ends of runs, until `ended`.
pub fn start(store: Store, dispatch: Dispatch, ended: CancellationToken) {
    // Before the first look, so that nothing falls between the two.
    let changes = store.changes.subscribe();
    let work = follow(store, dispatch, changes);
    tokio::spawn(async move { ended.run_until_cancelled(work).await });
}

async fn follow(
    store: Store,
    dispatch: Dispatch,
    mut changes: tokio::sync::broadcast::Receiver<Change>,
) {
    swept(&store, &dispatch).await;
    loop {
        match changes.recv().await {
            Ok(Change {
                run: Some(run),
                state: Some(state),
            }) if ends_children(state) => {
                if let Err(error) = end_below(&store, &dispatch, run, state).await {
                    tracing::warn!(run.id = %run, %error, "what it began was not cancelled");
                    swept(&store, &dispatch).await;
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => swept(&store, &dispatch).await,
            Err(RecvError::Closed) => return,
        }
    }
}

fn ends_children(state: RunState) -> bool {
    matches!(state, RunState::Cancelled | RunState::TimedOut)
}

/// Asks for the end of every open run below one that was ended as `state`, at any depth.
///
/// # Errors
/// Those of the store.
pub async fn end_below(
    store: &Store,
    dispatch: &Dispatch,
    run: RunId,
    state: RunState,
) -> Result<(), StoreError> {
    let mut above = vec![run];
    while let Some(next) = above.pop() {
        for child in store.runs.children(next).await? {
            end(store, dispatch, child, run, state).await?;
            above.push(child);
        }
    }
    Ok(())
}

async fn end(
    store: &Store,
    dispatch: &Dispatch,
    child: RunId,
    above: RunId,
    state: RunState,
) -> Result<(), StoreError> {
    if store.runs.get(child).await?.state.is_terminal() {
        return Ok(());
    }
    let how = if state == RunState::TimedOut {
        "ran out of time"
    } else {
        "was cancelled"
    };
    let reason = format!("the run above it, {above}, {how}");
    if store.runs.cancel(child, reason).await?.is_held() {
        dispatch.cancel(child);
    }
    Ok(())
}

/// Looks at all there is, until that has been done.
async fn swept(store: &Store, dispatch: &Dispatch) {
    while let Err(error) = sweep(store, dispatch).await {
        tracing::warn!(%error, "open runs below ended ones were not looked for");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn sweep(store: &Store, dispatch: &Dispatch) -> Result<(), StoreError> {
    for state in RunState::ALL
        .into_iter()
        .filter(|state| !state.is_terminal())
    {
        let filter = RunFilter {
            state: Some(state),
            ..RunFilter::default()
        };
        let mut cursor = None;
        loop {
            let at = PageAt { cursor, limit: 200 };
            let page = store.runs.list(filter.clone(), at).await?;
            for run in page.items {
                if let Some((above, how)) = ended_above(store, &run).await? {
                    end(store, dispatch, run.id, above, how).await?;
                }
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// The nearest run above it that was ended from outside.
async fn ended_above(store: &Store, run: &Run) -> Result<Option<(RunId, RunState)>, StoreError> {
    let mut above = run.parent;
    for _ in 0..LONGEST {
        let Some(id) = above else { break };
        let run = match store.runs.get(id).await {
            Ok(run) => run,
            // It was removed, having ended long ago.
            Err(StoreError::NotFound { .. }) => break,
            Err(error) => return Err(error),
        };
        if ends_children(run.state) {
            return Ok(Some((id, run.state)));
        }
        above = run.parent;
    }
    Ok(None)
}
