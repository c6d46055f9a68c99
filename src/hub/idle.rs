//! When a hub ends by itself: nobody there, nothing to do, for long enough. Or with its last run, once it drains.

use super::ground::{Ground, Work};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How often a draining hub asks whether its last run has ended.
const DRAINING: Duration = Duration::from_millis(200);

/// How often, at most, an idle hub asks whether there is something to do.
const IDLE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(30));

/// Returns when the hub is to end by itself.
pub(super) async fn watch(ground: Ground, work: Arc<dyn Work>) {
    let patience = Duration::from_millis(ground.settings.hub.idle_exit_ms);
    let mut changes = ground.peers.changes();
    let mut idle_since: Option<Instant> = None;
    loop {
        let draining = ground.ending.draining();
        if draining && no_run(&*work).await {
            return;
        }
        let idle = ground.peers.count() == 0 && !busy(&*work).await;
        idle_since = idle.then(|| idle_since.unwrap_or_else(Instant::now));
        let long_enough = idle_since.is_some_and(|since| since.elapsed() >= patience);
        if long_enough && ground.peers.close_if_empty() {
            return bored();
        }
        let pause = if draining {
            DRAINING
        } else {
            (patience / 4).clamp(IDLE.0, IDLE.1)
        };
        tokio::select! {
            // It cannot fail: `ground` holds the other end.
            _ = changes.changed() => {}
            () = ground.ending.drained().cancelled(), if !draining => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn bored() {
    tracing::info!("nobody is here and nothing is to do");
}

async fn busy(work: &dyn Work) -> bool {
    !no_run(work).await
        || work.awaits().await
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
