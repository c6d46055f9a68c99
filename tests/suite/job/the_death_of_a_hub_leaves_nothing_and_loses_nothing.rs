use super::kit::{Face, Job, alive, summary};
use serde_json::{Value, json};

const BROOD: &str = "!pid\n!say /\n!grandchild setsid\n!say /\n!grandchild double\n!say /";

/// The pids that the agent has told of, itself first.
fn pids(face: &mut Face, run: &Value) -> Vec<u32> {
    let said = face.output(run, |said| {
        said.split('/')
            .filter(|pid| pid.trim().parse::<u32>().is_ok())
            .count()
            == 3
    });
    said.split('/')
        .filter_map(|pid| pid.trim().parse().ok())
        .collect()
}

#[test]
fn killed_in_a_turn_it_takes_all_descendants_along_and_the_queue_goes_on() {
    let job = Job::with(&[("EYAS_WARM_MAX_CONCURRENT", "1")]);
    let mut face = job.face();
    let lost = face.delegate(&format!("{BROOD}\n!hang"), json!({}));
    let brood = pids(&mut face, &lost);
    let next = face.delegate("!say next", json!({"previous": lost["id"]}));
    let other = face.delegate("!say other", json!({"concurrent": true}));
    let waiting = |run: &Value| run["waiting"].as_str().unwrap_or_default().to_owned();
    assert_eq!(waiting(&face.now(&next)), "session");
    face.once(&other, |run| waiting(run) == "slot");
    assert!(brood.iter().all(|pid| alive(*pid)));
    let hub = job.kill_hub();
    // The face would start another hub for its next call.
    face.kill();
    job.nothing_is_left();
    assert!(!brood.iter().any(|pid| alive(*pid)));

    let mut face = job.face();
    let lost = face.finished(&lost);
    assert_eq!(lost["state"], "failed", "{lost}");
    assert_eq!(lost["error"]["kind"], "hub_lost", "{lost}");
    assert!(lost["error"]["hint"].is_string());
    assert_eq!(lost["attempts"][0]["outcome"], "lost");
    assert_eq!(summary(&face.finished(&next)), "next");
    assert_eq!(summary(&face.finished(&other)), "other");
    assert_ne!(job.hub(), hub);
}

#[test]
fn killed_when_idle_it_takes_its_warm_agents_along() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.delegate(BROOD, json!({}));
    let brood = pids(&mut face, &run);
    assert_eq!(face.finished(&run)["state"], "succeeded");
    assert!(alive(brood[0]), "the agent is warm");
    job.kill_hub();
    face.kill();
    job.nothing_is_left();
}

#[test]
fn a_face_that_stays_finds_the_next_hub() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.delegate("!hang", json!({}));
    face.running(&run);
    let first = job.kill_hub();
    let run = face.finished(&run);
    assert_eq!(run["error"]["kind"], "hub_lost", "{run}");
    assert_eq!(face.said("!say on", json!({})), "on");
    assert_ne!(job.hub(), first);
}

#[test]
fn a_cancelled_run_stays_cancelled() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.delegate("!deaf\n!hang", json!({}));
    face.running(&run);
    face.tool("run_cancel", &json!({"id": run["id"]}));
    job.kill_hub();
    let run = face.finished(&run);
    assert_eq!(run["state"], "cancelled", "{run}");
}
