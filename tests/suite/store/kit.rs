//! What the promises of the store are tried with.

use super::place::Place;
use eyas::{
    domain::{
        conclusion::{Conclusion, ConclusionSource, ConclusionStatus},
        event::{Event, EventKind, NewEvent},
        ids::{HubId, ProjectId, RunId, SessionId},
        policy::Policy,
        request::{Answer, OptionKind, RequestKind, RequestOption},
        retry::Retry,
        run::{AttemptOutcome, Mode, RunState},
        spent::Budget,
        worktree::Isolation,
    },
    stdx::mint,
    store::{
        AttemptNote, Claimed, EventFilter, Extras, Finish, Idempotency, Lease, NewRequest, NewRun,
        Progress, SessionRow, Store, StoreError, sql::Settings,
    },
};
use serde_json::json;

pub(super) const LEASE_MS: i64 = 60_000;

/// An empty store in a place of its own.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) store: Store,
    pub(super) place: Place,
    /// Who claims, unless a test says otherwise.
    pub(super) me: HubId,
}

impl Home {
    pub(super) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    /// With so many turns at once in each class.
    pub(super) async fn capped(default_cap: u32) -> Self {
        Self::with(Settings {
            default_cap,
            ..Settings::default()
        })
        .await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        let place = Place::new().await;
        let store = place.open(settings).await;
        Self {
            store,
            place,
            me: hub(),
        }
    }

    /// Closes, and opens again.
    pub(super) async fn reopen(self) -> Self {
        self.reopen_capped(Settings::default().default_cap).await
    }

    /// The same, with so many turns at once in each class.
    pub(super) async fn reopen_capped(self, default_cap: u32) -> Self {
        self.store.closer.close().await;
        let settings = Settings {
            default_cap,
            ..Settings::default()
        };
        let store = self.place.open(settings).await;
        Self {
            store,
            place: self.place,
            me: self.me,
        }
    }

    pub(super) async fn accept(&self, run: NewRun) -> RunId {
        self.store.runs.accept(run).await.unwrap().run.id
    }

    pub(super) async fn claim(&self, limit: u32) -> Vec<Claimed> {
        self.store
            .runs
            .claim(self.me, limit, LEASE_MS)
            .await
            .unwrap()
    }

    /// Claims the one run that is ready.
    pub(super) async fn claim_one(&self) -> Lease {
        let claimed = self.claim(10).await;
        assert_eq!(claimed.len(), 1, "one run is ready");
        claimed[0].lease
    }

    pub(super) async fn finish(&self, lease: Lease) {
        self.store.runs.finish(lease, success()).await.unwrap();
    }

    pub(super) async fn state(&self, run: RunId) -> RunState {
        self.store.runs.get(run).await.unwrap().state
    }

    pub(super) async fn events(&self, run: RunId) -> Vec<Event> {
        let filter = EventFilter {
            run: Some(run),
            ..EventFilter::default()
        };
        self.store.events.after(None, filter, 1000).await.unwrap()
    }

    pub(super) async fn kinds(&self, run: RunId) -> Vec<EventKind> {
        self.events(run)
            .await
            .into_iter()
            .map(|event| event.kind)
            .collect()
    }
}

pub(super) fn hub() -> HubId {
    HubId(mint())
}

pub(super) fn session() -> SessionRow {
    SessionRow {
        id: SessionId(mint()),
        instance: None,
        persona: None,
        agent: "embedded".to_owned(),
        project: None,
        cwd: "/work".to_owned(),
        agent_session: None,
    }
}

pub(super) fn project_id() -> ProjectId {
    ProjectId(mint())
}

/// A run in a session of its own.
pub(super) fn run() -> NewRun {
    run_in(session())
}

pub(super) fn run_in(session: SessionRow) -> NewRun {
    NewRun {
        id: RunId(mint()),
        session,
        prompt: "look at it".to_owned(),
        previous: None,
        label: None,
        lane: "default".to_owned(),
        mode: Mode::Auto,
        timeout_ms: None,
        tree: None,
        warnings: Vec::new(),
        idempotency: None,
        policy: Policy::default(),
        isolation: Isolation::Shared,
        worktree: None,
        parent: None,
        depth: 0,
        max_in_project: None,
        retry: Retry::default(),
        budget: Budget::default(),
        extras: Extras::default(),
        occasion: None,
    }
}

pub(super) fn keyed(key: &str, fingerprint: &str) -> NewRun {
    NewRun {
        idempotency: Some(Idempotency {
            scope: "project".to_owned(),
            key: key.to_owned(),
            fingerprint: fingerprint.to_owned(),
        }),
        ..run()
    }
}

pub(super) fn message(text: &str) -> NewEvent {
    NewEvent {
        kind: EventKind::Message,
        data: json!({"text": text}),
    }
}

pub(super) fn says(text: &str) -> Progress {
    Progress {
        events: vec![message(text)],
        step: Some(text.to_owned()),
        note: AttemptNote::default(),
        ..Progress::default()
    }
}

pub(super) fn conclusion(summary: &str) -> Conclusion {
    Conclusion {
        status: ConclusionStatus::Success,
        summary: summary.to_owned(),
        artifacts: Vec::new(),
        memory_refs: Vec::new(),
        follow_up: None,
        questions: Vec::new(),
        confidence: None,
        changes: None,
        tools: None,
        warnings: Vec::new(),
        source: ConclusionSource::Tool,
        duration_ms: 5,
        usage: None,
        peak_memory_bytes: None,
        stop_reason: None,
    }
}

/// To run a command; the same words have the same fingerprint.
pub(super) fn asks(what: &str) -> NewRequest {
    let option = |id: &str, kind| RequestOption {
        id: id.to_owned(),
        name: format!("{id}, please"),
        kind,
    };
    NewRequest {
        id: mint().to_string(),
        kind: RequestKind::Permission,
        title: what.to_owned(),
        detail: Some(format!("$ {what}")),
        options: vec![
            option("yes", OptionKind::AllowOnce),
            option("no", OptionKind::RejectOnce),
        ],
        fingerprint: format!("digest of {what}"),
        deadline_ms: Some(60_000),
    }
}

pub(super) fn option(id: &str) -> Answer {
    Answer {
        option: Some(id.to_owned()),
        text: None,
    }
}

pub(super) fn success() -> Finish {
    ends(RunState::Succeeded, AttemptOutcome::Succeeded)
}

pub(super) fn ends(state: RunState, outcome: AttemptOutcome) -> Finish {
    Finish {
        state,
        outcome,
        error: None,
        conclusion: (state == RunState::Succeeded).then(|| conclusion("done")),
        usage: None,
        warnings: Vec::new(),
        stderr_tail: None,
        progress: Progress::default(),
        unless_input: false,
    }
}

pub(super) fn is_lost<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::LeaseLost(_)))
}
