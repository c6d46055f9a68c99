//! A class (place, agent, lane) whose attempts fail again and again is given one at a time, and comes back by itself or by what succeeds.

use super::kit::{Home, ends, run, run_in, session};
use eyas::{
    domain::{
        breaker::HealthWord,
        fault::{ErrorKind, Fault},
        ids::RunId,
        retry::Left,
        run::{AttemptOutcome, RunState, Waiting},
        spent::Spent,
        time::Timestamp,
    },
    store::{AttemptNote, Back, Finish, Lease, NewRun, Progress, SessionRow},
};
use std::time::{Duration, Instant};

fn fails(kind: ErrorKind, pid: Option<u32>) -> Finish {
    Finish {
        error: Some(Fault::new(kind, "as told")),
        progress: Progress {
            note: AttemptNote {
                pid,
                ..AttemptNote::default()
            },
            ..Progress::default()
        },
        ..ends(RunState::Failed, AttemptOutcome::Failed)
    }
}

/// So many runs one after the other, each of which fails by `kind`.
async fn fail(home: &Home, many: u32, kind: ErrorKind) {
    for _ in 0..many {
        let lease = admitted(home).await;
        home.store
            .runs
            .finish(lease, fails(kind, None))
            .await
            .unwrap();
    }
}

/// The lease of one more run, once its class lets it in.
async fn admitted(home: &Home) -> Lease {
    let id = home.accept(run()).await;
    let lease = claimed(home).await;
    assert_eq!(lease.run, id);
    lease
}

/// Looks as a hub does, until one can be claimed.
async fn claimed(home: &Home) -> Lease {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(one) = home.claim(1).await.pop() {
            return one.lease;
        }
        assert!(Instant::now() < until, "its class stays closed");
        let left = home.store.runs.sweep(home.me).await.unwrap();
        let ms = left
            .expect("a class that rests is judged again")
            .clamp(1, 50);
        tokio::time::sleep(Duration::from_millis(ms.unsigned_abs())).await;
    }
}

async fn waits(home: &Home, id: RunId) -> Option<Waiting> {
    home.store.runs.get(id).await.unwrap().waiting
}

async fn standing(home: &Home) -> (HealthWord, u32) {
    let classes = home.store.runs.classes().await.unwrap();
    classes.first().map_or((HealthWord::Healthy, 0), |class| {
        (class.state, class.failures)
    })
}

#[tokio::test]
async fn after_five_failures_it_rests_then_one_at_a_time_tries() {
    let home = Home::capped(4).await;
    fail(&home, 5, ErrorKind::AgentSpawn).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(home.accept(run()).await);
    }
    assert!(home.claim(10).await.is_empty(), "it rests");
    assert!(!home.store.runs.ready().await.unwrap());
    assert_eq!(waits(&home, ids[0]).await, Some(Waiting::Degraded));
    let classes = home.store.runs.classes().await.unwrap();
    assert_eq!(classes.len(), 1, "{classes:?}");
    let class = &classes[0];
    assert_eq!(class.state, HealthWord::Resting);
    assert_eq!((class.cap, class.working, class.ready), (Some(4), 0, 3));
    assert_eq!(class.failures, 5);
    assert_eq!(class.last_failure.unwrap().kind, ErrorKind::AgentSpawn);
    assert!(class.until.is_some());

    let probe = claimed(&home).await;
    assert_eq!(probe.run, ids[0]);
    assert!(home.claim(10).await.is_empty(), "one at a time");
    assert_eq!(waits(&home, ids[1]).await, Some(Waiting::Degraded));
    assert_eq!(standing(&home).await, (HealthWord::Degraded, 5));

    home.finish(probe).await;
    assert_eq!(standing(&home).await, (HealthWord::Healthy, 2));
    assert_eq!(home.claim(10).await.len(), 2, "all that wait");
}

