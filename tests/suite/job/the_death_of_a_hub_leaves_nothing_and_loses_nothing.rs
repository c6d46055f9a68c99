use super::kit::{Face, Job, alive, summary};
use serde_json::{Value, json};

const BROOD: &str =
    "!pid\n!say /\n!grandchild setsid\n!say /\n!grandchild double\n!say /\n!tool told other";

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
    let mark = job.nest.root().join("hung");
    let prompt = format!("{BROOD}\n!first {} hang\n!say end", mark.display());
    let lost = face.delegate(&prompt, json!({}));
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
    assert_eq!(lost["state"], "succeeded", "{lost}");
    assert_eq!(lost["attempt"], 2, "{lost}");
    assert_eq!(lost["attempts"][0]["outcome"], "lost");
    assert_eq!(lost["attempts"][1]["outcome"], "succeeded");
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
    let silent = json!({"policy": {"ask": "off"}});
    let run = face.delegate("!tool change edit\n!say changed\n!hang", silent);
    face.output(&run, |said| said.contains("changed"));
    let first = job.kill_hub();
    let run = face.finished(&run);
    assert_eq!(run["error"]["kind"], "hub_lost", "{run}");
    assert!(run["error"]["hint"].is_string());
    assert!(
        run["warnings"].to_string().contains("side_effects_unknown"),
        "nobody is to be asked: {run}"
    );
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

#[test]
fn at_whatever_moment_what_was_acknowledged_is_known() {
    let job = Job::new();
    for round in 0..8 {
        let mut face = job.face();
        let asked = json!({"idempotency_key": format!("k{round}")});
        let run = face.delegate("!sleep 5\n!say done", asked.clone());
        for _ in 0..round * 300_000 {
            std::hint::spin_loop();
        }
        job.kill_hub();
        let again = face.delegate("!sleep 5\n!say done", asked);
        assert_eq!(
            (&again["id"], &again["duplicate"]),
            (&run["id"], &json!(true))
        );
        let ended = face.finished(&run);
        assert_eq!(summary(&ended), "done", "{ended}");
    }
    assert_eq!(job.face().said("!say on", json!({})), "on");
}

#[test]
fn ended_in_order_it_gives_its_runs_to_the_next() {
    let job = Job::new();
    let mut face = job.face();
    let mark = job.nest.root().join("begun");
    // It hangs the first time alone.
    let script = format!(
        "!run [ -e {0} ] || {{ touch {0}; exec sleep 60; }}; echo again",
        mark.display()
    );
    let run = face.delegate(&script, json!({}));
    crate::hub::nest::until("the turn", || mark.exists().then_some(()));
    let hub = job.hub();
    let mut rpc = job.rpc();
    let busy = rpc.refusal("hub.shutdown", &json!({}));
    assert_eq!(busy["kind"], "busy", "{busy}");
    assert!(
        busy["detail"]
            .as_str()
            .unwrap()
            .contains(run["id"].as_str().unwrap())
    );
    rpc.result("hub.shutdown", &json!({"now": true}));
    crate::hub::nest::until("the end of the hub", || (!alive(hub)).then_some(()));
    let run = face.finished(&run);
    assert_eq!(summary(&run), "again");
    assert_eq!(run["attempt"], 1, "{run}");
    assert_ne!(job.hub(), hub);
}
