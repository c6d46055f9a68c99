//! An agent that is silent for too long is given up and the run tried again; one that has used up the run's budget ends it.

use super::kit::{Larder, Yard};
use eyas::{
    domain::{
        fault::ErrorKind,
        run::{AttemptOutcome::*, RunState},
        spent::Budget,
    },
    runs::Pace,
};
use std::time::Duration;

async fn hasty() -> Yard {
    let larder = Larder {
        pace: Pace {
            first_output: Some(Duration::from_millis(1_500)),
            stall: Some(Duration::from_secs(1)),
            ..Pace::default()
        },
        ..Larder::default()
    };
    Yard::with(larder, 4).await
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_a_failure_that_is_tried_again() {
    let yard = hasty().await;
    for before in ["", "!say begun\n"] {
        let mark = yard.folder.path().join(format!("mark{}", before.len()));
        let script = format!("{before}!first {} sleep 600000\n!say done", mark.display());
        let run = yard.run(yard.asking(&script)).await;
        assert_eq!(
            (run.state, run.attempt),
            (RunState::Succeeded, 2),
            "{run:#?}"
        );
        let attempts = yard.store.runs.attempts(run.id).await.unwrap();
        assert!(attempts[0].reason.as_ref().unwrap().contains("stalled"));
    }
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_person_is_not_silent() {
    let yard = hasty().await;
    let id = yard
        .accept(yard.asking("!permission execute git push"))
        .await;
    let request = yard.asked(id, 1).await.remove(0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    yard.answer(id, &request, "no").await;
    let run = yard.end_of(id).await;
    assert_eq!(
        (run.state, run.attempt),
        (RunState::Succeeded, 1),
        "{run:#?}"
    );
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_ends_a_run_with_what_it_has_done() {
    let yard = Yard::new().await;
    let cost = Budget {
        cost_usd: Some(0.2),
        ..Budget::default()
    };
    let wall = Budget {
        wall_ms: Some(500),
        ..Budget::default()
    };
    let tokens = Budget {
        tokens: Some(18),
        ..Budget::default()
    };
    for (budget, rest) in [
        (cost, "!usage\n!sleep 600000"),
        (wall, "!sleep 600000"),
        (tokens, "!say end"),
    ] {
        let mut asked = yard.asking(&format!("!tool look read\n{rest}"));
        asked.budget = budget;
        let run = yard.run(asked).await;
        assert_eq!(run.state, RunState::Failed, "{run:#?}");
        assert_eq!(run.error.unwrap().kind, ErrorKind::BudgetReached);
        assert_eq!(run.conclusion.unwrap().tools.unwrap().total, 1);
        assert_eq!(yard.outcomes(run.id).await, [Some(Failed)]);
        yard.until_busy(0).await;
    }
    let mut asked = yard.asking("!usage\n!say done");
    asked.budget = Budget {
        tokens: Some(19),
        cost_usd: Some(0.3),
        turns: Some(1),
        wall_ms: Some(600_000),
    };
    assert_eq!(yard.run(asked).await.state, RunState::Succeeded);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_share_one_budget() {
    let yard = Yard::new().await;
    let mut asked = yard.asking("!die 9");
    asked.retry.max_attempts = 5;
    asked.budget.turns = Some(2);
    let run = yard.run(asked).await;
    assert_eq!(run.error.unwrap().kind, ErrorKind::BudgetReached);
    assert_eq!(yard.outcomes(run.id).await, [Some(Failed); 3]);
    let pids = yard.store.runs.attempts(run.id).await.unwrap();
    assert!(pids[2].pid.is_none(), "it was not begun");
    yard.pool.close().await;
}
