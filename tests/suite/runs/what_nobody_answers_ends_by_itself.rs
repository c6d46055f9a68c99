//! A request ends by its deadline, with its turn, or with its run; and the time that people take is not the run's.

use super::kit::{PATIENCE, Yard};
use eyas::{
    domain::{
        policy::{Asking, Policy},
        request::DecidedBy,
        run::{Run, RunState},
    },
    store::NewRun,
};
use std::time::{Duration, Instant};

fn under(policy: Policy, run: NewRun) -> NewRun {
    NewRun { policy, ..run }
}

fn denied(run: &Run) -> Vec<&str> {
    let denied = run
        .warnings
        .iter()
        .filter(|one| one.kind == "permission_denied");
    denied.map(|one| one.detail.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn by_its_deadline_as_a_no() {
    let yard = Yard::new().await;
    let short = Policy {
        ask_timeout_ms: 50,
        ..Policy::default()
    };
    let ask = "!permission execute git push\n!say on";
    let run = yard.run(under(short, yard.asking(ask))).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    assert_eq!(denied(&run), ["nobody answered in time: git push"]);
    assert_eq!(yard.decisions(run.id).await, [(DecidedBy::Deadline, None)]);
    assert_eq!(run.conclusion.unwrap().summary, "permission: no\non");
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_nobody_is_asked_when_asking_is_off() {
    let yard = Yard::new().await;
    let off = Policy {
        ask: Asking::Off,
        ..Policy::default()
    };
    let ask = "!permission execute git push\n!permission edit src/a";
    let run = yard.run(under(off, yard.asking(ask))).await;
    assert_eq!(denied(&run), ["rejected unasked: git push"]);
    assert!(yard.decisions(run.id).await.is_empty());
    let summary = run.conclusion.unwrap().summary;
    assert_eq!(summary, "permission: no\npermission: yes");
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_run_when_that_is_cancelled() {
    let yard = Yard::new().await;
    let run = yard
        .accept(yard.asking("!together execute git push | execute git fetch"))
        .await;
    yard.asked(run, 2).await;
    yard.cancel(run).await;
    let ended = yard.end_of(run).await;
    assert_eq!(ended.state, RunState::Cancelled);
    assert!(ended.requests.is_empty());
    let withdrawn = (DecidedBy::Withdrawn, None);
    assert_eq!(yard.decisions(run).await, [withdrawn.clone(), withdrawn]);
    let (after, _) = yard.say(&yard.session(), "!say next").await;
    assert!(after.warm, "its agent is of use");
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_turn_when_the_agent_does_not_wait_for_it() {
    let yard = Yard::new().await;
    let run = yard
        .run(yard.asking("!forget execute git push\n!say done"))
        .await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    assert_eq!(run.conclusion.unwrap().summary, "done");
    for (by, _) in yard.decisions(run.id).await {
        assert_eq!(by, DecidedBy::Withdrawn);
    }
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_agent_when_that_dies() {
    let yard = Yard::new().await;
    let mut asked = yard.asking("!pid\n!permission execute git push");
    asked.retry.max_attempts = 1;
    let run = yard.accept(asked).await;
    yard.asked(run, 1).await;
    let pid = i32::try_from(yard.pid(run).await).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let ended = yard.end_of(run).await;
    assert_eq!(ended.state, RunState::Failed);
    assert_eq!(yard.decisions(run).await, [(DecidedBy::Withdrawn, None)]);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_the_runs_time_stands_still_meanwhile() {
    let yard = Yard::new().await;
    let session = yard.session();
    yard.say(&session, "!say warm").await;
    let limit = Duration::from_secs(3);
    let mut run = Yard::asking_in(session, "!permission execute git push\n!say done");
    run.timeout_ms = Some(i64::try_from(limit.as_millis()).unwrap());
    let begun = Instant::now();
    let run = yard.accept(run).await;
    let open = yard.asked(run, 1).await;
    while begun.elapsed() < limit + Duration::from_millis(200) {
        assert_eq!(yard.asked(run, 1).await.len(), 1);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    yard.answer(run, &open[0], "yes").await;
    let ended = yard.end_of(run).await;
    assert_eq!(ended.state, RunState::Succeeded, "{ended:#?}");
    assert!(begun.elapsed() < PATIENCE);
    yard.pool.close().await;
}
