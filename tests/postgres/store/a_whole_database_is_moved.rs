//! From SQLite to PostgreSQL: every row, as it was, and what comes after goes on from there.

use super::{
    kit::{asks, conclusion, ends, is_lost, option, run, run_in, says, session, success},
    place::Place,
};
use eyas::{
    domain::{
        fault::{ErrorKind, Fault},
        ids::{HubId, InstanceId, ProjectId, RunId, ScheduleId},
        input::InputMode,
        instance::{Health, Instance, InstanceStatus, Role},
        page::Page,
        project::ProjectRow,
        run::{AttemptOutcome, Run, RunState, Waiting},
        schedule::{Allowance, Misfire, Overlap, Schedule, Tick, Work},
        time::Timestamp,
        worktree::{Isolation, Worktree, WorktreeState},
    },
    stdx::mint,
    store::{
        EventFilter, Finish, Idempotency, Lease, NewInput, NewRun, Occasion, PageAt, Progress,
        Release, RunFilter, Store, StoreError,
        sql::{self, Settings},
    },
};
use std::path::{Path, PathBuf};

const FIRST: Timestamp = Timestamp(1_700_000_000_000);

struct Source {
    _folder: tempfile::TempDir,
    path: PathBuf,
    me: HubId,
}

impl Source {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("eyas.db");
        Self {
            _folder: folder,
            path,
            me: HubId(mint()),
        }
    }

    async fn open(&self) -> Store {
        sql::open_sqlite(&self.path, Settings::default())
            .await
            .unwrap()
    }

    async fn claim(&self, store: &Store) -> Lease {
        store
            .runs
            .claim(self.me, 1, 60_000)
            .await
            .unwrap()
            .pop()
            .expect("one is ready")
            .lease
    }
}

fn schedule() -> Schedule {
    Schedule {
        id: ScheduleId(mint()),
        name: "nightly".to_owned(),
        cron: "30 3 * * *".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        work: Work {
            prompt: "look".to_owned(),
            ..Work::default()
        },
        overlap: Overlap::Queue,
        misfire: Misfire::All,
        misfire_max: 3,
        allowance: Some(Allowance {
            cost_usd: Some(0.1),
            ..Allowance::default()
        }),
        used: None,
        active: true,
        next_at: Some(FIRST),
        last_at: None,
        last_run: None,
        next_times: Vec::new(),
        disabled_reason: None,
        last_error: None,
        created_at: Timestamp(1),
    }
}

