//! Who works where: the agents of projects that somebody works in are kept for as long as somebody does.

use crate::{agents::pool::Pool, hub::peers::Peers, store::Store};
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};
use tokio::sync::Mutex;

/// Tells the pool. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    store: Store,
    pool: Pool,
    peers: Peers,
    /// What the pool was told last. Held while it is told, so that no older view overtakes a newer one.
    told: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Activity {
    /// Tells the pool from now on, whenever somebody comes, goes or turns to another project.
    pub(super) fn follow(store: Store, pool: Pool, peers: Peers) -> Self {
        let activity = Self {
            store,
            pool,
            peers,
            told: Arc::default(),
        };
        let own = activity.clone();
        tokio::spawn(async move {
            let mut changes = own.peers.changes();
            while changes.changed().await.is_ok() {
                own.look().await;
            }
        });
        activity
    }

    /// Tells the pool at once.
    pub(super) async fn look(&self) {
        let mut told = self.told.lock().await;
        let mut roots = BTreeSet::new();
        for id in self.peers.active() {
            match self.store.projects.get(id).await {
                Ok(row) => drop(roots.insert(PathBuf::from(row.path))),
                Err(error) => {
                    tracing::warn!(%id, %error, "a project that somebody works in was not found");
                }
            }
        }
        if *told != roots {
            self.pool.keep(roots.clone());
            *told = roots;
        }
    }
}
