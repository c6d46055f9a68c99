//! Whoever comes first has a schedule's tick: its run and the step of the schedule are one commit.

use super::kit::{Home, run, run_in, session};
use eyas::{
    domain::{
        event::{Event, EventKind},
        ids::ScheduleId,
        run::RunState,
        schedule::{Misfire, Overlap, Schedule, Tick, Work},
        time::Timestamp,
    },
    stdx::mint,
    store::{EventFilter, NewRun, Occasion, PageAt, StoreError, sql::Settings},
};

const FIRST: Timestamp = Timestamp(1_700_000_000_000);
const SECOND: Timestamp = Timestamp(1_700_000_060_000);

fn schedule(name: &str, overlap: Overlap) -> Schedule {
    Schedule {
        id: ScheduleId(mint()),
        name: name.to_owned(),
        cron: "* * * * *".to_owned(),
        zone: "UTC".to_owned(),
        work: Work {
            prompt: "look".to_owned(),
            timeout_ms: Some(5),
            ..Work::default()
        },
        overlap,
        misfire: Misfire::All,
        misfire_max: 3,
        allowance: None,
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

fn tick(at: Timestamp, next: Option<Timestamp>) -> Tick {
    Tick { at, from: at, next }
}

fn at(schedule: &Schedule, tick: Option<Tick>) -> NewRun {
    NewRun {
        occasion: Some(Occasion {
            schedule: schedule.id,
            tick,
            overlap: schedule.overlap,
            since: None,
        }),
        ..run()
    }
}

async fn told(home: &Home, kind: EventKind) -> Vec<Event> {
    let all = EventFilter::default();
    let mut events = home.store.events.after(None, all, 1000).await.unwrap();
    events.retain(|event| event.kind == kind);
    events
}

#[tokio::test]
async fn many_that_see_a_tick_begin_one_run_and_the_schedule_moves_on() {
    let home = Home::new().await;
    let nightly = schedule("nightly", Overlap::Parallel);
    home.store.schedules.insert(nightly.clone()).await.unwrap();
    assert_eq!(home.store.schedules.next().await.unwrap(), Some(FIRST));
    assert_eq!(
        home.store
            .schedules
            .due(Timestamp(FIRST.0 - 1))
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        home.store.schedules.due(FIRST).await.unwrap(),
        std::slice::from_ref(&nightly)
    );
    let tries = (0..20).map(|_| {
        let runs = home.store.runs.clone();
        let asked = at(&nightly, Some(tick(FIRST, Some(SECOND))));
        tokio::spawn(async move { runs.accept(asked).await })
    });
    let mut begun = Vec::new();
    for outcome in futures::future::join_all(tries).await {
        match outcome.unwrap() {
            Ok(accepted) => begun.push(accepted.run.id),
            Err(error) => assert!(matches!(error, StoreError::TickTaken(_)), "{error}"),
        }
    }
    assert_eq!(begun.len(), 1);
    assert_eq!(home.store.runs.open(None).await.unwrap(), 1);
    let home = home.reopen().await;
    let found = home.store.schedules.by_name("nightly").await.unwrap();
    let moved = Schedule {
        next_at: Some(SECOND),
        last_at: Some(FIRST),
        last_run: Some(begun[0]),
        ..nightly.clone()
    };
    assert_eq!(found, moved);
    assert_eq!(home.store.schedules.due(FIRST).await.unwrap(), []);
    let fired = told(&home, EventKind::ScheduleFired).await;
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].data["name"], "nightly");
    assert_eq!(fired[0].data["run"], begun[0].to_string());
}

#[tokio::test]
async fn two_hubs_that_see_a_tick_begin_one_run() {
    let home = Home::new().await;
    let nightly = schedule("nightly", Overlap::Skip);
    home.store.schedules.insert(nightly.clone()).await.unwrap();
    let other = home.place.open(Settings::default()).await;
    let tries = [&home.store, &other].into_iter().cycle().take(10);
    let outcomes = futures::future::join_all(tries.map(|store| {
        let (runs, schedules) = (store.runs.clone(), store.schedules.clone());
        let asked = at(&nightly, Some(tick(FIRST, Some(SECOND))));
        let pass = tick(FIRST, Some(SECOND));
        let id = nightly.id;
        tokio::spawn(async move {
            let begun = runs.accept(asked).await;
            let passed = begun.is_err()
                && schedules
                    .pass(id, pass, "late".to_owned(), true)
                    .await
                    .unwrap();
            (begun.is_ok(), passed)
        })
    }))
    .await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|(begun, _)| *begun).count(), 1);
    assert!(!outcomes.iter().any(|(_, passed)| *passed), "{outcomes:?}");
    assert_eq!(home.store.runs.open(None).await.unwrap(), 1);
    let found = other.schedules.get(nightly.id).await.unwrap();
    assert_eq!((found.next_at, found.last_error), (Some(SECOND), None));
    other.closer.close().await;
}

