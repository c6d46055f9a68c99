//! A conclusion is what the agent reports, as far as the end of the run and the tree bear it out, and what Eyas saw itself.

use super::kit::Yard;
use eyas::{
    domain::{
        conclusion::{ConclusionSource, ConclusionStatus, FileStatus},
        run::{Run, RunState},
    },
    store::{NewRun, SessionRow},
};
use std::{fs, path::PathBuf, process::Command};

/// A work tree of git in the yard, and a conversation in it.
fn tree(yard: &Yard) -> (PathBuf, SessionRow) {
    let root = yard.folder.path().canonicalize().unwrap().join("tree");
    fs::create_dir(&root).unwrap();
    git(&root, &["init", "-q"]);
    fs::write(root.join("old.txt"), "1\n2\n").unwrap();
    fs::write(root.join("dirty.txt"), "was dirty\n").unwrap();
    git(&root, &["add", "old.txt"]);
    git(&root, &["commit", "-qm", "first"]);
    let mut session = yard.session();
    root.to_str().unwrap().clone_into(&mut session.cwd);
    (root, session)
}

fn git(root: &PathBuf, args: &[&str]) {
    let done = Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@t"])
        .args(args)
        .current_dir(root)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
}

fn asking(session: &SessionRow, prompt: &str) -> NewRun {
    let mut asked = Yard::asking_in(session.clone(), prompt);
    asked.retry.max_attempts = 1;
    asked
}

fn verdict(run: &Run) -> (RunState, ConclusionStatus, ConclusionSource) {
    let conclusion = run
        .conclusion
        .as_ref()
        .unwrap_or_else(|| panic!("{run:#?}"));
    (run.state, conclusion.status, conclusion.source)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_commits_and_tools_are_counted() {
    let yard = Yard::new().await;
    let (_, session) = tree(&yard);
    let prompt = "!write new.txt one\n!write old.txt 1\n!run git -c user.name=A -c user.email=a@a commit -qam done\n!conclude success done";
    let run = yard.run(asking(&session, prompt)).await;
    assert_eq!(
        verdict(&run),
        (
            RunState::Succeeded,
            ConclusionStatus::Success,
            ConclusionSource::Block
        )
    );
    let conclusion = run.conclusion.unwrap();
    let changes = conclusion.changes.unwrap();
    let files: Vec<_> = changes
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.status))
        .collect();
    assert_eq!(
        files,
        [
            ("new.txt", FileStatus::Untracked),
            ("old.txt", FileStatus::Modified)
        ]
    );
    assert_eq!(changes.commits[0].subject, "done");
    assert_eq!(
        conclusion.tools.unwrap().by_kind["edit"],
        1,
        "both go by one id"
    );
    // The next turn of the conversation begins from there.
    let run = yard.run(asking(&session, "!say nothing more")).await;
    let changes = run.conclusion.unwrap().changes.unwrap();
    assert!(changes.files.is_empty() && changes.commits.is_empty() && changes.base == changes.head);
    let elsewhere = yard.run(yard.asking("!write x y")).await;
    assert_eq!(elsewhere.conclusion.unwrap().changes, None, "no git at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_that_cites_what_is_not_there_is_partial() {
    let yard = Yard::new().await;
    let (_, session) = tree(&yard);
    let claim = |path: &str| {
        format!(
            "!say <eyas:conclusion>{{\"status\": \"success\", \"summary\": \"s\", \"artifacts\": [\"{path}\"]}}</eyas:conclusion>"
        )
    };
    let true_one = yard.run(asking(&session, &claim("old.txt"))).await;
    assert_eq!(verdict(&true_one).1, ConclusionStatus::Success);
    let false_one = yard.run(asking(&session, &claim("gone.txt"))).await;
    assert_eq!(verdict(&false_one).1, ConclusionStatus::Partial);
    let warnings = false_one.conclusion.unwrap().warnings;
    assert!(warnings[0].contains("gone.txt"), "{warnings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_badly_keeps_its_report_and_is_no_success() {
    let yard = Yard::new().await;
    let (_, session) = tree(&yard);
    let died = yard
        .run(asking(
            &session,
            "!write new.txt x\n!conclude success all is well\n!die 3",
        ))
        .await;
    assert_eq!(
        verdict(&died),
        (
            RunState::Failed,
            ConclusionStatus::Partial,
            ConclusionSource::Block
        )
    );
    let conclusion = died.conclusion.unwrap();
    assert_eq!(
        (
            conclusion.summary.as_str(),
            conclusion.changes.unwrap().files.len()
        ),
        ("all is well", 1)
    );

    let mut late = asking(&session, "!conclude success in time\n!sleep 60000");
    late.timeout_ms = Some(3_000);
    let late = yard.run(late).await;
    assert_eq!(
        verdict(&late),
        (
            RunState::TimedOut,
            ConclusionStatus::Partial,
            ConclusionSource::Block
        )
    );

    let id = yard
        .accept(asking(
            &session,
            "!conclude success before\n!tool waiting read\n!sleep 60000",
        ))
        .await;
    yard.until_at(id, "waiting").await;
    yard.cancel(id).await;
    let cancelled = yard.end_of(id).await;
    assert_eq!(
        verdict(&cancelled),
        (
            RunState::Cancelled,
            ConclusionStatus::Partial,
            ConclusionSource::Block
        )
    );

    let silent = yard.run(asking(&session, "!die 3")).await;
    assert_eq!((silent.state, silent.conclusion), (RunState::Failed, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_writes_into_its_repository_runs_nothing_here() {
    let yard = Yard::new().await;
    let (root, session) = tree(&yard);
    let sprung = root.with_file_name("sprung");
    let trap = root.with_file_name("trap");
    fs::write(
        &trap,
        format!("#!/bin/sh\ntouch {}\ncat\n", sprung.display()),
    )
    .unwrap();
    let trap = trap.display();
    let prompt = format!(
        "!run chmod +x {trap}; git config core.fsmonitor {trap}; git config filter.x.clean {trap}; git config diff.external {trap}; git config core.hooksPath .; echo '* filter=x' > .gitattributes; echo 3 >> old.txt; rm -f {}\n!conclude success s",
        sprung.display()
    );
    let run = yard.run(asking(&session, &prompt)).await;
    let changes = run.conclusion.unwrap().changes.unwrap();
    assert_eq!(changes.files.len(), 2, "{changes:?}");
    let run = yard.run(asking(&session, "!write old.txt 4")).await;
    assert_eq!(run.conclusion.unwrap().changes.unwrap().files.len(), 1);
    assert!(
        !sprung.exists(),
        "a program that the repository names was run"
    );
}
