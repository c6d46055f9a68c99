//! An open request holds its run up; one end is written, whoever comes first, and the run goes on.

use super::kit::{Home, asks, ends, is_lost, option, run, success};
use eyas::{
    domain::{
        event::EventKind,
        ids::RunId,
        request::{Answer, DecidedBy},
        run::{AttemptOutcome, RunState},
    },
    stdx::mint,
    store::{Lease, NewRequest, NewRun, StoreError},
};

const FACE: &str = "editor 1.2";

async fn held(home: &Home) -> Lease {
    home.accept(run()).await;
    home.claim_one().await
}

#[tokio::test]
async fn the_run_waits_until_the_last_of_them_is_answered() {
    let home = Home::new().await;
    let lease = held(&home).await;
    let requests = &home.store.requests;
    let mut changes = home.store.changes.subscribe();
    let first = requests.open(lease, asks("one")).await.unwrap();
    let second = requests.open(lease, asks("two")).await.unwrap();
    assert_eq!(
        changes.recv().await.unwrap().state,
        Some(RunState::InputRequired)
    );
    let shown = home.store.runs.get(lease.run).await.unwrap();
    assert_eq!(shown.state, RunState::InputRequired);
    assert_eq!(
        shown.requests,
        [first.request.clone(), second.request.clone()]
    );
    assert!(first.request.deadline.unwrap() > first.created_at);

    let (answered, taken) = requests
        .answer(
            lease.run,
            &first.request.id,
            option("yes"),
            Some(FACE.to_owned()),
        )
        .await
        .unwrap();
    assert!(taken);
    let decided = answered.decided.unwrap();
    assert_eq!(
        (decided.by, decided.answer, decided.face.as_deref()),
        (DecidedBy::Person, option("yes"), Some(FACE))
    );
    assert_eq!(home.state(lease.run).await, RunState::InputRequired);
    requests
        .close(
            lease,
            &second.request.id,
            DecidedBy::Deadline,
            Answer::default(),
            None,
        )
        .await
        .unwrap();
    let shown = home.store.runs.get(lease.run).await.unwrap();
    assert_eq!((shown.state, shown.requests), (RunState::Running, vec![]));
    home.finish(lease).await;
    assert_eq!(
        home.kinds(lease.run).await[2..],
        [
            EventKind::Requested,
            EventKind::Requested,
            EventKind::Answered,
            EventKind::Answered,
            EventKind::Concluded,
            EventKind::Finished
        ]
    );
    let audit = requests.of(lease.run).await.unwrap();
    let by: Vec<_> = audit
        .iter()
        .map(|row| row.decided.clone().unwrap().by)
        .collect();
    assert_eq!(by, [DecidedBy::Person, DecidedBy::Deadline]);
    let events = home.events(lease.run).await;
    assert_eq!(events[4].data["by"], "person");
    assert_eq!(events[4].data["answer"]["option"], "yes");
    assert_eq!(events[4].data["request"], first.request.id.as_str());
}

#[tokio::test]
async fn the_first_answer_stays() {
    let home = Home::new().await;
    let lease = held(&home).await;
    let requests = &home.store.requests;
    let id = requests.open(lease, asks("one")).await.unwrap().request.id;
    let (first, taken) = requests
        .answer(lease.run, &id, option("no"), None)
        .await
        .unwrap();
    assert!(taken);
    let (second, taken) = requests
        .answer(lease.run, &id, option("yes"), None)
        .await
        .unwrap();
    assert!(!taken);
    assert_eq!(second, first);
    let closed = requests
        .close(lease, &id, DecidedBy::Deadline, Answer::default(), None)
        .await
        .unwrap();
    assert_eq!(closed, first, "what a person decided comes back");
    let answered = home.kinds(lease.run).await;
    assert_eq!(
        answered
            .iter()
            .filter(|kind| **kind == EventKind::Answered)
            .count(),
        1
    );
}

#[tokio::test]
async fn an_answer_after_the_deadline_is_none() {
    let home = Home::new().await;
    let lease = held(&home).await;
    let requests = &home.store.requests;
    let late = NewRequest {
        deadline_ms: Some(0),
        ..asks("one")
    };
    let id = requests.open(lease, late).await.unwrap().request.id;
    let (row, taken) = requests
        .answer(lease.run, &id, option("yes"), None)
        .await
        .unwrap();
    assert!(!taken);
    let decided = row.decided.unwrap();
    assert_eq!(
        (decided.by, decided.answer),
        (DecidedBy::Deadline, Answer::default())
    );
    assert_eq!(home.state(lease.run).await, RunState::Running);
}

#[tokio::test]
async fn only_the_attempt_that_holds_the_run_asks_and_withdraws() {
    let home = Home::new().await;
    let lease = held(&home).await;
    let requests = &home.store.requests;
    let id = requests.open(lease, asks("one")).await.unwrap().request.id;
    let stale = Lease {
        fence: lease.fence - 1,
        ..lease
    };
    assert!(is_lost(&requests.open(stale, asks("two")).await));
    let closed = requests
        .close(stale, &id, DecidedBy::Withdrawn, Answer::default(), None)
        .await;
    assert!(is_lost(&closed));
    assert!(
        requests
            .get(lease.run, &id)
            .await
            .unwrap()
            .decided
            .is_none()
    );
    let forged = requests
        .close(lease, &id, DecidedBy::Person, option("yes"), None)
        .await;
    assert!(matches!(forged, Err(StoreError::Internal(_))));
}

