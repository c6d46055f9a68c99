//! Runs are kept for a time and no longer.

use super::ending::Ending;
use crate::{
    domain::time::Timestamp,
    stdx::clock,
    store::{Store, StoreError},
};
use std::time::Duration;

/// How often it is looked for runs whose time is over.
const EVERY: Duration = Duration::from_hours(6);

/// Removes ended runs when they are this old, now and from time to time until the hub ends; 0 keeps them for ever.
pub(super) fn start(store: Store, retention_ms: u64, ending: Ending) {
    let Some(retention_ms) = i64::try_from(retention_ms).ok().filter(|ms| *ms > 0) else {
        return;
    };
    tokio::spawn(async move {
        let work = async {
            loop {
                prune(&store, retention_ms).await;
                tokio::time::sleep(EVERY).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = ending.begun().cancelled() => {}
        }
    });
}

async fn prune(store: &Store, retention_ms: i64) {
    match remove(store, retention_ms).await {
        Ok(0) => {}
        Ok(gone) => tracing::info!(gone, "removed runs that were kept long enough"),
        Err(error) => tracing::warn!(%error, "old runs were not removed"),
    }
}

/// Removes what ended longer ago than this; answers how many runs.
pub(super) async fn remove(store: &Store, retention_ms: i64) -> Result<u64, StoreError> {
    let before = Timestamp(clock::now_ms().saturating_sub(retention_ms));
    let mut gone = 0_u64;
    loop {
        match store.runs.prune(before).await? {
            0 => return Ok(gone),
            some => gone += u64::from(some),
        }
    }
}
