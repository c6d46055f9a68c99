//! The scripted hub's log, and what it says of itself.

use super::fake::Hub;
use eyas::{
    api::{
        events::{EventsApiServer, Watch},
        hub::{HubApiServer, HubJoin, HubShutdown, HubView, Nothing, PeerView},
    },
    domain::{
        event::{Event, EventKind},
        fault::{ErrorKind, Fault},
        finding::Diagnosis,
        ids::{HubId, RunId},
        page::Page,
        time::Timestamp,
    },
    stdx,
};
use jsonrpsee::{
    Extensions, PendingSubscriptionSink,
    core::{SubscriptionResult, async_trait, to_json_raw_value},
};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::broadcast;

/// How long the scripted hub keeps runs after their end.
pub(super) const RETENTION_MS: u64 = 86_400_000;

/// Events as they come; nothing is replayed.
#[derive(Clone, Debug)]
pub(super) struct Log {
    events: broadcast::Sender<Event>,
    watchers: Arc<AtomicUsize>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            events: broadcast::Sender::new(4096),
            watchers: Arc::default(),
        }
    }
}

impl Log {
    pub(super) fn tell(&self, run: Option<RunId>, kind: EventKind) {
        let event = Event {
            cursor: "1".to_owned(),
            run,
            run_seq: None,
            project: None,
            instance: None,
            kind,
            at: Timestamp(1_700_000_000_000),
            data: json!({}),
        };
        self.events.send(event).ok();
    }

    /// How many watch it now.
    pub(super) fn watchers(&self) -> usize {
        self.watchers.load(Ordering::SeqCst)
    }
}

struct Here(Arc<AtomicUsize>);

impl Here {
    fn new(watchers: Arc<AtomicUsize>) -> Self {
        watchers.fetch_add(1, Ordering::SeqCst);
        Self(watchers)
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl EventsApiServer for Hub {
    async fn watch(&self, pending: PendingSubscriptionSink, params: Watch) -> SubscriptionResult {
        self.note("events.watch", &params);
        let mut events = self.log.events.subscribe();
        let _here = Here::new(self.log.watchers.clone());
        let sink = pending.accept().await?;
        loop {
            let event = tokio::select! {
                () = sink.closed() => return Ok(()),
                event = events.recv() => event?,
            };
            let its = params.run.is_none() || params.run == event.run;
            let kind = params.kinds.is_empty() || params.kinds.contains(&event.kind);
            if its && kind {
                sink.send(to_json_raw_value(&event)?).await?;
            }
        }
    }
}

fn view() -> HubView {
    HubView {
        id: HubId(stdx::mint()),
        version: "0.0.0".to_owned(),
        revision: eyas::api::REVISION,
        pid: 1,
        home: "/data".to_owned(),
        endpoint: None,
        started_at: Timestamp(1_700_000_000_000),
        peers: 1,
        open_runs: 0,
        broken: Vec::new(),
        agents: Vec::new(),
        classes: Vec::new(),
        draining: false,
        runs_retention_ms: Some(RETENTION_MS),
        hosts: Vec::new(),
        env_names: Vec::new(),
    }
}

#[async_trait]
impl HubApiServer for Hub {
    async fn join(&self, _: &Extensions, _: HubJoin) -> Result<HubView, Fault> {
        Ok(view())
    }

    async fn info(&self, _: Nothing) -> Result<HubView, Fault> {
        Ok(view())
    }

    async fn peers(&self, _: Nothing) -> Result<Page<PeerView>, Fault> {
        Ok(Page {
            items: Vec::new(),
            next_cursor: None,
        })
    }

    async fn shutdown(&self, _: &Extensions, _: HubShutdown) -> Result<HubView, Fault> {
        Ok(view())
    }
    async fn doctor(&self, _: &Extensions, _: Nothing) -> Result<Diagnosis, Fault> {
        Err(Fault::new(ErrorKind::Forbidden, "no face asks for it"))
    }
}