/// Something of everything.
async fn fill(source: &Source, store: &Store) {
    let project = ProjectRow {
        id: ProjectId(mint()),
        ..project()
    };
    store
        .projects
        .register(project.clone(), true)
        .await
        .unwrap();
    store.instances.insert(instance(project.id)).await.unwrap();

    // One that ended well, under a key, with all that a run can have.
    let talk = session();
    let whole = NewRun {
        prompt: "é \u{1f985} and\nlines; 'quotes', \\ and \"more\"".to_owned(),
        label: Some("whole".to_owned()),
        idempotency: Some(Idempotency {
            scope: "project".to_owned(),
            key: "k".to_owned(),
            fingerprint: "f".to_owned(),
        }),
        isolation: Isolation::Worktree,
        worktree: Some(Worktree {
            path: "/w".to_owned(),
            branch: "eyas/x".to_owned(),
            base: None,
            state: WorktreeState::Planned,
            problem: None,
        }),
        ..run_in(talk.clone())
    };
    store.runs.accept(whole).await.unwrap();
    let lease = source.claim(store).await;
    store.runs.append(lease, says("at it")).await.unwrap();
    let asked = asks("rm -rf");
    store.requests.open(lease, asked.clone()).await.unwrap();
    store
        .requests
        .answer(lease.run, &asked.id, option("yes"), Some("cli".to_owned()))
        .await
        .unwrap();
    let finish = Finish {
        conclusion: Some(conclusion("it is done")),
        ..success()
    };
    store.runs.finish(lease, finish).await.unwrap();

    // One that failed by its agent's fault, one that was cancelled.
    let fails = NewRun {
        lane: "odd".to_owned(),
        ..run_in(talk.clone())
    };
    store.runs.accept(fails).await.unwrap();
    let lease = source.claim(store).await;
    let finish = Finish {
        error: Some(Fault::new(ErrorKind::AgentDied, "it died")),
        stderr_tail: Some("last words".to_owned()),
        ..ends(RunState::Failed, AttemptOutcome::Failed)
    };
    store.runs.finish(lease, finish).await.unwrap();
    let id = store.runs.accept(run()).await.unwrap().run.id;
    store.runs.cancel(id, "enough".to_owned()).await.unwrap();

    // One of a schedule.
    let nightly = schedule();
    store.schedules.insert(nightly.clone()).await.unwrap();
    let of_tick = NewRun {
        occasion: Some(Occasion {
            schedule: nightly.id,
            tick: Some(Tick {
                at: FIRST,
                from: FIRST,
                next: Some(Timestamp(FIRST.0 + 60_000)),
            }),
            overlap: nightly.overlap,
            since: Some(FIRST),
        }),
        ..run()
    };
    store.runs.accept(of_tick).await.unwrap();
    let lease = source.claim(store).await;
    store.runs.finish(lease, success()).await.unwrap();

    // One that waits for its environment with a request open and an input to come, one queued behind it.
    store.runs.accept(run_in(talk.clone())).await.unwrap();
    let lease = source.claim(store).await;
    store.requests.open(lease, asks("ls")).await.unwrap();
    let input = NewInput {
        run: lease.run,
        message: "and this".to_owned(),
        mode: InputMode::Queue,
        idempotency: Some(Idempotency {
            scope: lease.run.to_string(),
            key: "i".to_owned(),
            fingerprint: "g".to_owned(),
        }),
        between: false,
    };
    store.inputs.accept(input).await.unwrap();
    let release = Release {
        waiting: Some(Waiting::Environment),
        delay_ms: 3_600_000,
        reason: "no key".to_owned(),
    };
    store.runs.release(lease, release).await.unwrap();
    store.runs.accept(run_in(talk)).await.unwrap();
    for n in 0..1_200 {
        let event = eyas::domain::event::NewEvent {
            kind: eyas::domain::event::EventKind::DelegationChanged,
            data: serde_json::json!({ "count": n }),
        };
        store
            .events
            .record(Some(project.id), None, event)
            .await
            .unwrap();
    }
}

fn project() -> ProjectRow {
    ProjectRow {
        id: ProjectId(mint()),
        name: "p".to_owned(),
        host: None,
        path: "/p".to_owned(),
        unregistered: false,
        last_opened_at: None,
        created_at: Timestamp(1),
        trust: None,
        status: None,
    }
}

fn instance(project: ProjectId) -> Instance {
    Instance {
        id: InstanceId(mint()),
        name: "rev".to_owned(),
        display_name: "Rev".to_owned(),
        host: None,
        persona: Some("reviewer".to_owned()),
        agent: None,
        role: Some(Role::Talon),
        parent: None,
        project: Some(project),
        model: None,
        workspace: "/w".to_owned(),
        status: InstanceStatus::Stopped,
        health: Health::Unknown,
        restart_count: 2,
        created_at: Timestamp(1),
        deleted_at: None,
    }
}

async fn all_runs(store: &Store) -> Vec<Run> {
    let filter = RunFilter {
        archived: true,
        ..RunFilter::default()
    };
    let page: Page<Run> = store.runs.list(filter, PageAt::default()).await.unwrap();
    page.items
}

async fn move_to(path: &Path, place: &Place) -> Result<sql::Moved, StoreError> {
    sql::transfer(path, &place.url()).await
}

/// Both say the same, whatever they are asked.
async fn are_equal(one: &Store, two: &Store) {
    let runs = all_runs(one).await;
    assert_eq!(runs.len(), 6);
    assert_eq!(runs, all_runs(two).await);
    for run in &runs {
        let id = run.id;
        assert_eq!(
            one.runs.get(id).await.unwrap(),
            two.runs.get(id).await.unwrap()
        );
        assert_eq!(
            one.runs.attempts(id).await.unwrap(),
            two.runs.attempts(id).await.unwrap()
        );
        assert_eq!(
            one.requests.of(id).await.unwrap(),
            two.requests.of(id).await.unwrap()
        );
        assert_eq!(
            one.inputs.of(id).await.unwrap(),
            two.inputs.of(id).await.unwrap()
        );
    }
    let mut after = None;
    loop {
        let filter = EventFilter::default();
        let events = one.events.after(after.clone(), filter, 100).await.unwrap();
        let same = two.events.after(after, filter, 100).await.unwrap();
        assert_eq!(events, same);
        let Some(last) = events.last() else { break };
        after = Some(last.cursor.clone());
    }
    assert_eq!(
        one.schedules.by_name("nightly").await.unwrap(),
        two.schedules.by_name("nightly").await.unwrap()
    );
    assert_eq!(
        one.instances.by_name("rev").await.unwrap(),
        two.instances.by_name("rev").await.unwrap()
    );
    assert_eq!(
        one.projects.by_path("/p").await.unwrap(),
        two.projects.by_path("/p").await.unwrap()
    );
    assert_eq!(
        one.runs.classes().await.unwrap(),
        two.runs.classes().await.unwrap()
    );
}

