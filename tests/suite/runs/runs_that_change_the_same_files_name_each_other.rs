use super::kit::Yard;
use eyas::domain::{ids::ProjectId, project::ProjectRow, time::Timestamp};
use eyas::stdx::mint;
use std::{fs, process::Command};

#[tokio::test(flavor = "multi_thread")]
async fn while_both_are_at_work() {
    let yard = Yard::new().await;
    let root = yard.folder.path().canonicalize().unwrap().join("tree");
    fs::create_dir(&root).unwrap();
    let done = Command::new("git")
        .args(["init", "-q"])
        .current_dir(&root)
        .status();
    assert!(done.unwrap().success());
    let row = ProjectRow {
        id: ProjectId(mint()),
        name: "tree".to_owned(),
        path: root.to_str().unwrap().to_owned(),
        unregistered: false,
        trust: None,
        status: None,
        host: None,
        last_opened_at: None,
        created_at: Timestamp(1),
    };
    let project = yard.store.projects.register(row, true).await.unwrap().id;
    let asking = |prompt: &str| {
        let mut session = yard.session();
        session.cwd = root.to_str().unwrap().to_owned();
        session.project = Some(project);
        Yard::asking_in(session, prompt)
    };
    let first = asking("!tool begun read\n!sleep 500\n!write same.txt a\n!write mine.txt a");
    let first = yard.accept(first).await;
    yard.until_at(first, "begun").await;
    let second = asking("!tool begun read\n!sleep 4000\n!write same.txt b");
    let second = yard.accept(second).await;
    let first = yard.end_of(first).await;
    let second = yard.end_of(second).await;
    assert_eq!(first.conclusion.unwrap().changes.unwrap().overlaps, []);
    let conclusion = second.conclusion.unwrap();
    assert_eq!(conclusion.changes.unwrap().overlaps, [first.id]);
    let told = conclusion
        .warnings
        .iter()
        .any(|warning| warning.contains("same.txt"));
    assert!(told, "{:?}", conclusion.warnings);
    // Afterwards is not meanwhile.
    let third = yard.run(asking("!write same.txt c")).await;
    assert_eq!(third.conclusion.unwrap().changes.unwrap().overlaps, []);
}
