use super::kit::{Face, Job};
use crate::hub::nest::until;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink};

fn projects(rpc: &mut Face) -> Vec<Value> {
    let page = rpc.result("project.list", &json!({}));
    page["items"].as_array().unwrap().clone()
}

/// Puts a call by every face at once, and then hears all answers.
fn at_once(faces: &mut [Face], calls: &[(&str, Value)]) -> Vec<Value> {
    let ids: Vec<Vec<i64>> = faces
        .iter_mut()
        .map(|face| {
            let sent = calls
                .iter()
                .map(|(method, params)| face.send(method, params));
            sent.collect()
        })
        .collect();
    let heard = faces.iter_mut().zip(ids);
    heard
        .flat_map(|(face, ids)| {
            ids.into_iter()
                .map(|id| face.answer(id))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn and_it_is_one_however_many_come_at_once_and_however_they_spell_it() {
    let job = Job::new();
    let link = job.nest.root().join("link");
    symlink(&job.project, &link).unwrap();
    let path = job.project.to_str().unwrap();
    let mut faces: Vec<Face> = (0..6).map(|_| job.rpc()).collect();
    let calls: Vec<(&str, Value)> = [
        path,
        &format!("{path}/"),
        link.to_str().unwrap(),
        "~/project",
    ]
    .into_iter()
    .flat_map(|spelling| {
        [
            ("project.register", json!({"path": spelling})),
            (
                "run.delegate",
                json!({"prompt": "!say x", "project": spelling}),
            ),
        ]
    })
    .collect();
    let mut ids = Vec::new();
    for answer in at_once(&mut faces, &calls) {
        let result = &answer["result"];
        let project = if result["path"].is_string() {
            &result["id"]
        } else {
            &result["project"]
        };
        assert!(project.is_string(), "{answer}");
        ids.push(project.clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(projects(&mut faces[0]).len(), 1);
}

#[test]
fn and_whoever_unregisters_it_last_is_not_overruled_by_who_only_works_there() {
    let job = Job::new();
    let mut faces: Vec<Face> = (0..4).map(|_| job.rpc()).collect();
    let registered = faces[0].result("project.register", &json!({"path": job.project}));
    let named = json!({"project": registered["id"]});
    let called = |name: &str| json!({"project": registered["id"], "name": name});
    // Names come and go meanwhile, and none of it brings the row back.
    let calls = [
        ("run.delegate", json!({"prompt": "!say x"})),
        ("project.rename", called("one")),
        ("project.stop", named.clone()),
        ("project.unregister", named.clone()),
        ("run.delegate", json!({"prompt": "!say x"})),
        ("project.rename", called("two")),
        ("project.get", named),
    ];
    for answer in at_once(&mut faces, &calls) {
        let refused = &answer["error"]["data"]["kind"];
        let expected = [
            "project_not_registered",
            "in_use",
            "instance_not_running",
            "busy",
        ];
        assert!(
            answer["result"].is_object() || expected.iter().any(|kind| refused == kind),
            "{answer}"
        );
    }
    let mut rpc = job.rpc();
    // Whoever was refused, as there was work, tries again.
    until("it is unregistered", || {
        for verb in ["project.stop", "project.unregister"] {
            drop(rpc.ask(verb, &json!({"project": job.project})));
        }
        let gone = rpc.ask("project.get", &json!({"project": job.project}));
        (gone["error"]["data"]["kind"] == "project_not_registered").then_some(())
    });
    for _ in 0..3 {
        rpc.ran(&json!({"prompt": "!say x"}));
    }
    assert_eq!(projects(&mut rpc), Vec::<Value>::new());
    let back = rpc.result("project.register", &json!({"path": job.project}));
    assert_eq!(back["id"], registered["id"], "{back}");
}

#[test]
fn and_none_that_is_not_there() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let path = job.nest.root().join("later");
    for _ in 0..2 {
        let refused = rpc.refusal("project.register", &json!({"path": path}));
        assert_eq!(refused["kind"], "not_found", "{refused}");
    }
    fs::write(&path, "a file").unwrap();
    let refused = rpc.refusal("project.register", &json!({"path": path}));
    assert!(refused["kind"].is_string(), "{refused}");
    assert_eq!(projects(&mut rpc), Vec::<Value>::new());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let now = rpc.result("project.register", &json!({"path": path}));
    let again = rpc.result(
        "project.register",
        &json!({"path": format!("{}/.", path.display())}),
    );
    assert_eq!(now["id"], again["id"]);
    assert_eq!(projects(&mut rpc).len(), 1);
}
