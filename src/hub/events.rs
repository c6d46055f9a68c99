//! `events.watch`: replay, then live, always from the log itself.

use super::project::ProjectDesk;
use crate::{
    api::events::{EventsApiServer, Watch},
    domain::{
        event::{Event, EventKind},
        fault::Fault,
        ids::InstanceId,
        time::Timestamp,
    },
    stdx::clock,
    store::{Change, EventFilter, Store},
};
use async_trait::async_trait;
use jsonrpsee::{
    PendingSubscriptionSink, SendTimeoutError, SubscriptionSink,
    core::{SubscriptionResult, to_json_raw_value},
    types::ErrorObjectOwned,
};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::{Receiver, error::RecvError};

const BATCH: u32 = 100;
/// A look without being told, as the safety net; up to as seldom as this while nothing comes: an idle hub has many editors that watch.
const POLL: Duration = Duration::from_secs(5);
const SELDOM: Duration = Duration::from_secs(30);
/// Between two looks for one who wants few kinds: it does not read with each commit what is nearly always for others.
const GATHER: Duration = Duration::from_millis(200);
/// Whoever takes nothing for so long lags.
const PATIENCE: Duration = Duration::from_secs(1);

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
}

/// One watcher of the log.
#[derive(Debug)]
struct Follower {
    store: Store,
    filter: EventFilter,
    cursor: Option<String>,
    /// Events after its cursor may be gone.
    pruned: bool,
    patience: Duration,
    /// What it is told of; none named = all.
    kinds: Vec<EventKind>,
}

impl Follower {
    /// Reads on whenever something was committed; a slow watcher holds up itself alone. Ends when the watcher has gone.
    async fn follow(mut self, sink: &SubscriptionSink, mut changes: Receiver<Change>) {
        if self.pruned && !self.warn(sink).await {
            return;
        }
        self.pruned = false;
        let mut poll = POLL;
        loop {
            // Nothing is dropped silently: what cannot be read now is read with the next look.
            let read = self
                .store
                .events
                .after(self.cursor.clone(), self.filter, BATCH);
            let events = match read.await {
                Ok(events) => events,
                Err(error) => {
                    tracing::warn!(%error, "a watcher has to wait");
                    Vec::new()
                }
            };
            let looked = tokio::time::Instant::now();
            poll = if events.is_empty() {
                SELDOM.min(poll * 2)
            } else {
                POLL
            };
            let more = events.len() == BATCH as usize;
            for event in events {
                if self.wants(event.kind) && !self.tell(sink, &event).await {
                    return;
                }
                self.cursor = Some(event.cursor);
            }
            if more {
                continue;
            }
            tokio::select! {
                () = sink.closed() => return,
                there = self.concerned(&mut changes) => if !there { return },
                () = tokio::time::sleep(poll) => {}
            }
            if !self.kinds.is_empty() {
                tokio::time::sleep_until(looked + GATHER).await;
            }
            while changes.try_recv().is_ok() {}
        }
    }

