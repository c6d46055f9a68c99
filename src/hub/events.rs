//! `events.watch`: replay, then live, always from the log itself.

use super::project::ProjectDesk;
use crate::{
    api::events::{EventsApiServer, Watch},
    domain::{fault::Fault, ids::InstanceId},
    store::{EventFilter, Store},
};
use async_trait::async_trait;
use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionSink,
    core::{SubscriptionResult, to_json_raw_value},
    types::ErrorObjectOwned,
};
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};

const BATCH: u32 = 100;
/// A look without being told, as the safety net.
const POLL: Duration = Duration::from_secs(5);

/// Serves `events.*`.
#[derive(Clone, Debug)]
pub(crate) struct EventsDesk {
    store: Store,
    projects: ProjectDesk,
}

impl EventsDesk {
    /// A desk over the log.
    #[must_use]
    pub(crate) fn new(store: Store, projects: ProjectDesk) -> Self {
        Self { store, projects }
    }

    async fn filter(&self, watch: &Watch) -> Result<EventFilter, Fault> {
        let project = match &watch.project {
            Some(named) => Some(self.projects.find(named).await?.id),
            None => None,
        };
        let instance = match &watch.instance {
            Some(named) => Some(match named.parse::<InstanceId>() {
                Ok(id) => id,
                Err(_) => self.store.instances.by_name(named).await?.id,
            }),
            None => None,
        };
        Ok(EventFilter {
            run: watch.run,
            project,
            instance,
        })
    }

    /// Reads on whenever something was committed; a slow watcher holds up itself alone.
    async fn follow(
        &self,
        sink: &SubscriptionSink,
        mut cursor: Option<String>,
        filter: EventFilter,
        mut changes: Receiver<crate::store::Change>,
    ) {
        loop {
            // Nothing is dropped silently: what cannot be read now is read with the next look.
            let events = match self.store.events.after(cursor.clone(), filter, BATCH).await {
                Ok(events) => events,
                Err(error) => {
                    tracing::warn!(%error, "a watcher has to wait");
                    Vec::new()
                }
            };
            let more = events.len() == BATCH as usize;
            for event in events {
                cursor = Some(event.cursor.clone());
                let Ok(message) = to_json_raw_value(&event) else {
                    return;
                };
                if sink.send(message).await.is_err() {
                    return;
                }
            }
            if more {
                continue;
            }
            tokio::select! {
                () = sink.closed() => return,
                change = changes.recv() => if matches!(change, Err(RecvError::Closed)) { return },
                () = tokio::time::sleep(POLL) => {}
            }
            while changes.try_recv().is_ok() {}
        }
    }
}

#[async_trait]
impl EventsApiServer for EventsDesk {
    async fn watch(&self, pending: PendingSubscriptionSink, params: Watch) -> SubscriptionResult {
        let changes = self.store.changes.subscribe();
        let begin = async {
            let filter = self.filter(&params).await?;
            // A cursor that is not ours is refused before the subscription begins.
            let cursor = match params.after.clone() {
                Some(after) => {
                    self.store
                        .events
                        .after(Some(after.clone()), filter, 1)
                        .await?;
                    Some(after)
                }
                None => self.store.events.latest().await?,
            };
            Ok::<_, Fault>((filter, cursor))
        };
        match begin.await {
            Err(fault) => pending.reject(ErrorObjectOwned::from(fault)).await,
            Ok((filter, cursor)) => {
                let sink = pending.accept().await?;
                self.follow(&sink, cursor, filter, changes).await;
            }
        }
        Ok(())
    }
}
