//! Two hubs of different homes, and a hub inside a face.

use super::kit::{Face, Job, agent_pid, alive};
use crate::hub::nest::until;
use serde_json::{Value, json};
use std::fs;

/// A hub with a home of its own that works in the project of another.
fn beside(first: &Job) -> Job {
    let mut other = Job::new();
    other.project.clone_from(&first.project);
    other
}

fn seen(job: &Job, rpc: &mut Face) -> Value {
    rpc.result("project.register", &json!({"path": job.project}))
}

/// What must hold for whoever comes second.
fn works_cold(job: &Job, rpc: &mut Face) {
    let project = seen(job, rpc);
    assert_eq!(project["external"], true, "{project}");
    assert_eq!(project["status"], "stopped");
    for _ in 0..2 {
        let cold = rpc.ran(&json!({"prompt": "!say cold"}));
        assert_eq!(cold["state"], "succeeded", "{cold}");
        assert_eq!(cold["warm"], false);
        let reason = cold["attempts"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("external_instance"), "{cold}");
    }
    let warm = rpc.ran(&json!({"prompt": "!say warm", "mode": "warm"}));
    assert_eq!(warm["state"], "failed", "{warm}");
    assert_eq!(warm["error"]["kind"], "external_instance", "{warm}");
    assert!(warm["error"]["hint"].is_string(), "{warm}");
    let stop = rpc.refusal("project.stop", &json!({"project": job.project}));
    assert_eq!(stop["kind"], "external_instance", "{stop}");
}

#[test]
fn and_a_second_hub_works_cold_until_the_first_has_gone() {
    let first = Job::new();
    let other = beside(&first);
    let (mut theirs, mut ours) = (first.rpc(), other.rpc());
    let served = theirs.ran(&json!({"prompt": "!say served"}));
    let pid = u32::try_from(agent_pid(&served)).unwrap();
    assert_eq!(seen(&first, &mut theirs)["external"], false);

    let text = fs::read_to_string(first.project.join(".eyas/lock")).unwrap();
    let record: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["pid"], first.hub());
    assert!(record["start_time"].as_u64().unwrap() > 0, "{record}");
    for key in ["boot_id", "hub", "home"] {
        assert!(
            record[key].as_str().is_some_and(|text| !text.is_empty()),
            "{record}"
        );
    }

    works_cold(&other, &mut ours);
    fs::write(first.project.join(".eyas/lock"), b"\xff garbage").unwrap();
    works_cold(&other, &mut ours);
    assert!(alive(pid), "it was ended from elsewhere");
    let again = theirs.ran(&json!({"prompt": "!say again"}));
    assert_eq!(agent_pid(&again), u64::from(pid));

    // Killed, it leaves its text, and no lock.
    fs::write(first.project.join(".eyas/lock"), text).unwrap();
    first.kill_hub();
    until("the end of its agent", || (!alive(pid)).then_some(()));
    // What it had just forked had a hold on the lock until it became another program, or ended.
    until("the lock to be free", || {
        (seen(&other, &mut ours)["external"] == false).then_some(())
    });
    let mut last = ours.ran(&json!({"prompt": "!say ours"}));
    assert_eq!(last["attempts"][0]["reason"], Value::Null, "{last}");
    last = ours.ran(&json!({"prompt": "!say ours"}));
    assert_eq!(last["warm"], true, "{last}");
    // And the first, come back, is the second now.
    works_cold(&first, &mut first.rpc());
}

#[test]
fn also_where_the_tree_has_no_room_for_a_lock() {
    let first = Job::new();
    fs::write(first.project.join(".eyas"), "a file").unwrap();
    let other = beside(&first);
    let (mut theirs, mut ours) = (first.rpc(), other.rpc());
    theirs.ran(&json!({"prompt": "!say served"}));
    works_cold(&other, &mut ours);
    assert_eq!(seen(&first, &mut theirs)["external"], false);
    theirs.result("project.stop", &json!({"project": first.project}));
    until("the project is free", || {
        (seen(&other, &mut ours)["external"] == false).then_some(())
    });
    assert_eq!(fs::read(first.project.join(".eyas")).unwrap(), b"a file");
}

#[test]
fn and_a_hub_inside_a_face_is_one_too() {
    let first = Job::new();
    let other = beside(&first);
    let mut inside = first.rpc_in(&first.project, &["--in-process"]);
    inside.ran(&json!({"prompt": "!say served"}));
    let mut ours = other.rpc();
    works_cold(&other, &mut ours);
    inside.close();
    until("the project is free", || {
        (seen(&other, &mut ours)["external"] == false).then_some(())
    });
    ours.ran(&json!({"prompt": "!say ours"}));
    let mut inside = first.rpc_in(&first.project, &["--in-process"]);
    works_cold(&first, &mut inside);
}

#[test]
fn and_gives_it_back_with_its_last_agent() {
    let first = Job::new();
    let other = beside(&first);
    let (mut theirs, mut ours) = (first.rpc(), other.rpc());
    theirs.ran(&json!({"prompt": "!say served"}));
    assert_eq!(seen(&other, &mut ours)["external"], true);
    theirs.result("project.stop", &json!({"project": first.project}));
    until("the project is free", || {
        (seen(&other, &mut ours)["external"] == false).then_some(())
    });
    until("nothing of it stays", || {
        (!first.project.join(".eyas").exists()).then_some(())
    });
}
