//! What the policy leaves open is asked of a person, and the run goes on with what was said.

use super::kit::Yard;
use eyas::domain::{
    policy::{Asking, Policy},
    request::{DecidedBy, OptionKind, RequestKind},
    run::RunState,
};

#[tokio::test(flavor = "multi_thread")]
async fn with_whatever_was_chosen() {
    let yard = Yard::new().await;
    for option in ["yes", "always", "no", "odd"] {
        let run = yard
            .accept(yard.asking("!permission execute git push\n!say done"))
            .await;
        let [request] = &yard.asked(run, 1).await[..] else {
            panic!("one thing is asked");
        };
        assert_eq!(request.kind, RequestKind::Permission);
        assert_eq!(request.title, "git push");
        assert_eq!(request.detail.as_deref(), Some("$ git push"));
        let kind = |id| {
            request
                .options
                .iter()
                .find(|one| one.id == id)
                .unwrap()
                .kind
        };
        assert_eq!(kind("yes"), OptionKind::AllowOnce);
        assert_eq!(kind("odd"), OptionKind::Choice);
        yard.answer(run, request, option).await;
        let ended = yard.end_of(run).await;
        assert_eq!(ended.state, RunState::Succeeded, "{ended:#?}");
        let said = ended.conclusion.unwrap().summary;
        assert_eq!(said, format!("permission: {option}\ndone"));
        assert!(ended.warnings.is_empty() && ended.requests.is_empty());
        let decisions = yard.decisions(run).await;
        assert_eq!(decisions, [(DecidedBy::Person, Some(option.to_owned()))]);
        let kinds = yard.kinds(run).await;
        for kind in ["requested", "answered"] {
            assert!(kinds.iter().any(|one| one == kind), "{kinds:?}");
        }
    }
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn though_two_things_are_asked_at_once() {
    let yard = Yard::new().await;
    let run = yard
        .accept(yard.asking("!together execute git push | execute git fetch"))
        .await;
    let open = yard.asked(run, 2).await;
    let of = |title| open.iter().find(|one| one.title == title).unwrap();
    yard.answer(run, of("git fetch"), "no").await;
    let left = yard.asked(run, 1).await;
    assert_eq!(left[0].title, "git push");
    yard.answer(run, of("git push"), "yes").await;
    let ended = yard.end_of(run).await;
    assert_eq!(ended.conclusion.unwrap().summary, "permissions: yes no");
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_no_other_session_of_its_agent_waits_with_it() {
    let yard = Yard::new().await;
    let session = yard.session();
    let ask = "!pid\n!permission execute git push";
    let first = yard.accept(Yard::asking_in(session.clone(), ask)).await;
    let second = yard.accept(yard.asking(ask)).await;
    let waiting = yard.asked(first, 1).await;
    let other = yard.asked(second, 1).await;
    let (free, pid) = yard.say(&yard.session(), "!pid").await;
    assert!(free.warm);
    yard.answer(second, &other[0], "no").await;
    let ended = yard.end_of(second).await;
    assert_eq!(
        ended.conclusion.unwrap().summary,
        format!("{pid}permission: no")
    );
    let still = yard.store.runs.get(first).await.unwrap();
    assert_eq!(still.state, RunState::InputRequired);
    yard.answer(first, &waiting[0], "yes").await;
    let ended = yard.end_of(first).await;
    assert_eq!(
        ended.conclusion.unwrap().summary,
        format!("{pid}permission: yes")
    );
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn always_also_about_what_is_allowed() {
    let yard = Yard::new().await;
    let mut run = yard.asking("!permission read src/a\n!permission edit src/a");
    run.policy = Policy {
        ask: Asking::Always,
        ..Policy::default()
    };
    let run = yard.accept(run).await;
    let open = yard.asked(run, 1).await;
    assert_eq!(open[0].detail.as_deref(), Some("src/a"));
    yard.answer(run, &open[0], "yes").await;
    let ended = yard.end_of(run).await;
    assert_eq!(
        ended.conclusion.unwrap().summary,
        "permission: yes\npermission: yes"
    );
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_next_hub_when_the_first_has_ended() {
    let mut yard = Yard::new().await;
    let before = yard
        .accept(yard.asking("!permission execute git push"))
        .await;
    let open = yard.asked(before, 1).await;
    yard.restart().await;
    let now = yard.store.runs.get(before).await.unwrap();
    assert_eq!((now.state, now.requests.len()), (RunState::Queued, 1));
    yard.answer(before, &open[0], "yes").await;
    yard.resume();
    let ended = yard.end_of(before).await;
    assert_eq!(ended.conclusion.unwrap().summary, "permission: yes");
    assert_eq!(yard.decisions(before).await.len(), 1, "asked once");

    let after = yard
        .accept(yard.asking("!permission execute git fetch"))
        .await;
    let open = yard.asked(after, 1).await;
    yard.restart().await;
    yard.resume();
    let again = yard.asked(after, 1).await;
    assert_eq!(again[0].id, open[0].id);
    yard.answer(after, &open[0], "no").await;
    let ended = yard.end_of(after).await;
    assert_eq!(ended.conclusion.unwrap().summary, "permission: no");
    yard.pool.close().await;
}
