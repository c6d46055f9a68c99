use super::kit::{Job, summary};
use serde_json::json;

const NEEDS: &str = "[env]\nrequired = [\"FAKE_NEEDED\"]";

#[test]
fn and_goes_on_when_a_face_brings_it() {
    let job = Job::new();
    job.agent("fake", &[], NEEDS);
    let mut poor = job.face();
    let run = poor.delegate("!env FAKE_NEEDED", json!({}));
    let run = poor.once(&run, |run| run["waiting"] == "environment");
    assert_eq!(
        (&run["state"], &run["attempt"]),
        (&json!("queued"), &json!(0)),
        "{run}"
    );
    // One that brings nothing changes nothing.
    let mut other = job.face();
    other.once(&run, |run| {
        run["waiting"] == "environment" && run["attempt"] == 0
    });
    let mut rich = job.face_with(&[("FAKE_NEEDED", "here")]);
    let run = rich.finished(&run);
    assert_eq!(summary(&run), "here");
    assert_eq!(run["attempt"], 1, "{run}");
}

#[test]
fn across_the_death_of_its_hub() {
    let job = Job::new();
    job.agent("fake", &[], NEEDS);
    let mut poor = job.face();
    let run = poor.delegate("!env FAKE_NEEDED", json!({}));
    poor.once(&run, |run| run["waiting"] == "environment");
    job.kill_hub();
    poor.kill();
    let mut rich = job.face_with(&[("FAKE_NEEDED", "late")]);
    assert_eq!(summary(&rich.finished(&run)), "late");
}

/// The face that brought its value is gone with the hub: the retry waits for another, and does not begin without.
#[test]
fn also_when_it_is_tried_again() {
    let job = Job::new();
    job.agent("fake", &[], NEEDS);
    let mut rich = job.face_with(&[("FAKE_NEEDED", "here")]);
    let mark = job.nest.root().join("hung");
    let prompt = format!(
        "!say begun\n!first {} hang\n!env FAKE_NEEDED",
        mark.display()
    );
    let run = rich.delegate(&prompt, json!({}));
    rich.output(&run, |said| said.contains("begun"));
    job.kill_hub();
    rich.kill();
    let mut poor = job.face();
    let waiting = poor.once(&run, |run| run["waiting"] == "environment");
    assert_eq!(waiting["state"], "queued", "{waiting}");
    let mut rich = job.face_with(&[("FAKE_NEEDED", "again")]);
    let run = rich.finished(&run);
    assert!(summary(&run).ends_with("again"), "{run}");
    assert_eq!(run["attempt"], 2, "{run}");
    assert_eq!(run["attempts"][0]["outcome"], "lost", "{run}");
}

#[test]
fn and_can_be_cancelled_meanwhile() {
    let job = Job::new();
    job.agent("fake", &[], NEEDS);
    let mut face = job.face();
    let run = face.delegate("!say never", json!({}));
    face.once(&run, |run| run["waiting"] == "environment");
    face.tool("run_cancel", &json!({"id": run["id"]}));
    let run = face.finished(&run);
    assert_eq!(
        (&run["state"], &run["attempt"]),
        (&json!("cancelled"), &json!(0)),
        "{run}"
    );
}
