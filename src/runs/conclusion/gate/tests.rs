use super::cited;
use crate::{
    domain::{
        conclusion::{
            Changes, Conclusion,
            ConclusionStatus::{self, Blocked, Partial, Success},
            FileChange, FileStatus, Report,
        },
        policy::Grounds,
    },
    runs::conclusion::{Seen, conclude},
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};
use tempfile::TempDir;

fn claim(status: ConclusionStatus, artifacts: &[&str]) -> Conclusion {
    let report = Report {
        status: Some(status),
        summary: "s".to_owned(),
        artifacts: artifacts.iter().map(|path| (*path).to_owned()).collect(),
        ..Report::default()
    };
    let seen = Seen {
        report: Some(report),
        stop_reason: Some("end_turn".to_owned()),
        ..Seen::default()
    };
    conclude("", seen)
}

fn ground(folder: &TempDir) -> Grounds {
    let at = folder.path().canonicalize().unwrap();
    fs::create_dir_all(at.join("cwd/src")).unwrap();
    fs::create_dir_all(at.join("workspace")).unwrap();
    fs::create_dir_all(at.join("outside")).unwrap();
    fs::write(at.join("cwd/src/a.rs"), "").unwrap();
    fs::write(at.join("cwd/with space.txt"), "").unwrap();
    fs::write(at.join("workspace/notes.md"), "").unwrap();
    Grounds {
        cwd: at.join("cwd"),
        workspace: Some(at.join("workspace")),
    }
}

#[test]
fn a_success_that_cites_what_is_not_there_is_partial() {
    let folder = tempfile::tempdir().unwrap();
    let grounds = ground(&folder);
    let at = folder.path().canonicalize().unwrap();
    symlink("/etc", grounds.cwd.join("out")).unwrap();
    symlink("src", grounds.cwd.join("in")).unwrap();
    symlink("../cwd/./src", grounds.cwd.join("round")).unwrap();
    symlink("loop", grounds.cwd.join("loop")).unwrap();
    symlink("src/gone.rs", grounds.cwd.join("dangling")).unwrap();
    let locked = grounds.cwd.join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let absolute = |path: &str| at.join(path).to_str().unwrap().to_owned();
    let judged = |path: &str| {
        let mut conclusion = claim(Success, &[path]);
        cited(&mut conclusion, &grounds);
        conclusion.status
    };
    for there in [
        "src/a.rs",
        "./src/a.rs",
        "src/../src/a.rs",
        "src",
        "src/a.rs:12",
        "src/a.rs:12:3",
        "src/a.rs#L3",
        "`src/a.rs`",
        "with space.txt",
        "in/a.rs",
        "round/a.rs",
        &absolute("cwd/src/a.rs"),
        &absolute("workspace/notes.md"),
        // Not looked at.
        "https://example.org/none",
        "git@host:none",
        "src/*.rs",
        "src/{a,b}.rs",
        "~/none",
        "../outside/none",
        "/etc/none",
        &absolute("outside/none"),
        "out/none",
        "in/../../outside/none",
        "loop",
        "src/none.rs (was deleted)",
        "src/a.rs/below",
    ] {
        assert_eq!(judged(there), Success, "{there}");
    }
    for missing in [
        "absent",
        "src/none.rs:3",
        "in/none",
        "../workspace/none",
        "dangling",
        "`absent`",
        &absolute("cwd/none"),
        &absolute("workspace/none"),
    ] {
        assert_eq!(judged(missing), Partial, "{missing}");
    }
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn at_most_ten_are_named_and_only_a_success_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let grounds = ground(&folder);
    let paths: Vec<String> = (0..12).map(|n| format!("none{n}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut conclusion = claim(Success, &paths);
    cited(&mut conclusion, &grounds);
    let warning = conclusion.warnings.last().unwrap();
    assert!(
        warning.contains("none9") && !warning.contains("none10") && warning.ends_with("and 2 more"),
        "{warning}"
    );
    let mut blocked = claim(Blocked, &paths);
    cited(&mut blocked, &grounds);
    assert!(blocked.status == Blocked && blocked.warnings.is_empty());
    let nowhere = Grounds {
        cwd: Path::new("relative").to_owned(),
        workspace: None,
    };
    let mut unknown = claim(Success, &["absent"]);
    cited(&mut unknown, &nowhere);
    assert_eq!(unknown.status, Success);
}

#[test]
fn what_the_run_deleted_may_be_cited() {
    let folder = tempfile::tempdir().unwrap();
    let grounds = ground(&folder);
    let mut conclusion = claim(Success, &["src/old.rs"]);
    let deleted = FileChange {
        path: "src/old.rs".to_owned(),
        status: FileStatus::Deleted,
        added: None,
        removed: None,
    };
    conclusion.changes = Some(Changes {
        files: vec![deleted],
        ..Changes::default()
    });
    cited(&mut conclusion, &grounds);
    assert_eq!(conclusion.status, Success);
}
