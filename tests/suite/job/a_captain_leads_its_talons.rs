use super::{
    below::{Script, answers, kind},
    kit::{Face, Job, is_over},
};
use serde_json::{Value, json};

/// With one turn slot: whoever waits for what it began must not hold up that very run.
fn narrow() -> Job {
    Job::with(&[("EYAS_WARM_MAX_CONCURRENT", "1")])
}

fn place(face: &mut Face, job: &Job, name: &str, persona: &str) {
    let project = job.project.to_str().unwrap();
    let made = face.tool(
        "instance_create",
        &json!({"name": name, "persona": persona, "project": project}),
    );
    assert_eq!(made["name"], name, "{made}");
}

fn work(prompt: &str) -> Value {
    json!({"instance": "tal", "prompt": prompt, "concurrent": true, "mode": "cold"})
}

/// What the run has printed so far, once it is whole.
fn printed(face: &mut Face, run: &Value, count: usize) -> Vec<Value> {
    answers(&face.output(run, |said| answers(said).len() >= count))
}

#[test]
fn it_creates_one_and_has_it_work() {
    let job = narrow();
    let mut face = job.face();
    place(&mut face, &job, "cap", "project-captain");
    let prompt = Script::new(&job)
        .call(
            "instance.create",
            &json!({"name": "tal", "persona": "builder"}),
        )
        .keep("run", "run.delegate", &work("!say it is built\n!usage"))
        .wait("run")
        .prompt("lead");
    let run = face.done(&format!("{prompt}\n!usage"), json!({"instance": "cap"}));
    assert_eq!(run["state"], "succeeded", "{run}");
    let said = printed(&mut face, &run, 3);
    let talon = &said[0]["result"];
    assert_eq!(
        (&talon["role"], &talon["parent"]),
        (&json!("talon"), &json!("cap")),
        "{talon}"
    );
    let child = &said[1]["result"];
    assert_eq!(
        (&child["parent"], &child["depth"]),
        (&run["id"], &json!(1)),
        "{child}"
    );
    assert_eq!(child["project"], run["project"], "{child}");
    let done = &said[2]["result"];
    assert_eq!(done["conclusion"]["summary"], "it is built", "{done}");
    let mut rpc = job.rpc();
    let below = rpc.result("run.list", &json!({"parent": run["id"]}));
    assert_eq!(below["items"].as_array().unwrap().len(), 1, "{below}");
    let whole = rpc.result("run.get", &json!({"id": run["id"]}));
    let tree = &whole["tree_usage"];
    assert_eq!(
        (&tree["runs"], &tree["complete"]),
        (&json!(1), &json!(true)),
        "{tree}"
    );
    assert_eq!(tree["usage"]["cost_usd"], 0.5, "{tree}");
    let shown = job
        .nest
        .eyas(&["run", "get", run["id"].as_str().unwrap()])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("BELOW IT") && shown.contains("$0.50"),
        "{shown}"
    );
}

#[test]
fn what_it_delegates_has_a_tree_of_its_own_where_there_can_be_one() {
    let job = Job::new();
    for args in [
        &["init", "-q"][..],
        &["commit", "-q", "--allow-empty", "-m", "first"],
    ] {
        let done = std::process::Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(args)
            .current_dir(&job.project)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }
    let mut face = job.face();
    place(&mut face, &job, "cap", "project-captain");
    place(&mut face, &job, "tal", "builder");
    let work = json!({"instance": "tal", "prompt": "!write made.txt here\n!say made"});
    let prompt = Script::new(&job)
        .keep("run", "run.delegate", &work)
        .wait("run")
        .prompt("lead");
    let run = face.done(&prompt, json!({"instance": "cap"}));
    let said = printed(&mut face, &run, 2);
    assert_eq!(said[0]["result"]["isolation"], "worktree", "{}", said[0]);
    assert_eq!(said[1]["result"]["state"], "succeeded", "{}", said[1]);
    assert!(!job.project.join("made.txt").exists());
}

#[test]
fn it_is_briefed_when_a_conversation_begins() {
    let job = Job::new();
    let mut face = job.face();
    place(&mut face, &job, "tal", "builder");
    face.said("!say something is done", json!({"instance": "tal"}));
    place(&mut face, &job, "cap", "project-captain");
    for (text, told) in [
        ("You lead this project", "true"),
        ("- tal: talon", "true"),
        ("success, tal: something is done", "true"),
        ("project: project", "true"),
    ] {
        assert_eq!(
            face.said(&format!("!told {text}"), json!({"instance": "cap"})),
            told,
            "{text}"
        );
    }
    let first = face.done("!say on", json!({"instance": "cap"}));
    let next = json!({"previous": first["id"]});
    assert_eq!(
        face.said("!told You lead this project", next),
        "false",
        "it knows already"
    );
    assert_eq!(
        face.said("!told You lead this project", json!({"instance": "tal"})),
        "false"
    );
}

