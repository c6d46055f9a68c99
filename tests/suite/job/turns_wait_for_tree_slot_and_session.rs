use super::kit::{Face, Job, summary};
use serde_json::{Value, json};

fn waiting(run: &Value) -> &str {
    run["waiting"].as_str().unwrap_or_default()
}

/// When the turn of a run began and ended.
fn span(run: &Value) -> (String, String) {
    let time = |name: &str| run[name].as_str().unwrap().to_owned();
    (time("started_at"), time("ended_at"))
}

/// The most turns that were under way at the same moment.
fn most_at_once(runs: &[Value]) -> usize {
    let spans: Vec<_> = runs.iter().map(span).collect();
    let at = |moment: &String| {
        spans
            .iter()
            .filter(|(from, to)| from <= moment && moment < to)
            .count()
    };
    spans.iter().map(|(from, _)| at(from)).max().unwrap()
}

fn all_done(face: &mut Face, runs: &[Value]) -> Vec<Value> {
    let runs: Vec<_> = runs.iter().map(|run| face.finished(run)).collect();
    assert!(
        runs.iter().all(|run| run["state"] == "succeeded"),
        "{runs:?}"
    );
    runs
}

#[test]
fn a_tree_has_one_turn_that_may_write() {
    let job = Job::new();
    let mut face = job.face();
    let first = face.delegate("!sleep 60000", json!({}));
    face.running(&first);
    let second = face.delegate("!say second", json!({}));
    face.once(&second, |run| waiting(run) == "tree");
    let beside = face.done("!say beside", json!({"concurrent": true}));
    assert_eq!(summary(&beside), "beside");
    let elsewhere = job.folder("elsewhere");
    assert_eq!(
        face.said("!say else", json!({"project": elsewhere})),
        "else"
    );
    assert_eq!(face.now(&second)["state"], "queued");
    face.tool("run_cancel", &json!({"id": first["id"]}));
    assert_eq!(summary(&face.finished(&second)), "second");
}

#[test]
fn turns_in_a_tree_never_overlap() {
    let job = Job::new();
    let mut face = job.face();
    let runs: Vec<_> = (0..6)
        .map(|n| face.delegate(&format!("!sleep 40\n!say {n}"), json!({})))
        .collect();
    let runs = all_done(&mut face, &runs);
    assert_eq!(most_at_once(&runs), 1);
}

#[test]
fn slots_are_never_exceeded() {
    let job = Job::with(&[("EYAS_WARM_MAX_CONCURRENT", "2")]);
    let mut face = job.face();
    let runs: Vec<_> = (0..7)
        .map(|_| face.delegate("!sleep 150", json!({"concurrent": true})))
        .collect();
    face.once(&runs[6], |run| {
        waiting(run) == "slot" || run["state"] != "queued"
    });
    let runs = all_done(&mut face, &runs);
    assert_eq!(most_at_once(&runs), 2);
}

#[test]
fn a_run_without_a_slot_says_so() {
    let job = Job::with(&[("EYAS_WARM_MAX_CONCURRENT", "1")]);
    let mut face = job.face();
    let first = face.delegate("!sleep 60000", json!({"concurrent": true}));
    face.running(&first);
    let second = face.delegate("!say second", json!({"concurrent": true}));
    face.once(&second, |run| waiting(run) == "slot");
    face.tool("run_cancel", &json!({"id": first["id"]}));
    assert_eq!(summary(&face.finished(&second)), "second");
}

#[test]
fn a_session_has_its_turns_in_order() {
    let job = Job::new();
    let mut face = job.face();
    let first = face.delegate("!sleep 300\n!history", json!({}));
    let session = &face.now(&first)["session"];
    let asked = json!({"session": session, "concurrent": true});
    let mut runs = vec![first];
    for _ in 0..4 {
        runs.push(face.delegate("!sleep 10\n!history", asked.clone()));
    }
    face.once(&runs[1], |run| {
        waiting(run) == "session" || run["state"] != "queued"
    });
    let runs = all_done(&mut face, &runs);
    let order: Vec<_> = runs.iter().map(summary).collect();
    assert_eq!(order, ["1", "2", "3", "4", "5"]);
    assert_eq!(most_at_once(&runs), 1);
}
