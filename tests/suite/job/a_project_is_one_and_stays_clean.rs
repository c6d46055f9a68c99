use super::kit::{Face, Job, agent_pid};
use crate::hub::nest::until;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

fn git(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    let answer = command.arg("-C").arg(folder).args(args).output().unwrap();
    assert!(answer.status.success(), "{args:?}: {answer:?}");
    String::from_utf8(answer.stdout).unwrap()
}

fn projects(rpc: &mut Face) -> Vec<Value> {
    let page = rpc.result("project.list", &json!({}));
    page["items"].as_array().unwrap().clone()
}

#[test]
fn for_git() {
    let job = Job::new();
    git(&job.project, &["init", "-q"]);
    let mut rpc = job.rpc();
    let status = ["status", "--porcelain", "--untracked-files=all"];
    rpc.ran(&json!({"prompt": "!say warm"}));
    assert_eq!(git(&job.project, &status), "");
    // What nobody tracks may be cleaned away at any time.
    git(&job.project, &["clean", "-fdxq"]);
    assert!(!job.project.join(".eyas").exists());
    let again = rpc.ran(&json!({"prompt": "!say warm"}));
    assert_eq!(again["warm"], true, "{again}");
    rpc.result("project.stop", &json!({"project": job.project}));
    rpc.ran(&json!({"prompt": "!say warm"}));
    assert!(job.project.join(".eyas/lock").is_file());
    assert_eq!(git(&job.project, &status), "");
}

#[test]
fn however_it_is_spelled() {
    let job = Job::new();
    fs::create_dir_all(job.project.join("deep")).unwrap();
    let link = job.nest.root().join("link");
    symlink(&job.project, &link).unwrap();
    let mut rpc = job.rpc();
    let path = job.project.to_str().unwrap().to_owned();
    let spellings = [
        path.clone(),
        format!("{path}/"),
        format!("{path}//."),
        format!("{path}/deep/.."),
        "~/project".to_owned(),
        "~/project/".to_owned(),
        link.to_str().unwrap().to_owned(),
        format!("{}/deep/..", link.display()),
        ".".to_owned(),
    ];
    let first = rpc.result("project.register", &json!({"path": path}));
    for spelling in spellings {
        let said = rpc.result("project.register", &json!({"path": spelling}));
        assert_eq!(said["id"], first["id"], "{spelling}");
        let run = rpc.result(
            "run.delegate",
            &json!({"prompt": "!say x", "project": spelling}),
        );
        assert_eq!(run["project"], first["id"], "{spelling}");
    }
    assert_eq!(projects(&mut rpc).len(), 1);
}

#[test]
fn with_or_without_git_and_inside_another() {
    let job = Job::new();
    let inner = job.folder("project/inner/deep");
    let inner_root = job.project.join("inner");
    git(&job.project, &["init", "-q"]);
    git(&inner_root, &["init", "-q"]);
    let bare = job.folder("bare.git");
    git(&bare, &["init", "-q", "--bare"]);
    let plain = job.folder("plain");
    let cases = [
        (&inner, &inner_root),
        (&job.project, &job.project),
        (&bare, &bare),
        (&plain, &plain),
    ];
    for (at, root) in cases {
        let mut rpc = job.rpc_in(at, &[]);
        let run = rpc.ran(&json!({"prompt": "!cwd"}));
        let root = root.canonicalize().unwrap();
        assert_eq!(
            run["conclusion"]["summary"],
            root.to_str().unwrap(),
            "{run}"
        );
    }
    assert_eq!(projects(&mut job.rpc()).len(), 4);
}

#[test]
fn gone_and_back_again() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let first = rpc.ran(&json!({"prompt": "!say x"}));
    let path = json!({"project": job.project});
    let aside = job.nest.root().join("aside");
    fs::rename(&job.project, &aside).unwrap();
    let gone = rpc.result("project.get", &path);
    assert_eq!(gone["status"], "missing", "{gone}");
    let named = json!({"prompt": "!say x", "project": gone["id"]});
    let refused = rpc.refusal("run.delegate", &named);
    assert_eq!(refused["kind"], "not_found", "{refused}");
    for verb in ["project.activate", "project.init"] {
        let refused = rpc.refusal(verb, &json!({"project": gone["id"]}));
        assert_eq!(refused["kind"], "not_found", "{verb}: {refused}");
    }

    fs::rename(&aside, &job.project).unwrap();
    let back = rpc.result("project.get", &path);
    assert_eq!(
        (&back["status"], &back["id"]),
        (&json!("running"), &gone["id"])
    );
    let second = rpc.ran(&named);
    assert_eq!(agent_pid(&second), agent_pid(&first));

    // Another directory of that name is the same project, but no place for the agent that works in the old one.
    fs::rename(&job.project, &aside).unwrap();
    fs::create_dir(&job.project).unwrap();
    let third = rpc.ran(&named);
    assert_eq!(third["state"], "succeeded", "{third}");
    assert_ne!(agent_pid(&third), agent_pid(&first));
    let mut watching = job.rpc();
    until("the events", || {
        let from = watching.result("project.get", &path);
        (from["status"] == "running").then_some(())
    });
    assert_eq!(projects(&mut rpc).len(), 1);
}

#[test]
fn and_no_agent_stays_where_nobody_wants_it() {
    let job = Job::new();
    let mut rpc = job.rpc();
    rpc.ran(&json!({"prompt": "!say x"}));
    let gone = rpc.result("project.unregister", &json!({"project": job.project}));
    assert_eq!(gone["status"], "stopped", "{gone}");
    assert_eq!(rpc.result("hub.info", &json!({}))["agents"], json!([]));
    let cold = rpc.ran(&json!({"prompt": "!say x"}));
    assert!(cold["project"].is_null(), "{cold}");
    assert_eq!(projects(&mut rpc), Vec::<Value>::new());
}
