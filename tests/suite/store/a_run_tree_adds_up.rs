//! A run knows what was delegated below it, and what all of it cost.

use super::kit::{Home, is_lost, run, success};
use eyas::{
    domain::{ids::RunId, run::RunState, usage::Usage},
    stdx::mint,
    store::{Claimed, Finish, Lease, NewRun, StoreError},
};

fn below(parent: &Claimed) -> NewRun {
    NewRun {
        parent: Some(parent.lease),
        depth: parent.run.depth + 1,
        ..run()
    }
}

fn cost(tokens: u64, usd: Option<f64>) -> Finish {
    Finish {
        usage: Some(Usage {
            total_tokens: Some(tokens),
            cost_usd: usd,
            ..Usage::default()
        }),
        ..success()
    }
}

async fn claimed(home: &Home, new: NewRun) -> Claimed {
    let id = home.accept(new).await;
    let claimed = home.claim(1).await.remove(0);
    assert_eq!(claimed.lease.run, id);
    claimed
}

#[tokio::test]
async fn usage_is_summed_over_every_generation() {
    let home = Home::capped(8).await;
    let runs = &home.store.runs;
    let top = claimed(&home, run()).await;
    let left = claimed(&home, below(&top)).await;
    let right = claimed(&home, below(&top)).await;
    let deep = claimed(&home, below(&left)).await;
    let aside = claimed(&home, run()).await;
    assert_eq!(
        runs.children(top.lease.run).await.unwrap(),
        [right.lease.run, left.lease.run]
    );
    assert_eq!((deep.run.parent, deep.run.depth), (Some(left.lease.run), 2));

    for (one, finish) in [
        (&deep, cost(1, Some(0.5))),
        (&left, cost(10, None)),
        (&right, cost(100, Some(0.25))),
        (&aside, cost(5000, None)),
    ] {
        runs.finish(one.lease, finish).await.unwrap();
    }
    let so_far = runs.tree_usage(top.lease.run).await.unwrap();
    assert_eq!((so_far.runs, so_far.complete), (3, false));
    runs.finish(top.lease, cost(u64::MAX - 200, None))
        .await
        .unwrap();
    let total = runs.tree_usage(top.lease.run).await.unwrap();
    assert_eq!((total.runs, total.complete), (3, true));
    assert_eq!(total.usage.total_tokens, Some(u64::MAX - 200 + 111));
    assert_eq!(total.usage.cost_usd, Some(0.75));
    assert_eq!(total.usage.input_tokens, None);

    assert_eq!(
        runs.get(top.lease.run).await.unwrap().tree_usage,
        Some(total)
    );
    assert_eq!(
        runs.get(deep.lease.run).await.unwrap().tree_usage,
        None,
        "nothing is below it"
    );
    let branch = runs.get(left.lease.run).await.unwrap().tree_usage.unwrap();
    assert_eq!((branch.runs, branch.usage.total_tokens), (1, Some(11)));
}

#[tokio::test]
async fn one_that_does_not_say_leaves_it_incomplete() {
    let home = Home::capped(8).await;
    let top = claimed(&home, run()).await;
    let child = claimed(&home, below(&top)).await;
    home.finish(child.lease).await;
    home.store
        .runs
        .finish(top.lease, cost(7, None))
        .await
        .unwrap();
    let total = home.store.runs.tree_usage(top.lease.run).await.unwrap();
    assert_eq!((total.complete, total.usage.total_tokens), (false, Some(7)));
    let nobody = home.store.runs.tree_usage(RunId(mint())).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn only_a_run_that_is_held_delegates() {
    let home = Home::capped(8).await;
    let runs = &home.store.runs;
    let top = claimed(&home, run()).await;
    let stale = Claimed {
        lease: Lease {
            fence: top.lease.fence - 1,
            ..top.lease
        },
        ..top.clone()
    };
    assert!(is_lost(&runs.accept(below(&stale)).await));
    let doomed = claimed(&home, run()).await;
    runs.cancel(doomed.lease.run, "enough".to_owned())
        .await
        .unwrap();
    assert!(
        is_lost(&runs.accept(below(&doomed)).await),
        "its end was asked for"
    );
    home.finish(top.lease).await;
    let refused = below(&top);
    assert!(is_lost(&runs.accept(refused.clone()).await));
    assert!(runs.get(refused.id).await.is_err(), "nothing was written");
    assert_eq!(home.state(top.lease.run).await, RunState::Succeeded);
}
