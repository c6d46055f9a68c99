//! The attempt writes it under its fence; afterwards it is set from outside, and the log says so.

use super::kit::{Home, run, says, success};
use eyas::{
    domain::{
        event::EventKind,
        ids::RunId,
        policy::{Asking, Policy, Security},
        run::RunState,
        time::Timestamp,
        worktree::{Isolation, Worktree, WorktreeState},
    },
    stdx::mint,
    store::{Finish, NewRun, Progress, StoreError},
};

fn worktree(state: WorktreeState) -> Worktree {
    Worktree {
        path: "/trees/one".to_owned(),
        branch: "eyas/one".to_owned(),
        base: (state != WorktreeState::Planned).then(|| "c0ffee".to_owned()),
        state,
        problem: None,
    }
}

fn isolated() -> NewRun {
    NewRun {
        isolation: Isolation::Worktree,
        worktree: Some(worktree(WorktreeState::Planned)),
        policy: Policy {
            security: Security::Deny,
            ask: Asking::Always,
            ask_timeout_ms: 5,
        },
        ..run()
    }
}

#[tokio::test]
async fn and_is_listed_while_it_takes_up_room() {
    let home = Home::new().await;
    let runs = &home.store.runs;
    home.accept(run()).await;
    home.finish(home.claim_one().await).await;
    let id = home.accept(isolated()).await;
    let found = runs.get(id).await.unwrap();
    assert_eq!(
        (found.isolation, found.policy),
        (Isolation::Worktree, isolated().policy)
    );
    assert_eq!(found.worktree, Some(worktree(WorktreeState::Planned)));
    let lease = home.claim_one().await;
    let early = runs.set_worktree(id, worktree(WorktreeState::Kept)).await;
    assert!(early.is_err(), "its attempt has it");
    let open = Progress {
        worktree: Some(worktree(WorktreeState::Open)),
        ..says("made")
    };
    runs.append(lease, open).await.unwrap();
    assert_eq!(
        runs.get(id).await.unwrap().worktree,
        Some(worktree(WorktreeState::Open))
    );
    let finish = Finish {
        progress: Progress {
            worktree: Some(worktree(WorktreeState::Kept)),
            ..Progress::default()
        },
        ..success()
    };
    runs.finish(lease, finish).await.unwrap();
    let left = runs.with_worktree().await.unwrap();
    assert_eq!(left.iter().map(|run| run.id).collect::<Vec<_>>(), [id]);
    assert_eq!(left[0].worktree, Some(worktree(WorktreeState::Kept)));

    let later = Timestamp(i64::MAX);
    while runs.prune(later).await.unwrap() > 0 {}
    assert!(runs.get(id).await.is_ok(), "it tells whose the worktree is");
    runs.set_worktree(id, worktree(WorktreeState::Dropped))
        .await
        .unwrap();
    assert!(runs.with_worktree().await.unwrap().is_empty());
    assert_eq!(home.state(id).await, RunState::Succeeded);
    let last = home.events(id).await.pop().unwrap();
    assert_eq!(
        (last.kind, last.data["state"].as_str()),
        (EventKind::WorktreeChanged, Some("dropped"))
    );
    while runs.prune(later).await.unwrap() > 0 {}
    assert!(runs.get(id).await.is_err());
    let nobody = runs
        .set_worktree(RunId(mint()), worktree(WorktreeState::Kept))
        .await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn what_it_uses_and_says_is_shown_while_it_runs() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let lease = home.claim_one().await;
    let runs = &home.store.runs;
    let shown = async || {
        let found = runs.get(id).await.unwrap();
        (found.tool, found.said)
    };
    let progress = |tool: Option<Option<&str>>, said: Option<&str>| Progress {
        tool: tool.map(|tool| tool.map(str::to_owned)),
        said: said.map(str::to_owned),
        ..Progress::default()
    };
    runs.append(lease, progress(Some(Some("grep")), Some("looking")))
        .await
        .unwrap();
    assert_eq!(
        shown().await,
        (Some("grep".to_owned()), Some("looking".to_owned()))
    );
    runs.append(lease, says("on")).await.unwrap();
    assert_eq!(
        shown().await,
        (Some("grep".to_owned()), Some("looking".to_owned()))
    );
    runs.append(lease, progress(Some(None), None))
        .await
        .unwrap();
    assert_eq!(shown().await, (None, Some("looking".to_owned())));
    let finish = Finish {
        progress: progress(Some(Some("grep")), Some("done")),
        ..success()
    };
    runs.finish(lease, finish).await.unwrap();
    assert_eq!(shown().await, (None, None));
}
