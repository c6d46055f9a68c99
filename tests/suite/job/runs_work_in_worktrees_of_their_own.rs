use super::{
    kit::LONG,
    worktree_kit::{
        begin, branches, done, ended, git, job, now, once, path, refused, repository, state,
    },
};
use serde_json::json;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    thread,
    time::{Duration, Instant},
};

#[test]
fn two_runs_write_the_same_file_and_the_project_stays_as_it_is() {
    let job = job(&[]);
    let mut face = job.rpc();
    let hold = "!write file of the one\n!sleep 60000";
    let one = begin(&mut face, hold, &json!({"label": "One"}));
    once(&mut face, &one, |run| {
        run["said"].is_string() || path(run).join("file").exists()
    });
    let other = done(&mut face, "!cwd\n!write file of the other\n!write new new");
    let other_path = path(&other);
    assert!(
        other["conclusion"]["summary"]
            .as_str()
            .unwrap()
            .contains(other_path.to_str().unwrap())
    );
    assert_ne!(path(&now(&mut face, &one)), other_path);
    assert_eq!(
        fs::read_to_string(other_path.join("file")).unwrap(),
        "of the other"
    );
    assert_eq!(
        fs::read_to_string(job.project.join("file")).unwrap(),
        "first\n"
    );
    assert_eq!(git(&job.project, &["status", "--porcelain"]), "");
    assert!(
        one["worktree"]["branch"]
            .as_str()
            .unwrap()
            .starts_with("eyas/one-")
    );
    assert_eq!(state(&other), "open");
    assert_eq!(
        other["worktree"]["base"],
        git(&job.project, &["rev-parse", "HEAD"])
    );
    assert_eq!(other["warm"], false);
    let diff = face.result("run.diff", &json!({"id": other["id"]}));
    let text = diff["text"].as_str().unwrap();
    assert!(
        text.contains("+of the other") && text.contains("new file"),
        "{text}"
    );
    // While it goes on nobody decides about it.
    let early = face.refusal("run.apply", &json!({"id": one["id"]}));
    assert_eq!(early["kind"], "in_use");
    face.result("run.cancel", &json!({"id": one["id"]}));
    ended(&mut face, &one);
    let applied = face.result("run.apply", &json!({"id": other["id"]}));
    assert_eq!(state(&applied), "applied");
    assert!(!other_path.exists());
    assert_eq!(
        fs::read_to_string(job.project.join("file")).unwrap(),
        "of the other"
    );
    assert_eq!(
        git(&job.project, &["status", "--porcelain"]),
        " M file\n?? new"
    );
    // The first does not fit any more, and says where.
    once(&mut face, &one, |run| state(run) == "open");
    let conflict = face.refusal("run.apply", &json!({"id": one["id"]}));
    assert_eq!(conflict["kind"], "in_use");
    assert!(
        conflict["detail"].as_str().unwrap().contains("file"),
        "{conflict}"
    );
    assert_eq!(
        fs::read_to_string(job.project.join("file")).unwrap(),
        "of the other"
    );
    // What is only there is not thrown away unasked.
    let lost = face.refusal("run.drop", &json!({"id": one["id"]}));
    assert_eq!(lost["kind"], "in_use");
    let kept = face.result("run.keep", &json!({"id": one["id"]}));
    assert_eq!(state(&kept), "kept");
    let dropped = face.result("run.drop", &json!({"id": one["id"], "force": true}));
    assert_eq!(state(&dropped), "dropped");
    assert!(!path(&dropped).exists());
    assert_eq!(branches(&job), "");
    let gone = face.refusal("run.diff", &json!({"id": one["id"]}));
    assert_eq!(gone["kind"], "not_found");
}

#[test]
fn a_worktree_without_changes_goes_with_its_run() {
    let job = job(&[]);
    let mut face = job.rpc();
    let run = done(&mut face, "!say looked");
    let run = once(&mut face, &run, |run| state(run) == "dropped");
    assert!(!path(&run).exists());
    assert_eq!(branches(&job), "");
    let fault = face.refusal(
        "run.delegate",
        &json!({"prompt": "!say x", "previous": run["id"]}),
    );
    assert_eq!(fault["kind"], "not_found");
    assert!(fault["hint"].is_string());
}

#[test]
fn a_conversation_goes_on_in_its_worktree() {
    let job = job(&[]);
    let mut face = job.rpc();
    let first = done(&mut face, "!write file one");
    let more = json!({"prompt": "!cwd\n!write more two", "previous": first["id"]});
    let second = face.result("run.delegate", &more);
    assert_eq!(second["isolation"], "worktree");
    let second = ended(&mut face, &second);
    assert_eq!(path(&second), path(&first));
    assert_eq!(
        fs::read_to_string(path(&first).join("more")).unwrap(),
        "two"
    );
    assert_eq!(
        fs::read_to_string(path(&first).join("file")).unwrap(),
        "one"
    );
    for asked in [
        json!({"isolation": "shared"}),
        json!({"isolation": "worktree", "mode": "warm"}),
    ] {
        let mut params = json!({"prompt": "!say x", "previous": first["id"]});
        for (name, value) in asked.as_object().unwrap() {
            params[name] = value.clone();
        }
        let fault = face.refusal("run.delegate", &params);
        assert_eq!(
            (&fault["kind"], &fault["field"]),
            (&json!("invalid_params"), &json!("isolation"))
        );
    }
    face.result("run.apply", &json!({"id": first["id"]}));
    assert_eq!(state(&now(&mut face, &second)), "applied");
    assert_eq!(
        git(&job.project, &["status", "--porcelain"]),
        " M file\n?? more"
    );
}

