use super::kit::{Face, Job, agent_pid};
use serde_json::{Value, json};
use std::collections::HashSet;

/// One slot; more than one may not wait for it where overflow is on.
fn job(overflow: &str) -> Job {
    Job::with(&[
        ("EYAS_WARM_MAX_CONCURRENT", "1"),
        ("EYAS_WARM_OVERFLOW", overflow),
        ("EYAS_WARM_QUEUE_DEPTH", "1"),
        ("EYAS_COLD_MAX_CONCURRENT", "2"),
    ])
}

/// Six at once, each long enough for all to be there before the first ends, once they have ended.
fn six(face: &mut Face, more: &Value) -> Vec<Value> {
    let mut asked = more.clone();
    asked["concurrent"] = json!(true);
    let runs: Vec<_> = (0..6)
        .map(|_| face.delegate("!sleep 700", asked.clone()))
        .collect();
    let runs: Vec<_> = runs.iter().map(|run| face.finished(run)).collect();
    for run in &runs {
        assert_eq!(run["state"], "succeeded", "{run}");
    }
    runs
}

fn reason(run: &Value) -> &str {
    run["attempts"][0]["reason"].as_str().unwrap_or_default()
}

/// The most of these that were under way at the same moment.
fn most_at_once(runs: &[&Value]) -> usize {
    let time = |run: &Value, name: &str| run[name].as_str().unwrap().to_owned();
    let at = |moment: &String| {
        let under_way =
            |run: &&&Value| time(run, "started_at") <= *moment && *moment < time(run, "ended_at");
        runs.iter().filter(under_way).count()
    };
    let begins = runs.iter().map(|run| at(&time(run, "started_at")));
    begins.max().unwrap_or_default()
}

#[test]
fn each_with_a_process_of_its_own_and_the_reason_on_the_attempt() {
    let job = job("cold");
    let runs = six(&mut job.face(), &json!({}));
    let (cold, warm): (Vec<_>, Vec<_>) = runs.iter().partition(|run| !reason(run).is_empty());
    assert!(cold.len() >= 2 && !warm.is_empty(), "{}", cold.len());
    for run in &cold {
        let why = reason(run);
        assert!(
            why.contains("more than 1 runs wait for a warm slot"),
            "{why}"
        );
        assert_eq!(run["warm"], false);
    }
    let pids = |runs: &[&Value]| {
        let pids = runs.iter().map(|run| agent_pid(run));
        pids.collect::<HashSet<_>>()
    };
    assert_eq!(pids(&cold).len(), cold.len(), "no two share one");
    assert_eq!(pids(&warm).len(), 1, "all share one");
    assert!(pids(&cold).is_disjoint(&pids(&warm)));
    assert_eq!(most_at_once(&cold), 2);
    assert_eq!(most_at_once(&warm), 1);
}

#[test]
fn and_nowhere_else() {
    let waits = job("wait");
    let runs = six(&mut waits.face(), &json!({}));
    let all: Vec<_> = runs.iter().collect();
    assert_eq!(most_at_once(&all), 1);
    assert!(runs.iter().all(|run| reason(run).is_empty()), "{runs:?}");
    // Nor do those that must be warm.
    let job = job("cold");
    let runs = six(&mut job.face(), &json!({"mode": "warm"}));
    let all: Vec<_> = runs.iter().collect();
    assert_eq!(most_at_once(&all), 1);
    assert!(runs.iter().all(|run| reason(run).is_empty()), "{runs:?}");
}

#[test]
fn those_that_are_to_be_cold_take_no_turn_of_the_warm_ones() {
    let job = job("wait");
    let mut face = job.face();
    let long = json!({"concurrent": true, "mode": "cold"});
    let cold: Vec<_> = (0..3)
        .map(|_| face.delegate("!sleep 60000", long.clone()))
        .collect();
    face.running(&cold[0]);
    face.running(&cold[1]);
    face.once(&cold[2], |run| run["waiting"] == "slot");
    assert_eq!(face.said("!say warm", json!({"concurrent": true})), "warm");
    assert_eq!(face.now(&cold[2])["state"], "queued");
    for run in &cold {
        face.tool("run_cancel", &json!({"id": run["id"]}));
    }
}

#[test]
fn and_no_lane_of_eyas_own_can_be_named() {
    let job = Job::new();
    let mut rpc = job.rpc();
    for lane in ["default+1", "a@b", "~0cold"] {
        let refused = rpc.refusal("run.delegate", &json!({"prompt": "!say x", "lane": lane}));
        assert_eq!(refused["kind"], "invalid_params", "{refused}");
        assert_eq!(refused["field"], "lane");
    }
}
