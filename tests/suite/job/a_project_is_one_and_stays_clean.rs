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
fn one_that_is_missing_is_registered_once_it_is_there() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let real = job.nest.root().join("later");
    let path = json!({"path": real});
    let refused = rpc.refusal("project.register", &path);
    assert_eq!(refused["kind"], "not_found", "{refused}");
    let named = json!({"prompt": "!say x", "project": real});
    let refused = rpc.refusal("run.delegate", &named);
    assert_eq!(refused["kind"], "not_found", "{refused}");
    assert_eq!(projects(&mut rpc), Vec::<Value>::new());
    // What comes is a link; the project is where it leads.
    let aside = job.folder("aside");
    symlink(&aside, &real).unwrap();
    let first = rpc.result("project.register", &path);
    let again = rpc.result("project.register", &json!({"path": aside}));
    assert_eq!(
        (&first["id"], &first["status"]),
        (&again["id"], &json!("stopped"))
    );
    assert_eq!(projects(&mut rpc).len(), 1);
    // A file, a link in a circle, a name that is too long.
    let odd = job.nest.root().join("odd");
    fs::write(&odd, "x").unwrap();
    let circle = job.nest.root().join("circle");
    symlink(&circle, &circle).unwrap();
    let long = job.nest.root().join("x".repeat(300));
    for path in [odd, circle, long] {
        let refused = rpc.refusal("project.register", &json!({"path": path}));
        let kind = refused["kind"].as_str().unwrap();
        assert!(matches!(kind, "not_found" | "invalid_params"), "{refused}");
    }
    assert_eq!(projects(&mut rpc).len(), 1);
}

#[test]
fn moved_elsewhere_it_is_missing_until_a_link_leads_there() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let first = rpc.result("project.register", &json!({"path": job.project}));
    let moved = job.nest.root().join("moved");
    fs::rename(&job.project, &moved).unwrap();
    let id = json!({"project": first["id"]});
    assert_eq!(rpc.result("project.get", &id)["status"], "missing");
    // Somebody left a link behind: it is one directory, and one project.
    symlink(&moved, &job.project).unwrap();
    assert_eq!(rpc.result("project.get", &id)["status"], "stopped");
    let found = rpc.result("project.register", &json!({"path": moved}));
    assert_eq!(found["id"], first["id"], "{found}");
    let run = rpc.result(
        "run.delegate",
        &json!({"prompt": "!say x", "project": moved}),
    );
    assert_eq!(run["project"], first["id"], "{run}");
    // Without it the new place is another project, and the old one can be let go.
    fs::remove_file(&job.project).unwrap();
    let other = rpc.result("project.register", &json!({"path": moved}));
    assert_ne!(other["id"], first["id"], "{other}");
    assert_eq!(rpc.result("project.get", &id)["status"], "missing");
    until("the end of its run", || {
        let now = rpc.result("run.get", &json!({"id": run["id"]}));
        now["ended_at"].is_string().then_some(())
    });
    rpc.result("project.unregister", &id);
    assert_eq!(projects(&mut rpc).len(), 1);
}

#[test]
fn unregistered_it_stays_so_however_it_is_named() {
    let job = Job::new();
    let link = job.nest.root().join("link");
    symlink(&job.project, &link).unwrap();
    let deep = job.folder("project/deep");
    git(&job.project, &["init", "-q"]);
    let mut rpc = job.rpc();
    let first = rpc.result("project.register", &json!({"path": job.project}));
    rpc.result("project.unregister", &json!({"project": first["id"]}));
    let path = job.project.to_str().unwrap();
    for named in [
        path,
        &format!("{path}/"),
        "~/project",
        link.to_str().unwrap(),
        deep.to_str().unwrap(),
    ] {
        let run = rpc.ran(&json!({"prompt": "!say x", "project": named}));
        assert!(run["project"].is_null(), "{named}: {run}");
        assert_eq!(run["warm"], false, "{named}");
    }
    for cwd in [&job.project, &deep, &link] {
        let run = job.rpc_in(cwd, &[]).ran(&json!({"prompt": "!say x"}));
        assert!(run["project"].is_null(), "{run}");
    }
    assert_eq!(projects(&mut rpc), Vec::<Value>::new());
    let back = rpc.result("project.register", &json!({"path": link}));
    assert_eq!(back["id"], first["id"], "{back}");
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