#[tokio::test]
async fn a_probe_that_fails_makes_it_rest_longer() {
    let home = Home::capped(4).await;
    fail(&home, 6, ErrorKind::HandshakeTimeout).await;
    home.accept(run()).await;
    assert!(home.claim(1).await.is_empty());
    let left = home.store.runs.sweep(home.me).await.unwrap().unwrap();
    assert!((1_001..=2_000).contains(&left), "{left}");
}

#[tokio::test]
async fn an_attempt_that_is_tried_again_counts_too() {
    let home = Home::capped(4).await;
    for _ in 0..5 {
        let lease = admitted(&home).await;
        let left = Left {
            attempt: lease.attempt,
            outcome: AttemptOutcome::Failed,
            error: Fault::new(ErrorKind::AgentDied, "it died"),
            at: Timestamp(0),
            prompted: true,
            touched: Vec::new(),
            asks: false,
            parks: 0,
            spent: Spent::default(),
            conclusion: None,
        };
        let back = Back {
            outcome: AttemptOutcome::Failed,
            reason: "it died".to_owned(),
            left: Some(left),
            counts: true,
            delay_ms: 3_600_000,
            stderr_tail: None,
            progress: Progress::default(),
        };
        home.store.runs.back(lease, back).await.unwrap();
    }
    assert_eq!(standing(&home).await, (HealthWord::Resting, 5));
}

#[tokio::test]
async fn a_process_that_served_many_died_once() {
    let home = Home::capped(8).await;
    for _ in 0..8 {
        home.accept(run()).await;
    }
    let held = home.claim(10).await;
    assert_eq!(held.len(), 8);
    for one in &held {
        let died = fails(ErrorKind::AgentDied, Some(77));
        home.store.runs.finish(one.lease, died).await.unwrap();
    }
    home.accept(run()).await;
    assert_eq!(standing(&home).await, (HealthWord::Healthy, 1));
}

#[tokio::test]
async fn what_is_not_the_agents_fault_does_not_count() {
    let home = Home::capped(1).await;
    for kind in [
        ErrorKind::Refused,
        ErrorKind::MaxTokens,
        ErrorKind::BudgetReached,
        ErrorKind::InvalidParams,
        ErrorKind::RateLimited,
        ErrorKind::HubLost,
        ErrorKind::Internal,
    ] {
        fail(&home, 2, kind).await;
    }
    for (state, outcome) in [
        (RunState::Cancelled, AttemptOutcome::Cancelled),
        (RunState::TimedOut, AttemptOutcome::TimedOut),
    ] {
        for _ in 0..5 {
            let lease = admitted(&home).await;
            let end = Finish {
                state,
                outcome,
                ..fails(ErrorKind::AgentDied, None)
            };
            home.store.runs.finish(lease, end).await.unwrap();
        }
    }
    home.accept(run()).await;
    assert_eq!(standing(&home).await, (HealthWord::Healthy, 0));
    home.claim_one().await;
}

#[tokio::test]
async fn another_class_is_not_held_up() {
    let home = Home::capped(4).await;
    fail(&home, 5, ErrorKind::AgentAuth).await;
    home.accept(run()).await;
    let other = run_in(SessionRow {
        agent: "other".to_owned(),
        ..session()
    });
    let lane = NewRun {
        lane: "second".to_owned(),
        ..run()
    };
    let free = [home.accept(other).await, home.accept(lane).await];
    let claimed = home.claim(10).await;
    let mut runs: Vec<_> = claimed.iter().map(|one| one.lease.run).collect();
    runs.sort();
    assert_eq!(runs, free);
}

#[tokio::test]
async fn how_a_class_stands_outlives_its_hub() {
    let home = Home::capped(4).await;
    fail(&home, 5, ErrorKind::Stalled).await;
    home.accept(run()).await;
    let home = home.reopen().await;
    assert!(home.claim(10).await.is_empty(), "it rests");
    claimed(&home).await;
    assert_eq!(standing(&home).await, (HealthWord::Degraded, 5));
}