#[test]
fn where_there_can_be_no_worktree_it_is_said_at_once() {
    let job = job(&[]);
    let mut face = job.rpc();
    let plain = job.folder("plain");
    let bare = job.folder("bare");
    git(&bare, &["init", "-q", "--bare"]);
    let unborn = job.folder("unborn");
    git(&unborn, &["init", "-q"]);
    for project in [&plain, &bare, &unborn] {
        let fault = refused(&mut face, &json!({"project": project}));
        let found = (&fault["kind"], &fault["field"]);
        assert_eq!(
            found,
            (&json!("invalid_params"), &json!("isolation")),
            "{fault}"
        );
        assert!(fault["hint"].is_string(), "{fault}");
    }
    assert_eq!(
        refused(&mut face, &json!({"mode": "warm"}))["field"],
        "isolation"
    );
    // A project inside another has worktrees of its own repository.
    let inner = job.project.join("inner");
    fs::create_dir(&inner).unwrap();
    repository(&inner);
    let run = begin(&mut face, "!write mine x", &json!({"project": inner}));
    let run = ended(&mut face, &run);
    face.result("run.apply", &json!({"id": run["id"]}));
    assert!(inner.join("mine").exists());
    assert_eq!(git(&job.project, &["status", "--porcelain"]), "?? inner/");
}

#[test]
fn the_same_request_makes_one_worktree() {
    let job = job(&[]);
    let mut face = job.rpc();
    let key = json!({"idempotency_key": "k"});
    let first = begin(&mut face, "!write file x", &key);
    let again = begin(&mut face, "!write file x", &key);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(again["duplicate"], true);
    ended(&mut face, &first);
    let folder = job.nest.home.join("worktrees");
    // The worktree and its note.
    assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
}

#[test]
fn hooks_of_the_repository_do_not_run() {
    let job = job(&[]);
    let marker = job.nest.root().join("ran");
    let hooks = job.project.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for name in [
        "post-checkout",
        "reference-transaction",
        "post-index-change",
    ] {
        let hook = hooks.join(name);
        fs::write(
            &hook,
            format!("#!/bin/sh\necho x >> {}\n", marker.display()),
        )
        .unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut face = job.rpc();
    let run = done(&mut face, "!write file x");
    face.result("run.diff", &json!({"id": run["id"]}));
    face.result("run.apply", &json!({"id": run["id"]}));
    assert!(!marker.exists());
}

#[test]
fn at_the_quota_the_next_is_refused_and_the_oldest_named() {
    let job = job(&[("EYAS_WORKTREES_MAX", "2")]);
    let mut face = job.rpc();
    let first = done(&mut face, "!write file a");
    let second = done(&mut face, "!write file b");
    let fault = refused(&mut face, &json!({}));
    assert_eq!(fault["kind"], "in_use");
    assert!(
        fault["detail"]
            .as_str()
            .unwrap()
            .contains(first["id"].as_str().unwrap()),
        "{fault}"
    );
    let command = format!("`eyas run drop {}`", first["id"].as_str().unwrap());
    let hint = fault["hint"].as_str().unwrap();
    assert!(hint.contains(&command), "{fault}");
    face.result("run.drop", &json!({"id": second["id"], "force": true}));
    done(&mut face, "!write file c");
}

#[test]
fn what_is_old_goes_unless_there_is_work_in_it() {
    let job = job(&[("EYAS_WORKTREES_KEEP_MS", "0")]);
    let mut face = job.rpc();
    let dirty = done(&mut face, "!write file a");
    let merged = "!run cd \"$PWD\"; printf x > new; git add new; git -c user.name=n -c user.email=n@x commit -qm new; git branch elsewhere; git log --oneline";
    let merged = done(&mut face, merged);
    let merged = once(&mut face, &merged, |run| state(run) == "dropped");
    assert!(!path(&merged).exists());
    assert_eq!(state(&now(&mut face, &dirty)), "open");
    assert!(path(&dirty).exists());
}

#[test]
fn a_hub_that_dies_leaves_nothing_that_the_next_does_not_take_up() {
    let job = job(&[]);
    let mut face = job.rpc();
    let once_only = json!({"retry": {"max_attempts": 1}});
    let clean = begin(&mut face, "!sleep 60000", &once_only);
    once(&mut face, &clean, |run| state(run) == "open");
    let dirty = begin(&mut face, "!write file x\n!sleep 60000", &once_only);
    once(&mut face, &dirty, |run| {
        fs::read_to_string(path(run).join("file")).is_ok_and(|text| text == "x")
    });
    // One that was being made when the hub died: its files are not there yet.
    let half = path(&dirty).with_file_name(uuid::Uuid::now_v7().to_string());
    git(
        &job.project,
        &[
            "worktree",
            "add",
            "-q",
            "--no-checkout",
            "-b",
            "eyas/half",
            half.to_str().unwrap(),
        ],
    );
    let note = json!({"repository": job.project.canonicalize().unwrap(), "path": half, "branch": "eyas/half",
        "base": git(&job.project, &["rev-parse", "HEAD"])});
    fs::write(half.with_extension("json"), note.to_string()).unwrap();
    job.kill_hub();
    let mut face = job.rpc();
    let clean = once(&mut face, &clean, |run| state(run) == "dropped");
    assert_eq!(clean["state"], "failed");
    let dirty = once(&mut face, &dirty, |run| state(run) == "open");
    assert_eq!(dirty["state"], "failed");
    let begun = Instant::now();
    while half.exists() || half.with_extension("json").exists() {
        assert!(begun.elapsed() < LONG, "what was half made is still there");
        thread::sleep(Duration::from_millis(10));
    }
    face.result("run.apply", &json!({"id": dirty["id"]}));
    assert_eq!(fs::read_to_string(job.project.join("file")).unwrap(), "x");
    assert_eq!(branches(&job), "");
}
