//! When a hub ends by itself: nobody there, nothing to do, for long enough. Or with its last run, once it drains.

use super::ground::{Ground, Work};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Returns when the hub is to end by itself.
pub(super) async fn watch(ground: Ground, work: Arc<dyn Work>) {
    let patience = Duration::from_millis(ground.settings.hub.idle_exit_ms);
    // A drain begins without a word to us, and its end should not be waited for long.
    let tick = (patience / 4).clamp(Duration::from_millis(20), Duration::from_millis(500));
    let mut idle_since = None;
    loop {
        if ground.ending.draining() && no_run(&*work).await {
            return;
        }
        let idle = ground.peers.count() == 0 && !busy(&*work).await;
        idle_since = idle.then(|| idle_since.unwrap_or_else(Instant::now));
        let long_enough = idle_since.is_some_and(|since: Instant| since.elapsed() >= patience);
        if long_enough && ground.peers.close_if_empty() {
            tracing::info!(
                idle_ms = ground.settings.hub.idle_exit_ms,
                "nobody is here and nothing is to do"
            );
            return;
        }
        tokio::select! {
            () = ground.peers.changed() => {}
            () = tokio::time::sleep(tick) => {}
        }
    }
}

async fn busy(work: &dyn Work) -> bool {
    !no_run(work).await
        || work
            .agents()
            .await
            .iter()
            .any(|agent| agent.pinned || agent.busy > 0)
}

/// A store that does not answer says nothing about runs: stay.
async fn no_run(work: &dyn Work) -> bool {
    work.open_run_count().await.is_ok_and(|open| open == 0)
}