#[tokio::test]
async fn a_tick_that_comes_again_begins_nothing() {
    let home = Home::new().await;
    let nightly = schedule("nightly", Overlap::Parallel);
    home.store.schedules.insert(nightly.clone()).await.unwrap();
    let first = tick(FIRST, Some(SECOND));
    home.accept(at(&nightly, Some(first))).await;
    // Somebody changed it after the clock was set back.
    home.store.schedules.update(nightly.clone()).await.unwrap();
    let again = home.store.runs.accept(at(&nightly, Some(first))).await;
    assert!(matches!(again, Err(StoreError::TickTaken(_))));
    let schedules = &home.store.schedules;
    let pass = || schedules.pass(nightly.id, first, "taken".to_owned(), false);
    assert!(pass().await.unwrap());
    assert!(!pass().await.unwrap(), "it has moved on");
    let found = schedules.get(nightly.id).await.unwrap();
    assert_eq!(found.next_at, Some(SECOND));
    assert!(told(&home, EventKind::ScheduleSkipped).await.is_empty());
    assert_eq!(home.store.runs.open(None).await.unwrap(), 1);
}

#[tokio::test]
async fn while_a_run_is_open_the_next_tick_is_passed_over_where_that_is_asked() {
    let home = Home::new().await;
    let nightly = schedule("nightly", Overlap::Skip);
    home.store.schedules.insert(nightly.clone()).await.unwrap();
    let open = home
        .accept(at(&nightly, Some(tick(FIRST, Some(SECOND)))))
        .await;
    let second = tick(SECOND, Some(Timestamp(SECOND.0 + 60_000)));
    let beside = home.store.runs.accept(at(&nightly, Some(second))).await;
    assert!(matches!(beside, Err(StoreError::StillOpen(_))));
    let found = home.store.schedules.get(nightly.id).await.unwrap();
    assert_eq!(found.next_at, Some(SECOND), "nothing was written");
    let by_hand = home.store.runs.accept(at(&nightly, None)).await;
    assert!(matches!(by_hand, Err(StoreError::StillOpen(_))));
    let passed = home
        .store
        .schedules
        .pass(nightly.id, second, "open".to_owned(), true)
        .await;
    assert!(passed.unwrap());
    let found = home.store.schedules.get(nightly.id).await.unwrap();
    assert_eq!((found.next_at, found.last_at), (second.next, Some(FIRST)));
    assert_eq!(found.last_error.as_deref(), Some("open"));
    assert_eq!(told(&home, EventKind::ScheduleSkipped).await.len(), 1);
    home.store
        .runs
        .cancel(open, "enough".to_owned())
        .await
        .unwrap();
    assert_eq!(home.state(open).await, RunState::Cancelled);
    for _ in 0..2 {
        let by_hand = home.accept(at(&nightly, None)).await;
        let found = home.store.schedules.get(nightly.id).await.unwrap();
        assert_eq!((found.last_run, found.last_error), (Some(by_hand), None));
        assert_eq!(found.next_at, second.next, "its times are as they were");
        home.store
            .runs
            .cancel(by_hand, String::new())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn those_that_queue_have_one_conversation() {
    let home = Home::new().await;
    let nightly = schedule("nightly", Overlap::Queue);
    let schedules = &home.store.schedules;
    schedules.insert(nightly.clone()).await.unwrap();
    assert_eq!(schedules.session(nightly.id).await.unwrap(), None);
    let conversation = session();
    let mut first = at(&nightly, Some(tick(FIRST, Some(SECOND))));
    first.session = conversation.clone();
    home.accept(first).await;
    assert_eq!(
        schedules.session(nightly.id).await.unwrap(),
        Some(conversation.id)
    );
    let mut second = at(&nightly, Some(tick(SECOND, Some(Timestamp(SECOND.0 + 1)))));
    second.session = run_in(conversation).session;
    home.accept(second).await;
    assert_eq!(home.claim(10).await.len(), 1, "one after the other");
}

#[tokio::test]
async fn after_its_last_time_it_is_not_active_and_says_so() {
    let home = Home::new().await;
    let once = schedule("once", Overlap::Skip);
    home.store.schedules.insert(once.clone()).await.unwrap();
    home.accept(at(&once, Some(tick(FIRST, None)))).await;
    let found = home.store.schedules.get(once.id).await.unwrap();
    assert!(!found.active && found.next_at.is_none());
    assert!(found.disabled_reason.unwrap().contains("no time"));
    assert_eq!(home.store.schedules.next().await.unwrap(), None);
    assert_eq!(told(&home, EventKind::ScheduleDisabled).await.len(), 1);
}

#[tokio::test]
async fn names_are_unique_lists_are_pages_and_what_is_deleted_fires_no_more() {
    let home = Home::new().await;
    let schedules = &home.store.schedules;
    let mut all = Vec::new();
    for name in ["a", "b", "c"] {
        let made = schedule(name, Overlap::Parallel);
        schedules.insert(made.clone()).await.unwrap();
        all.push(made);
    }
    let twice = schedules.insert(schedule("b", Overlap::Skip)).await;
    assert!(matches!(twice, Err(StoreError::NameExists(name)) if name == "b"));
    let at_most_two = |cursor| PageAt { cursor, limit: 2 };
    let first = schedules.list(at_most_two(None)).await.unwrap();
    let rest = schedules
        .list(at_most_two(first.next_cursor))
        .await
        .unwrap();
    let names: Vec<_> = first.items.iter().chain(&rest.items).collect();
    assert_eq!(names, all.iter().collect::<Vec<_>>());
    home.accept(at(&all[0], Some(tick(FIRST, Some(SECOND)))))
        .await;
    schedules.delete(all[0].id).await.unwrap();
    let gone = schedules.delete(all[0].id).await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })));
    let late = at(&all[0], Some(tick(SECOND, None)));
    let refused = home.store.runs.accept(late).await;
    assert!(matches!(refused, Err(StoreError::TickTaken(_))));
}
