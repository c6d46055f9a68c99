//! Many runs over few sessions: each session's runs in order, one at a time, and all of them end.

use super::kit::{Larder, Yard};
use eyas::{
    domain::run::RunState,
    store::{EventFilter, NewRun},
};

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_runs_of_ten_sessions_end_in_order() {
    let yard = Yard::with(Larder::default(), 4).await;
    let sessions: Vec<_> = (0..10).map(|_| yard.session()).collect();
    let mut runs = Vec::new();
    for n in 0..200 {
        let session = sessions[n % 10].clone();
        let run = Yard::asking_in(session, &format!("{n}"));
        runs.push(yard.accept(run).await);
    }
    for (n, run) in runs.iter().enumerate() {
        let run = yard.end_of(*run).await;
        assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
        assert_eq!(run.conclusion.unwrap().summary, format!("echo: {n}"));
        assert_eq!(run.attempt, 1);
    }
    for of_one in 0..10 {
        let mine: Vec<_> = runs.iter().skip(of_one).step_by(10).collect();
        let mut last = None;
        for run in mine {
            let filter = EventFilter {
                run: Some(*run),
                ..EventFilter::default()
            };
            let events = yard.store.events.after(None, filter, 100).await.unwrap();
            let cursor = |kind: &str| {
                let of_kind =
                    |e: &&eyas::domain::event::Event| serde_json::to_value(e.kind).unwrap() == kind;
                let event = events.iter().find(of_kind).unwrap();
                event.cursor.parse::<u64>().ok()
            };
            let (started, finished) = (cursor("started"), cursor("finished"));
            assert!(last <= started, "it began before the one before it ended");
            last = finished;
        }
    }
    assert_eq!(yard.pool.rows().await.len(), 1, "one process for all");
    for run in &runs {
        yard.until_forgotten(*run).await;
    }
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_queued_head_lets_the_next_go_at_once() {
    let yard = Yard::new().await;
    let tree = || Some(yard.folder.path().to_string_lossy().into_owned());
    let writer = NewRun {
        tree: tree(),
        ..yard.asking("!tool begun read\n!sleep 600000")
    };
    let writer = yard.accept(writer).await;
    yard.until_at(writer, "begun").await;
    let session = yard.session();
    let head = NewRun {
        tree: tree(),
        ..Yard::asking_in(session.clone(), "I wait for the tree")
    };
    let head = yard.accept(head).await;
    let late = NewRun {
        tree: tree(),
        timeout_ms: Some(700),
        ..Yard::asking_in(session.clone(), "and I not for long")
    };
    let late = yard.accept(late).await;
    let next = yard
        .accept(Yard::asking_in(session, "I need no tree"))
        .await;
    yard.cancel(head).await;
    assert_eq!(yard.end_of(late).await.state, RunState::TimedOut);
    assert_eq!(yard.end_of(next).await.state, RunState::Succeeded);
    let running = yard.store.runs.get(writer).await.unwrap().state;
    assert_eq!(running, RunState::Running);
    for gone in [head, late, next] {
        yard.until_forgotten(gone).await;
    }
    yard.cancel(writer).await;
    assert_eq!(yard.end_of(writer).await.state, RunState::Cancelled);
    yard.pool.close().await;
}