#[tokio::test]
async fn every_run_is_there_as_it_was_and_what_follows_comes_after_it() {
    let source = Source::new();
    let store = source.open().await;
    fill(&source, &store).await;
    let waiting = all_runs(&store).await[1].id;
    store.closer.close().await;

    let place = Place::new().await;
    let moved = move_to(&source.path, &place).await.unwrap();
    let rows = |name: &str| {
        moved
            .tables
            .iter()
            .find(|(table, _)| *table == name)
            .map(|(_, rows)| *rows)
    };
    for (table, many) in [
        ("run", 6),
        ("project", 1),
        ("instance", 1),
        ("schedule", 1),
        ("occurrence", 1),
        ("failure", 1),
        ("input", 1),
        ("request", 2),
        ("idempotency", 1),
    ] {
        assert_eq!(rows(table), Some(many), "{table}: {moved:?}");
    }
    assert!(rows("event") > Some(1_200), "{moved:?}");

    let (one, two) = (source.open().await, place.open(Settings::default()).await);
    are_equal(&one, &two).await;

    // The same key is the same run, and cursors and numbers go on.
    let again = NewRun {
        idempotency: Some(Idempotency {
            scope: "project".to_owned(),
            key: "k".to_owned(),
            fingerprint: "f".to_owned(),
        }),
        ..run()
    };
    assert!(two.runs.accept(again).await.unwrap().duplicate);
    let last = two.events.latest().await.unwrap();
    let next = two.runs.accept(run()).await.unwrap().run.id;
    let events = two
        .events
        .after(last, EventFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(events[0].run, Some(next), "{events:?}");
    two.runs.wake(Waiting::Environment).await.unwrap();
    let claimed = two.runs.claim(source.me, 10, 60_000).await.unwrap();
    let mut taken: Vec<RunId> = claimed.iter().map(|one| one.lease.run).collect();
    taken.sort();
    assert_eq!(taken, [waiting, next]);
    let lease = claimed[0].lease;
    two.requests.open(lease, asks("more")).await.unwrap();
    two.runs.append(lease, Progress::default()).await.unwrap();
    one.closer.close().await;
    two.closer.close().await;
}

fn refused(moved: Result<sql::Moved, StoreError>) -> ErrorKind {
    match moved {
        Err(StoreError::Unfit(fault)) => fault.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_target_with_rows_and_a_run_in_flight_are_refused_and_nothing_is_written() {
    let source = Source::new();
    let store = source.open().await;
    store.runs.accept(run()).await.unwrap();
    let lease = source.claim(&store).await;
    store.closer.close().await;
    let place = Place::new().await;
    assert_eq!(
        refused(move_to(&source.path, &place).await),
        ErrorKind::Busy
    );

    let store = source.open().await;
    store.runs.recover(Vec::new()).await.unwrap();
    assert!(is_lost(&store.runs.finish(lease, success()).await));
    store.closer.close().await;
    move_to(&source.path, &place).await.unwrap();
    assert_eq!(
        refused(move_to(&source.path, &place).await),
        ErrorKind::InUse
    );
    let store = place.open(Settings::default()).await;
    assert_eq!(store.runs.open(None).await.unwrap(), 1);
    assert_eq!(all_runs(&store).await.len(), 1);
    store.closer.close().await;

    let nothing = move_to(Path::new("/not/there"), &place).await;
    assert!(
        matches!(nothing, Err(StoreError::NotFound { .. })),
        "{nothing:?}"
    );
}
