//! An agent that dies in a turn is evicted at once and its run says so; one that died while it was idle costs nobody a run.

use super::kit::Yard;
use eyas::domain::{fault::ErrorKind, run::RunState};

/// Ends the agent and all below it, as its shim does when it is told to, and waits until the process is gone, but not until the pool knows.
fn kill(pid: u32) {
    let process = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::USR1).unwrap();
    let begun = std::time::Instant::now();
    let gone = || {
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .map_or(true, |stat| stat.contains(") Z "))
    };
    while !gone() {
        assert!(begun.elapsed() < super::kit::PATIENCE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn death_in_a_turn_is_told_and_the_next_run_has_a_new_agent() {
    let yard = Yard::new().await;
    let run = yard.run(yard.asking("!say hello\n!die 9")).await;
    assert_eq!(run.state, RunState::Failed);
    let error = run.error.unwrap();
    assert_eq!(error.kind, ErrorKind::AgentDied);
    assert!(error.detail.contains("dies as told"), "{error}");
    let attempts = yard.store.runs.attempts(run.id).await.unwrap();
    assert_eq!(attempts.len(), 2, "it was tried again");
    assert!(
        attempts[0]
            .stderr_tail
            .as_ref()
            .unwrap()
            .contains("dies as told")
    );

    let next = yard.run(yard.asking("!pid")).await;
    assert_eq!(next.state, RunState::Succeeded, "{next:#?}");
    assert!(!next.warm);
    assert_ne!(yard.pid(next.id).await, yard.pid(run.id).await);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn death_while_idle_fails_no_run() {
    let yard = Yard::new().await;
    // As often as an agent may end by itself within a minute.
    for _ in 0..3 {
        let first = yard.run(yard.asking("hello")).await;
        assert_eq!(first.state, RunState::Succeeded, "{first:#?}");
        let pid = yard.pid(first.id).await;
        kill(pid);
        let second = yard.run(yard.asking("hello again")).await;
        assert_eq!(second.state, RunState::Succeeded, "{second:#?}");
        assert_ne!(yard.pid(second.id).await, pid);
        assert_eq!(second.attempt, 1);
    }
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_always_dies_is_not_started_for_ever() {
    let yard = Yard::with_args(&["--die-at", "prompt"]).await;
    let run = yard.run(yard.asking("hello")).await;
    assert_eq!(run.error.unwrap().kind, ErrorKind::AgentDied);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ends_again_and_again_waits_for_a_person() {
    let yard = Yard::new().await;
    for _ in 0..4 {
        let run = yard.run(yard.asking("hello")).await;
        assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
        kill(yard.pid(run.id).await);
    }
    let broken = async || yard.pool.broken().await;
    let begun = std::time::Instant::now();
    while broken().await.is_empty() {
        assert!(begun.elapsed() < super::kit::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(broken().await[0].times, 4);
    let run = yard.run(yard.asking("hello")).await;
    assert_eq!(run.state, RunState::Failed);
    let error = run.error.unwrap();
    assert_eq!(error.kind, ErrorKind::AgentBroken, "{error}");
    assert!(error.hint.unwrap().contains("eyas agent reset"));
    assert_eq!(run.attempt, 1, "another attempt would fail alike");
    assert!(yard.pool.mend(broken().await[0].agent.clone()).await);
    let run = yard.run(yard.asking("hello")).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    assert!(broken().await.is_empty());
    yard.pool.close().await;
}
