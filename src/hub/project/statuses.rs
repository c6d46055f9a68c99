//! How projects are, as it was last told: each change goes to the log once.

use super::view;
use crate::{
    agents::pool::Pool,
    domain::{
        event::{EventKind, NewEvent},
        ids::ProjectId,
        project::{ProjectRow, ProjectStatus},
    },
    store::{Store, StoreError},
};
use serde_json::json;
use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};
use tokio::sync::mpsc;

/// Hears how projects are. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Statuses(mpsc::UnboundedSender<(ProjectRow, ProjectStatus)>);

struct Loop {
    store: Store,
    pool: Pool,
    last: HashMap<ProjectId, ProjectStatus>,
    serving: BTreeSet<PathBuf>,
}

impl Statuses {
    /// Watches the pool; of all else it is told.
    pub(super) fn follow(store: Store, pool: Pool) -> Self {
        let (seen, inbox) = mpsc::unbounded_channel();
        let following = Loop {
            store,
            pool,
            last: HashMap::new(),
            serving: BTreeSet::new(),
        };
        tokio::spawn(following.run(inbox));
        Self(seen)
    }

    /// Somebody has seen this.
    pub(super) fn seen(&self, row: &ProjectRow, status: ProjectStatus) {
        // A loop that is gone went with its hub.
        drop(self.0.send((row.clone(), status)));
    }
}

impl Loop {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<(ProjectRow, ProjectStatus)>) {
        let mut changes = self.pool.changes();
        loop {
            tokio::select! {
                seen = inbox.recv() => match seen {
                    Some((row, status)) => self.take_in(&row, status).await,
                    None => return,
                },
                changed = changes.changed() => match changed {
                    Ok(()) => self.look().await,
                    Err(_) => return,
                },
            }
        }
    }

    /// At the roots where agents have come or gone.
    async fn look(&mut self) {
        let rows = self.pool.rows().await;
        let serving: BTreeSet<PathBuf> = rows.into_iter().map(|row| row.root).collect();
        let before = std::mem::replace(&mut self.serving, serving);
        let changed: Vec<_> = before
            .symmetric_difference(&self.serving)
            .cloned()
            .collect();
        for root in changed {
            match self.store.projects.by_path(&root.to_string_lossy()).await {
                Ok(row) => {
                    let status = view::status(&row, self.serving.contains(&root));
                    self.take_in(&row, status).await;
                }
                // The workspace of an instance.
                Err(StoreError::NotFound { .. }) => {}
                Err(error) => {
                    tracing::warn!(root = %root.display(), %error, "a status was not told");
                }
            }
        }
    }

    /// Nothing is known of a project at first; then no agent of ours is warm there.
    async fn take_in(&mut self, row: &ProjectRow, status: ProjectStatus) {
        let before = self
            .last
            .insert(row.id, status)
            .unwrap_or(ProjectStatus::Stopped);
        if before == status {
            return;
        }
        let event = NewEvent {
            kind: EventKind::ProjectStatusChanged,
            data: json!({"name": row.name, "path": row.path, "status": status, "before": before}),
        };
        if let Err(error) = self.store.events.record(Some(row.id), None, event).await {
            tracing::warn!(project = %row.path, %error, "an event was not recorded");
        }
    }
}