#[test]
fn nobody_goes_beyond_its_role() {
    let job = Job::new();
    let mut face = job.face();
    place(&mut face, &job, "cap", "project-captain");
    place(&mut face, &job, "tal", "builder");
    place(&mut face, &job, "com", "commander");
    let other = job.folder("other");
    let elsewhere = face.tool("project", &json!({"action": "register", "project": other}));
    assert!(elsewhere["path"].is_string(), "{elsewhere}");
    let long = face.delegate("!sleep 60000", json!({"project": other}));
    let unknown = job.folder("unknown");
    let prompt = Script::new(&job)
        .call(
            "instance.create",
            &json!({"name": "mole", "role": "captain"}),
        )
        .call(
            "run.delegate",
            &json!({"prompt": "!say x", "instance": "com"}),
        )
        .call(
            "run.delegate",
            &json!({"prompt": "!say x", "instance": "cap"}),
        )
        .call(
            "run.delegate",
            &json!({"prompt": "!say x", "project": other}),
        )
        .call("run.cancel", &json!({"id": long["id"]}))
        .call("instance.stop", &json!({"name": "com"}))
        .call("persona.create", &json!({"id": "mole", "name": "Mole"}))
        .call("project.register", &json!({"path": unknown}))
        .call("project.unregister", &json!({"project": other}))
        .call("hub.shutdown", &json!({"now": true}))
        .prompt("refused");
    for name in ["cap", "tal"] {
        let run = face.done(&prompt, json!({"instance": name}));
        for answer in printed(&mut face, &run, 10) {
            assert_eq!(kind(&answer), "forbidden", "{name}: {answer}");
        }
    }
    // A captain cannot make a project by naming a path, nor go on with what somebody else began.
    let mine = face.done("!say mine", json!({"instance": "tal"}));
    let prompt = Script::new(&job)
        .call(
            "run.delegate",
            &json!({"prompt": "!say x", "project": unknown}),
        )
        .call(
            "run.delegate",
            &json!({"prompt": "!say x", "previous": mine["id"]}),
        )
        .call(
            "run.delegate",
            &json!({"prompt": "!say x", "session": mine["session"]}),
        )
        .call(
            "run.delegate",
            &json!({"prompt": "!say x", "instance": "tal"}),
        )
        .prompt("reach");
    let run = face.done(&prompt, json!({"instance": "cap"}));
    let said = printed(&mut face, &run, 4);
    let kinds: Vec<&str> = said.iter().map(kind).collect();
    // The last would wait in the tree that its parent holds.
    assert_eq!(kinds, ["not_found", "forbidden", "invalid_params", "busy"]);
    let mut rpc = job.rpc();
    let projects = rpc.result("project.list", &json!({}))["items"].to_string();
    assert!(!projects.contains("unknown"), "{projects}");
    let below = rpc.result("run.list", &json!({"parent": run["id"]}));
    assert_eq!(below["items"], json!([]));
    assert!(!is_over(&face.now(&long)));
    face.tool("run_cancel", &json!({"id": long["id"]}));
}

#[test]
fn a_line_is_as_long_as_is_set() {
    let job = Job::with(&[("EYAS_HIERARCHY_MAX_DEPTH", "1")]);
    let mut face = job.face();
    place(&mut face, &job, "cap", "project-captain");
    place(&mut face, &job, "com", "commander");
    let last = Script::new(&job)
        .call(
            "run.delegate",
            &json!({"prompt": "!say x", "concurrent": true}),
        )
        .prompt("last");
    let more = json!({"instance": "cap", "prompt": last, "concurrent": true, "mode": "cold"});
    let prompt = Script::new(&job)
        .keep("run", "run.delegate", &more)
        .wait("run")
        .prompt("first");
    let run = face.done(&prompt, json!({"instance": "com"}));
    let said = printed(&mut face, &run, 2);
    let child = &said[1]["result"];
    assert_eq!(child["depth"], 1, "{child}");
    let summary = child["conclusion"]["summary"].as_str().unwrap();
    assert_eq!(kind(&answers(summary)[0]), "depth_exceeded");
}

#[test]
fn one_that_was_replaced_leads_no_more() {
    let job = Job::new();
    let mut face = job.face();
    place(&mut face, &job, "cap", "project-captain");
    let gate = job.nest.root().join("gate");
    let prompt = Script::new(&job)
        .line(&format!(
            "while [ ! -e {} ]; do sleep 0.02; done",
            gate.display()
        ))
        .call("instance.create", &json!({"name": "tal"}))
        .prompt("late");
    let run = face.delegate(&prompt, json!({"instance": "cap"}));
    face.running(&run);
    let project = job.project.to_str().unwrap();
    let mut rpc = job.rpc();
    let mut heir = json!({"name": "heir", "role": "captain", "project": project});
    let fault = rpc.refusal("instance.create", &heir);
    assert_eq!(fault["kind"], "in_use");
    assert!(
        fault["detail"].as_str().unwrap().contains("\"cap\""),
        "{fault}"
    );
    heir["replace"] = true.into();
    rpc.result("instance.create", &heir);
    let fault = rpc.refusal(
        "run.delegate",
        &json!({"prompt": "!say x", "instance": "cap"}),
    );
    assert_eq!(fault["kind"], "instance_not_running");
    std::fs::write(&gate, "").unwrap();
    // What it works on goes on to its end, without the rights that it had.
    let run = face.finished(&run);
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(kind(&printed(&mut face, &run, 1)[0]), "forbidden");
}
