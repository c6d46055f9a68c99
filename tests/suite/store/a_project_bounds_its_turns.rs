//! A project's bound holds over all its agents and lanes, level by level, as its file last said.

use super::kit::{Home, project_id, run_in, session};
use eyas::{
    domain::{ids::ProjectId, project::ProjectRow, run::Waiting, time::Timestamp},
    store::{Claimed, NewRun, SessionRow},
};

async fn project(home: &Home) -> ProjectId {
    let row = ProjectRow {
        id: project_id(),
        name: "p".to_owned(),
        path: "/p".to_owned(),
        unregistered: false,
        trust: None,
        status: None,
        host: None,
        last_opened_at: None,
        created_at: Timestamp(1),
    };
    let row = home.store.projects.register(row, true).await.unwrap();
    row.id
}

fn of(project: ProjectId, agent: &str, max_in_project: Option<u32>) -> NewRun {
    NewRun {
        max_in_project,
        ..run_in(SessionRow {
            agent: agent.to_owned(),
            project: Some(project),
            ..session()
        })
    }
}

fn below(parent: &Claimed, max_in_project: u32) -> NewRun {
    NewRun {
        parent: Some(parent.lease),
        depth: parent.run.depth + 1,
        ..of(
            parent.session.project.unwrap(),
            "talon",
            Some(max_in_project),
        )
    }
}

#[tokio::test]
async fn over_all_agents_and_lanes() {
    let home = Home::capped(8).await;
    let id = project(&home).await;
    for agent in ["a", "b", "c"] {
        for lane in ["default", "other"] {
            let lane = lane.to_owned();
            home.accept(NewRun {
                lane,
                ..of(id, agent, Some(2))
            })
            .await;
        }
    }
    let elsewhere = home.accept(run_in(session())).await;
    let claimed = home.claim(10).await;
    assert_eq!(claimed.len(), 3, "two, and the one elsewhere");
    assert!(claimed.iter().any(|one| one.lease.run == elsewhere));
    assert!(home.claim(10).await.is_empty());
    let last = home.accept(of(id, "a", Some(2))).await;
    let waiting = home.store.runs.get(last).await.unwrap().waiting;
    assert_eq!(waiting, Some(Waiting::Slot));
    let one = claimed.iter().find(|one| one.lease.run != elsewhere);
    home.finish(one.unwrap().lease).await;
    assert_eq!(home.claim(10).await.len(), 1);
}

#[tokio::test]
async fn level_by_level_so_that_no_parent_waits_for_ever() {
    let home = Home::capped(8).await;
    let id = project(&home).await;
    home.accept(of(id, "captain", Some(1))).await;
    home.accept(of(id, "captain", Some(1))).await;
    let captain = home.claim(10).await;
    assert_eq!(captain.len(), 1);
    home.accept(below(&captain[0], 1)).await;
    home.accept(below(&captain[0], 1)).await;
    let talon = home.claim(10).await;
    assert_eq!(talon.len(), 1);
    assert_eq!(talon[0].run.depth, 1);
    home.finish(talon[0].lease).await;
    home.finish(home.claim_one().await).await;
    assert!(home.claim(10).await.is_empty(), "the captain goes on");
    home.finish(captain[0].lease).await;
    home.finish(home.claim_one().await).await;
}

#[tokio::test]
async fn what_the_file_says_now_holds_for_what_waits_already() {
    let home = Home::capped(8).await;
    let id = project(&home).await;
    for _ in 0..4 {
        home.accept(of(id, "a", Some(1))).await;
    }
    assert_eq!(home.claim(10).await.len(), 1);
    home.accept(of(id, "a", Some(3))).await;
    assert_eq!(home.claim(10).await.len(), 2);
    home.accept(of(id, "a", None)).await;
    assert_eq!(home.claim(10).await.len(), 3, "none");
}