#[tokio::test]
async fn another_runs_request_is_not_found() {
    let home = Home::new().await;
    let lease = held(&home).await;
    let other = home.accept(run()).await;
    let requests = &home.store.requests;
    let id = requests.open(lease, asks("one")).await.unwrap().request.id;
    let gone = |error: StoreError| matches!(error, StoreError::NotFound { .. });
    assert!(gone(
        requests
            .answer(other, &id, option("yes"), None)
            .await
            .unwrap_err()
    ));
    assert!(gone(requests.get(other, &id).await.unwrap_err()));
    assert!(gone(requests.get(lease.run, "no such").await.unwrap_err()));
    assert!(gone(requests.of(RunId(mint())).await.unwrap_err()));
    assert!(requests.of(other).await.unwrap().is_empty());
    assert!(
        requests
            .get(lease.run, &id)
            .await
            .unwrap()
            .decided
            .is_none()
    );
}

#[tokio::test]
async fn asking_again_with_the_same_id_is_the_same_request() {
    let home = Home::new().await;
    let lease = held(&home).await;
    let requests = &home.store.requests;
    let request = asks("one");
    let first = requests.open(lease, request.clone()).await.unwrap();
    assert_eq!(requests.open(lease, request).await.unwrap(), first);
    // Two at once in the same words are two: each is answered for itself.
    let twin = requests.open(lease, asks("one")).await.unwrap();
    assert_ne!(twin.request.id, first.request.id);
}

#[tokio::test]
async fn the_end_of_the_run_takes_back_what_is_open() {
    let home = Home::new().await;
    let requests = &home.store.requests;
    for (state, outcome) in [
        (RunState::Succeeded, AttemptOutcome::Succeeded),
        (RunState::TimedOut, AttemptOutcome::TimedOut),
    ] {
        let lease = held(&home).await;
        for what in ["one", "two"] {
            requests.open(lease, asks(what)).await.unwrap();
        }
        home.store
            .runs
            .finish(lease, ends(state, outcome))
            .await
            .unwrap();
        assert!(
            home.store
                .runs
                .get(lease.run)
                .await
                .unwrap()
                .requests
                .is_empty()
        );
        for row in requests.of(lease.run).await.unwrap() {
            assert_eq!(row.decided.unwrap().by, DecidedBy::Withdrawn);
        }
        let kinds = home.kinds(lease.run).await;
        assert_eq!(
            kinds[kinds.len() - 3..],
            [
                EventKind::Answered,
                EventKind::Answered,
                EventKind::Finished
            ]
        );
        let numbers: Vec<_> = home
            .events(lease.run)
            .await
            .iter()
            .map(|e| e.run_seq.unwrap())
            .collect();
        assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<_>>());
        let id = &requests.of(lease.run).await.unwrap()[0].request.id;
        let (_, taken) = requests
            .answer(lease.run, id, option("yes"), None)
            .await
            .unwrap();
        assert!(!taken);
        assert_eq!(home.state(lease.run).await, state);
    }
}

#[tokio::test]
async fn waiting_for_a_person_does_not_count_against_the_time_of_the_run() {
    let home = Home::new().await;
    home.accept(NewRun {
        timeout_ms: Some(60_000),
        ..run()
    })
    .await;
    let claimed = home.claim(1).await.remove(0);
    assert_eq!(claimed.timeout_ms, Some(60_000));
    let lease = claimed.lease;
    let id = home
        .store
        .requests
        .open(lease, asks("one"))
        .await
        .unwrap()
        .request
        .id;
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    home.store
        .requests
        .answer(lease.run, &id, option("yes"), None)
        .await
        .unwrap();
    let release = eyas::store::Release {
        waiting: None,
        delay_ms: 0,
        reason: "again".to_owned(),
    };
    home.store.runs.release(lease, release).await.unwrap();
    let left = home.claim(1).await.remove(0).timeout_ms.unwrap();
    assert!((60_030..70_000).contains(&left), "{left}");
}

#[tokio::test]
async fn no_secret_is_written_with_it() {
    let home = Home::new().await;
    home.store
        .redactor
        .remember(["correct-horse".to_owned()].into_iter());
    let lease = held(&home).await;
    let mut request = asks("login correct-horse");
    request.options[0].name = "allow correct-horse".to_owned();
    request.fingerprint = "digest".to_owned();
    let id = home
        .store
        .requests
        .open(lease, request)
        .await
        .unwrap()
        .request
        .id;
    let answer = Answer {
        option: Some("yes".to_owned()),
        text: Some("use correct-horse".to_owned()),
    };
    home.store
        .requests
        .answer(lease.run, &id, answer, Some("correct-horse 1".to_owned()))
        .await
        .unwrap();
    home.store.runs.finish(lease, success()).await.unwrap();
    let all = format!(
        "{:?}{:?}",
        home.store.requests.of(lease.run).await.unwrap(),
        home.events(lease.run).await
    );
    assert!(!all.contains("correct-horse"), "{all}");
    assert!(all.contains("[redacted]"));
}

#[tokio::test]
async fn no_time_is_too_long_to_wait() {
    let home = Home::new().await;
    home.accept(NewRun {
        timeout_ms: Some(i64::MAX),
        ..run()
    })
    .await;
    let lease = home.claim_one().await;
    let request = NewRequest {
        deadline_ms: Some(i64::MAX),
        ..asks("one")
    };
    let requests = &home.store.requests;
    let id = requests.open(lease, request).await.unwrap().request.id;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    requests
        .answer(lease.run, &id, option("yes"), None)
        .await
        .unwrap();
    assert_eq!(home.state(lease.run).await, RunState::Running);
}
