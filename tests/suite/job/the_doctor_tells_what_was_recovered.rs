use super::kit::Job;
use crate::hub::nest::until;
use serde_json::{Value, json};

fn notices(job: &Job) -> (Value, Vec<String>) {
    let output = job.nest.say(&["doctor", "--json"], "");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = said["findings"].as_array().unwrap().clone();
    let notices = findings.iter().filter(|one| one["level"] == "notice");
    let notices = notices.map(|one| one["what"].as_str().unwrap().to_owned());
    (said.clone(), notices.collect())
}

#[test]
fn of_a_hub_that_was_killed_in_a_turn() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.delegate("!hang", json!({}));
    face.running(&run);
    let killed = job.kill_hub();
    face.kill();
    job.nothing_is_left();
    let (said, found) = notices(&job);
    let ended = format!("the last hub, process {killed}, did not end in order");
    assert!(found.contains(&ended), "{said}");
    assert_eq!(said["by_hub"], false);
    let fine = said["findings"].to_string();
    assert!(
        fine.contains("1 runs have not ended, 1 of them are held"),
        "{said}"
    );

    // What was made half: the hub would have noted it before it made it.
    let worktrees = job.nest.home.join("worktrees");
    std::fs::create_dir_all(&worktrees).unwrap();
    let half = worktrees.join("01890000-0000-7000-8000-000000000001");
    let note = json!({
        "repository": job.project, "path": half, "branch": "eyas/x", "base": "0", "made": false,
    });
    std::fs::write(half.with_extension("json"), note.to_string()).unwrap();
    let (said, found) = notices(&job);
    let words = format!("1 worktrees are not made, or half made: {}", half.display());
    assert!(found.contains(&words), "{said}");

    job.nest.info();
    let taken = format!(
        "took 1 runs from a hub that died: {}",
        run["id"].as_str().unwrap()
    );
    let (said, found) = until("the book", || {
        let (said, found) = notices(&job);
        let whole = found.iter().any(|one| one.contains("removed 1 worktrees"));
        whole.then_some((said, found))
    });
    assert_eq!(said["by_hub"], true);
    assert!(found.iter().any(|one| one.contains(&taken)), "{said}");
    let lost = "1 attempts of the last day were lost with their hub";
    assert!(found.iter().any(|one| one.contains(lost)), "{said}");
    assert_eq!(said["sound"], true, "{said}");
}
