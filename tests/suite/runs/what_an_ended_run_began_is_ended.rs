//! Also when nobody was there to do it at the time.

use super::kit::{PATIENCE, Yard};
use eyas::{
    domain::{
        ids::{HubId, RunId},
        run::{AttemptOutcome, RunState},
    },
    runs::{self, Dispatch},
    stdx::mint,
    store::{
        Finish, Lease, NewRun, Progress, Store,
        sql::{self, Settings},
    },
};
use tokio_util::sync::CancellationToken;

struct Line {
    /// Goes with the test.
    folder: tempfile::TempDir,
    store: Store,
}

impl Line {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("eyas.db");
        let settings = Settings::default();
        let store = sql::open_sqlite(&path, settings).await.unwrap();
        Self { folder, store }
    }

    async fn begun(&self, parent: Option<Lease>) -> Lease {
        let mut run = Self::asking(parent);
        run.lane = mint().to_string();
        let id = self.store.runs.accept(run).await.unwrap().run.id;
        let claimed = self.store.runs.claim(HubId(mint()), 8, 60_000).await;
        let leases = claimed.unwrap().into_iter().map(|claimed| claimed.lease);
        leases.into_iter().find(|lease| lease.run == id).unwrap()
    }

    fn asking(parent: Option<Lease>) -> NewRun {
        let session = eyas::store::SessionRow {
            id: eyas::domain::ids::SessionId(mint()),
            instance: None,
            persona: None,
            agent: "fake".to_owned(),
            project: None,
            cwd: "/nowhere".to_owned(),
            agent_session: None,
        };
        NewRun {
            parent,
            depth: u32::from(parent.is_some()),
            ..Yard::asking_in(session, "work")
        }
    }

    async fn end(&self, lease: Lease, state: RunState, outcome: AttemptOutcome) {
        let finish = Finish {
            state,
            outcome,
            error: None,
            conclusion: None,
            usage: None,
            warnings: Vec::new(),
            stderr_tail: None,
            progress: Progress::default(),
            unless_input: false,
        };
        self.store.runs.finish(lease, finish).await.unwrap();
    }

    fn watched(&self) -> (CancellationToken, runs::Orders) {
        let (dispatch, orders) = Dispatch::new();
        let ended = CancellationToken::new();
        runs::start_cascade(self.store.clone(), dispatch, ended.clone());
        (ended, orders)
    }

    fn close(self) {
        self.folder.close().unwrap();
    }

    async fn is_cancelled(&self, run: RunId) {
        let run = runs::wait(&self.store, run, PATIENCE, false).await.unwrap();
        assert_eq!(run.state, RunState::Cancelled, "{run:#?}");
    }
}

#[tokio::test]
async fn what_was_left_open_is_found_at_the_start() {
    let line = Line::new().await;
    let top = line.begun(None).await;
    let middle = line.begun(Some(top)).await;
    let other = line.begun(None).await;
    let last = line.store.runs.accept(Line::asking(Some(middle))).await;
    let last = last.unwrap().run.id;
    let free = line.store.runs.accept(Line::asking(Some(other))).await;
    let free = free.unwrap().run.id;
    // The one between has come to its own end; the one above it was cancelled, and then the hub died.
    line.end(middle, RunState::Succeeded, AttemptOutcome::Succeeded)
        .await;
    line.end(other, RunState::Succeeded, AttemptOutcome::Succeeded)
        .await;
    line.end(top, RunState::Cancelled, AttemptOutcome::Cancelled)
        .await;
    let (ended, _orders) = line.watched();
    line.is_cancelled(last).await;
    let free = line.store.runs.get(free).await.unwrap();
    assert_eq!(
        free.state,
        RunState::Queued,
        "nobody ended the one above it"
    );
    ended.cancel();
    line.close();
}

#[tokio::test]
async fn what_is_being_worked_on_is_asked_to_end() {
    let line = Line::new().await;
    let top = line.begun(None).await;
    let below = line.begun(Some(top)).await;
    let (ended, _orders) = line.watched();
    line.end(top, RunState::TimedOut, AttemptOutcome::TimedOut)
        .await;
    let begun = std::time::Instant::now();
    loop {
        let renewed = line.store.runs.renew(vec![below], 60_000).await.unwrap();
        if renewed[0].cancel_requested {
            break;
        }
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    ended.cancel();
    line.close();
}

#[tokio::test]
async fn nothing_begins_below_one_that_has_ended() {
    let line = Line::new().await;
    let top = line.begun(None).await;
    line.end(top, RunState::Cancelled, AttemptOutcome::Cancelled)
        .await;
    let late = line.store.runs.accept(Line::asking(Some(top))).await;
    assert!(late.is_err());
    line.close();
}
