//! A run that was asked to be cold takes no turn of a warm agent; all of them share a bound of their own, level by level.

use super::kit::{Home, run, run_in, session};
use eyas::{
    domain::run::{Mode, Waiting},
    store::{Claimed, NewRun, SessionRow, sql::Settings},
};

async fn home() -> Home {
    Home::with(Settings {
        default_cap: 1,
        cold_cap: 2,
        ..Settings::default()
    })
    .await
}

fn cold() -> NewRun {
    NewRun {
        mode: Mode::Cold,
        ..run()
    }
}

fn below(parent: &Claimed) -> NewRun {
    NewRun {
        parent: Some(parent.lease),
        depth: parent.run.depth + 1,
        ..cold()
    }
}

#[tokio::test]
async fn they_take_no_slot_and_are_so_many() {
    let home = home().await;
    for _ in 0..2 {
        home.accept(cold()).await;
    }
    let third = home.accept(cold()).await;
    let warm = home.accept(run()).await;
    let elsewhere = SessionRow {
        agent: "another".to_owned(),
        ..session()
    };
    let other = home
        .accept(NewRun {
            lane: "another".to_owned(),
            mode: Mode::Cold,
            ..run_in(elsewhere)
        })
        .await;
    let claimed = home.claim(10).await;
    assert_eq!(claimed.len(), 3);
    assert!(claimed.iter().any(|one| one.lease.run == warm));
    for id in [third, other] {
        let found = home.store.runs.get(id).await.unwrap();
        let claimed = claimed.iter().any(|one| one.lease.run == id);
        assert!(
            claimed || found.waiting == Some(Waiting::Slot),
            "{:?}",
            found.waiting
        );
    }
    assert!(home.claim(10).await.is_empty());
    let one = claimed.iter().find(|one| one.run.mode == Mode::Cold);
    home.finish(one.unwrap().lease).await;
    assert_eq!(home.claim(10).await.len(), 1);
}

#[tokio::test]
async fn parents_that_wait_for_their_children_do_not_stand_in_their_way() {
    let home = home().await;
    for _ in 0..3 {
        home.accept(cold()).await;
    }
    let parents = home.claim(10).await;
    assert_eq!(parents.len(), 2);
    for parent in &parents {
        for _ in 0..2 {
            home.accept(below(parent)).await;
        }
    }
    let children = home.claim(10).await;
    assert_eq!(children.len(), 2, "as many again, and no more");
    home.accept(below(&children[0])).await;
    assert_eq!(home.claim(10).await.len(), 1);
}

#[tokio::test]
async fn a_conversation_may_go_on_cold_and_warm_again() {
    let home = home().await;
    let talk = session();
    for mode in [Mode::Cold, Mode::Auto, Mode::Cold] {
        home.accept(NewRun {
            mode,
            ..run_in(talk.clone())
        })
        .await;
    }
    home.accept(run()).await;
    let first = home.claim(10).await;
    assert_eq!(first.len(), 2);
    let talking = |one: &&Claimed| one.run.session == talk.id;
    home.finish(first.iter().find(talking).unwrap().lease).await;
    assert!(home.claim(10).await.is_empty(), "the one slot is taken");
    let other = first.iter().find(|one| !talking(one)).unwrap();
    home.finish(other.lease).await;
    home.finish(home.claim_one().await).await;
    home.finish(home.claim_one().await).await;
}
