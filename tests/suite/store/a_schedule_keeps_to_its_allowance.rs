//! What the runs of a schedule, and all that their agents delegate, have used up together bounds how many more begin.

use super::kit::{Home, run, success};
use eyas::{
    domain::{
        fault::ErrorKind,
        ids::ScheduleId,
        run::AttemptOutcome,
        schedule::{Allowance, Misfire, Overlap, Schedule, Tick, Work},
        spent::Budget,
        time::Timestamp,
        usage::Usage,
    },
    stdx::mint,
    store::{Back, Finish, Lease, NewRun, Occasion, Progress, StoreError},
};

const FIRST: Timestamp = Timestamp(1_700_000_000_000);
const SECOND: Timestamp = Timestamp(1_700_000_060_000);
/// Before and after all that is written here.
const AGO: Timestamp = Timestamp(0);
const LATER: Timestamp = Timestamp(9_000_000_000_000);

fn schedule(allowance: Option<Allowance>) -> Schedule {
    Schedule {
        id: ScheduleId(mint()),
        name: "nightly".to_owned(),
        cron: "* * * * *".to_owned(),
        zone: "UTC".to_owned(),
        work: Work {
            prompt: "look".to_owned(),
            budget: Some(Budget {
                cost_usd: Some(0.25),
                turns: Some(3),
                ..Budget::default()
            }),
            ..Work::default()
        },
        overlap: Overlap::Parallel,
        misfire: Misfire::Once,
        misfire_max: 1,
        allowance,
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

/// A run that a person asks for, or that of a tick.
fn at(schedule: &Schedule, tick: Option<Tick>, since: Timestamp) -> NewRun {
    NewRun {
        occasion: Some(Occasion {
            schedule: schedule.id,
            tick,
            overlap: schedule.overlap,
            since: Some(since),
        }),
        ..run()
    }
}

fn costs(usd: f64, tokens: u64) -> Finish {
    Finish {
        usage: Some(Usage {
            cost_usd: Some(usd),
            total_tokens: Some(tokens),
            ..Usage::default()
        }),
        ..success()
    }
}

async fn done(home: &Home, lease: Lease, usd: f64, tokens: u64) {
    home.store
        .runs
        .finish(lease, costs(usd, tokens))
        .await
        .unwrap();
}

async fn refused(home: &Home, new: NewRun) -> String {
    match home.store.runs.accept(new).await {
        Err(StoreError::UsedUp(fault)) => {
            assert_eq!(fault.kind, ErrorKind::BudgetReached);
            fault.detail
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_is_kept_as_it_was_set() {
    let home = Home::new().await;
    let mut nightly = schedule(Some(Allowance {
        cost_usd: Some(1.5),
        ..Allowance::default()
    }));
    home.store.schedules.insert(nightly.clone()).await.unwrap();
    let home = home.reopen().await;
    assert_eq!(home.store.schedules.get(nightly.id).await.unwrap(), nightly);
    nightly.allowance = None;
    nightly.work.budget = None;
    home.store.schedules.update(nightly.clone()).await.unwrap();
    assert_eq!(home.store.schedules.get(nightly.id).await.unwrap(), nightly);
    assert_eq!(nightly.period_of(FIRST), None);
}

#[tokio::test]
async fn what_its_runs_and_those_below_them_cost_counts_in_its_period() {
    let home = Home::new().await;
    let nightly = schedule(Some(Allowance {
        cost_usd: Some(1.0),
        ..Allowance::default()
    }));
    home.store.schedules.insert(nightly.clone()).await.unwrap();
    // One of somebody else, which costs much.
    home.accept(run()).await;
    let other = home.claim_one().await;
    done(&home, other, 50.0, 5).await;

    home.accept(at(&nightly, None, AGO)).await;
    let parent = home.claim_one().await;
    home.accept(NewRun {
        parent: Some(parent),
        depth: 1,
        ..run()
    })
    .await;
    let child = home.claim_one().await;
    done(&home, child, 0.5, 20).await;
    done(&home, parent, 0.25, 10).await;
    let used = home.store.schedules.used(nightly.id, AGO).await.unwrap();
    assert_eq!((used.runs, used.usage.total_tokens), (1, Some(30)));
    assert_eq!((used.usage.cost_usd, used.since), (Some(0.75), AGO));

    home.accept(at(&nightly, None, AGO)).await;
    let second = home.claim_one().await;
    done(&home, second, 0.25, 1).await;
    let tick = Tick {
        at: FIRST,
        from: FIRST,
        next: Some(SECOND),
    };
    let detail = refused(&home, at(&nightly, Some(tick), AGO)).await;
    assert!(detail.contains("1.0000 of 1.0000 US dollars"), "{detail}");
    // The tick is not dealt with by that, nor is a run there.
    let found = home.store.schedules.get(nightly.id).await.unwrap();
    assert_eq!(found.next_at, Some(FIRST));
    assert_eq!(home.store.runs.open(None).await.unwrap(), 0);
    // In the next period it goes on.
    home.accept(at(&nightly, Some(tick), LATER)).await;
    let used = home.store.schedules.used(nightly.id, LATER).await.unwrap();
    assert_eq!((used.runs, used.usage.cost_usd), (0, None));
}

#[tokio::test]
async fn turns_count_when_they_are_put_and_through_all_attempts() {
    let home = Home::new().await;
    let nightly = schedule(Some(Allowance {
        turns: Some(4),
        ..Allowance::default()
    }));
    home.store.schedules.insert(nightly.clone()).await.unwrap();
    let used = async || {
        let used = home.store.schedules.used(nightly.id, AGO).await;
        used.unwrap().turns
    };
    let put = |turns| Progress {
        turns,
        ..Progress::default()
    };
    home.accept(at(&nightly, None, AGO)).await;
    let lease = home.claim_one().await;
    home.store.runs.append(lease, put(1)).await.unwrap();
    assert_eq!(used().await, 1, "while its turn goes on");
    let back = Back {
        outcome: AttemptOutcome::Failed,
        reason: "it broke".to_owned(),
        left: None,
        counts: true,
        delay_ms: 0,
        stderr_tail: None,
        progress: put(1),
    };
    home.store.runs.back(lease, back).await.unwrap();
    assert_eq!(used().await, 2, "after its attempt");
    home.accept(at(&nightly, None, AGO)).await;
    // Of the two that wait one is ended, with two more turns.
    let claimed = home.claim(10).await;
    let end = Finish {
        progress: put(2),
        ..success()
    };
    home.store.runs.finish(claimed[0].lease, end).await.unwrap();
    let detail = refused(&home, at(&nightly, None, AGO)).await;
    assert!(detail.contains("4 of 4 turns"), "{detail}");
}

#[tokio::test]
async fn runs_and_their_time_are_bounded_too_and_a_larger_allowance_counts_at_once() {
    let home = Home::new().await;
    let mut nightly = schedule(Some(Allowance {
        runs: Some(2),
        ..Allowance::default()
    }));
    home.store.schedules.insert(nightly.clone()).await.unwrap();
    for _ in 0..2 {
        home.accept(at(&nightly, None, AGO)).await;
    }
    let detail = refused(&home, at(&nightly, None, AGO)).await;
    assert!(detail.contains("2 of 2 runs"), "{detail}");
    nightly.allowance = Some(Allowance {
        runs: Some(3),
        wall_ms: Some(3_600_000),
        ..Allowance::default()
    });
    home.store.schedules.update(nightly.clone()).await.unwrap();
    home.accept(at(&nightly, None, AGO)).await;
    refused(&home, at(&nightly, None, AGO)).await;
    nightly.allowance = None;
    home.store.schedules.update(nightly.clone()).await.unwrap();
    home.accept(at(&nightly, None, AGO)).await;
    assert_eq!(home.store.runs.open(None).await.unwrap(), 4);
}