    fn wants(&self, kind: EventKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Completes with a commit that may concern it: who watches one run is not woken for all the others. `false` when none will come.
    async fn concerned(&self, changes: &mut Receiver<Change>) -> bool {
        loop {
            match changes.recv().await {
                Err(RecvError::Closed) => return false,
                Ok(Change { run: Some(run), .. })
                    if self.filter.run.is_some_and(|own| own != run) => {}
                Ok(_) | Err(RecvError::Lagged(_)) => return true,
            }
        }
    }

    /// Waits until the watcher takes it; one that took its time is told before that.
    async fn tell(&self, sink: &SubscriptionSink, event: &Event) -> bool {
        let Ok(message) = to_json_raw_value(event) else {
            return false;
        };
        let waiting = Instant::now();
        match sink.send_timeout(message, self.patience).await {
            Ok(()) => true,
            Err(SendTimeoutError::Closed(_)) => false,
            Err(SendTimeoutError::Timeout(message)) => {
                if !self.warn(sink).await {
                    return false;
                }
                tracing::debug!(waited = ?waiting.elapsed(), "a watcher lagged");
                sink.send(message).await.is_ok()
            }
        }
    }

    /// Tells it that it lags.
    async fn warn(&self, sink: &SubscriptionSink) -> bool {
        match to_json_raw_value(&self.lagged()) {
            Ok(message) => sink.send(message).await.is_ok(),
            Err(_) => false,
        }
    }

    /// What a watcher is told that has taken nothing since the event at its cursor. Without one it began with an empty log.
    fn lagged(&self) -> Event {
        Event {
            cursor: self.cursor.clone().unwrap_or_default(),
            run: None,
            run_seq: None,
            project: None,
            instance: None,
            kind: EventKind::Lagged,
            at: Timestamp(clock::now_ms()),
            data: json!({"resume_after": self.cursor, "pruned": self.pruned}),
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
            let (cursor, pruned) = match params.after.clone() {
                Some(after) => {
                    let pruned = !self.store.events.keeps(&after).await?;
                    (Some(after), pruned)
                }
                None => (self.store.events.latest().await?, false),
            };
            Ok::<_, Fault>((filter, cursor, pruned))
        };
        match begin.await {
            Err(fault) => pending.reject(ErrorObjectOwned::from(fault)).await,
            Ok((filter, cursor, pruned)) => {
                let sink = pending.accept().await?;
                let follower = Follower {
                    store: self.store.clone(),
                    filter,
                    cursor,
                    pruned,
                    patience: PATIENCE,
                    kinds: params.kinds,
                };
                follower.follow(&sink, changes).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Follower, clock};
    use crate::{
        domain::{
            event::{Event, EventKind, NewEvent},
            ids::RunId,
        },
        stdx::mint,
        store::{
            Change, EventFilter, Store,
            sql::{self, Settings},
        },
    };
    use jsonrpsee::{RpcModule, core::EmptyServerParams};
    use serde_json::json;
    use std::{path::Path, time::Duration};
    use tokio::sync::broadcast;

    const MANY: usize = 250;

    fn watched(store: Store, kinds: Vec<EventKind>) -> RpcModule<(Store, Vec<EventKind>)> {
        let mut module = RpcModule::new((store, kinds));
        module
            .register_subscription(
                "watch",
                "event",
                "unwatch",
                |_, pending, given, _| async move {
                    let sink = pending.accept().await?;
                    let (store, kinds) = (given.0.clone(), given.1.clone());
                    let changes = store.changes.subscribe();
                    let follower = Follower {
                        store,
                        filter: EventFilter::default(),
                        cursor: None,
                        pruned: false,
                        patience: Duration::from_millis(20),
                        kinds,
                    };
                    follower.follow(&sink, changes).await;
                    Ok(())
                },
            )
            .expect("one subscription");
        module
    }

    async fn write(store: &Store, n: usize) {
        let kind = EventKind::ProjectChanged;
        let event = NewEvent {
            kind,
            data: json!({"n": n}),
        };
        store.events.record(None, None, event).await.expect("room");
    }

    async fn store(folder: &Path) -> Store {
        sql::open_sqlite(&folder.join("eyas.db"), Settings::default())
            .await
            .expect("a store")
    }

    #[tokio::test]
    async fn who_watches_one_run_is_woken_by_what_may_be_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, other) = (RunId(mint()), RunId(mint()));
        let follower = Follower {
            store: store(folder.path()).await,
            filter: EventFilter {
                run: Some(own),
                ..EventFilter::default()
            },
            cursor: None,
            pruned: false,
            patience: Duration::from_secs(1),
            kinds: Vec::new(),
        };
        let change = |run| Change { run, state: None };
        let (say, mut heard) = broadcast::channel(8);
        for run in [Some(other), Some(own), Some(other), None] {
            say.send(change(run)).expect("somebody listens");
        }
        assert!(follower.concerned(&mut heard).await);
        assert_eq!(heard.len(), 2, "the other's was passed over");
        assert!(follower.concerned(&mut heard).await, "it may be anybody's");
        for _ in 0..20 {
            say.send(change(Some(other))).expect("somebody listens");
        }
        assert!(follower.concerned(&mut heard).await, "some were lost");
        while heard.try_recv().is_ok() {}
        say.send(change(Some(other))).expect("somebody listens");
        drop(say);
        assert!(!follower.concerned(&mut heard).await);
    }

    #[tokio::test]
    async fn a_watcher_of_some_kinds_is_told_of_these() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(folder.path()).await;
        for n in 0..250 {
            write(&store, n).await;
        }
        let fired = NewEvent {
            kind: EventKind::ScheduleFired,
            data: json!({"n": "last"}),
        };
        store.events.record(None, None, fired).await.expect("room");
        let module = watched(store, vec![EventKind::ScheduleFired]);
        let mut watch = module
            .subscribe("watch", EmptyServerParams::new(), 2)
            .await
            .expect("a watch");
        let (event, _) = watch.next::<Event>().await.expect("one").expect("an event");
        assert_eq!(event.data["n"], "last");
    }

    #[tokio::test]
    async fn a_slow_watcher_is_told_where_to_resume_and_loses_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(folder.path()).await;
        for n in 0..MANY {
            write(&store, n).await;
        }
        let module = watched(store.clone(), Vec::new());
        // It takes none until the log and its own place in it are far apart.
        let mut watch = module
            .subscribe("watch", EmptyServerParams::new(), 2)
            .await
            .expect("a watch");
        tokio::time::sleep(Duration::from_millis(100)).await;
        write(&store, MANY).await;
        let (mut seen, mut lags, mut last) = (Vec::new(), 0, None);
        while seen.len() <= MANY {
            let (event, _) = watch
                .next::<Event>()
                .await
                .expect("more")
                .expect("an event");
            if event.kind == EventKind::Lagged {
                lags += 1;
                assert_eq!(Some(&event.cursor), last.as_ref(), "where it stands");
                assert_eq!(event.data["resume_after"], json!(last));
                assert_eq!(event.data["pruned"], false);
                assert!(event.at.0 <= clock::now_ms());
                // Whoever comes back there finds what comes next here.
                let from = store
                    .events
                    .after(last.clone(), EventFilter::default(), 1)
                    .await;
                assert_eq!(
                    from.expect("a cursor of ours")[0].data["n"],
                    json!(seen.len())
                );
                continue;
            }
            last = Some(event.cursor);
            seen.push(event.data["n"].as_u64().expect("its number"));
        }
        assert!(lags >= 1);
        assert!(seen.iter().copied().eq(0..=MANY as u64), "{seen:?}");
    }
}
