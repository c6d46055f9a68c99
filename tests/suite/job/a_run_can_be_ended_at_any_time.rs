use super::kit::{Face, Job, agent_pid, alive, summary};
use crate::hub::nest::until;
use serde_json::{Value, json};

fn cancel(face: &mut Face, run: &Value) -> Value {
    face.tool(
        "run_cancel",
        &json!({"id": run["id"], "reason": "no longer wanted"}),
    );
    face.finished(run)
}

/// The turn is under way: the agent has said something, and gone on to something else, so that its words are written.
fn prompted(face: &mut Face, run: &Value) {
    face.output(run, |said| said.starts_with("on"));
}

#[test]
fn while_it_is_queued() {
    let job = Job::new();
    let mut face = job.face();
    let first = face.delegate("!sleep 500\n!say first", json!({}));
    face.running(&first);
    let second = face.delegate("!say second", json!({}));
    let second = cancel(&mut face, &second);
    assert_eq!(second["state"], "cancelled", "{second}");
    assert_eq!(second["attempt"], 0);
    assert!(second["conclusion"].is_null());
    assert_eq!(summary(&face.finished(&first)), "first");
}

#[test]
fn while_it_runs_and_the_warm_agent_goes_on() {
    let job = Job::new();
    let mut face = job.face();
    let first = face.done("!pid", json!({}));
    for _ in 0..3 {
        let run = face.delegate(
            "!say on\n!tool on other\n!sleep 60000\n!say never",
            json!({}),
        );
        prompted(&mut face, &run);
        let run = cancel(&mut face, &run);
        assert_eq!(run["state"], "cancelled", "{run}");
        assert_eq!(run["attempts"][0]["outcome"], "cancelled");
        assert_eq!(agent_pid(&run), agent_pid(&first));
    }
    let next = face.done("!say next", json!({}));
    assert_eq!(
        (summary(&next), agent_pid(&next)),
        ("next", agent_pid(&first))
    );
}

#[test]
fn while_the_agent_hears_nothing() {
    let job = Job::new();
    job.agent("fake", &[], "[limits]\nclose_ms = 300");
    let mut face = job.face();
    for prompt in [
        "!say on\n!tool on other\n!hang",
        "!say on\n!tool on other\n!deaf\n!sleep 60000",
    ] {
        let run = face.delegate(prompt, json!({}));
        prompted(&mut face, &run);
        let run = cancel(&mut face, &run);
        assert_eq!(run["state"], "cancelled", "{run}");
        let stuck = u32::try_from(agent_pid(&run)).unwrap();
        // It may not write in the tree any more when another may.
        until("the end of the stuck agent", || {
            (!alive(stuck)).then_some(())
        });
        let next = face.done("!say next", json!({}));
        assert_eq!(summary(&next), "next");
        assert_ne!(agent_pid(&next), u64::from(stuck));
    }
}

#[test]
fn while_the_agent_is_being_started() {
    let job = Job::new();
    job.odd_once("odd", "--silent", "");
    let mut face = job.face();
    let run = face.delegate("!say never", json!({"agent": "odd"}));
    face.running(&run);
    let run = cancel(&mut face, &run);
    assert_eq!(run["state"], "cancelled", "{run}");
}

#[test]
fn at_whatever_moment_it_is_asked_for() {
    let job = Job::new();
    let mut face = job.face();
    for round in 0..20 {
        let run = face.delegate("!sleep 1\n!say done", json!({}));
        for _ in 0..round * 30_000 {
            std::hint::spin_loop();
        }
        let run = cancel(&mut face, &run);
        let state = run["state"].as_str().unwrap();
        assert!(["cancelled", "succeeded"].contains(&state), "{run}");
    }
    assert_eq!(face.said("!say after", json!({})), "after");
}

#[test]
fn by_its_own_time() {
    let job = Job::new();
    let mut face = job.face();
    let first = face.done("!pid", json!({}));
    let run = face.done("!sleep 60000", json!({"timeout_ms": 300}));
    assert_eq!(run["state"], "timed_out", "{run}");
    assert_eq!(run["error"]["kind"], "timed_out");
    assert_eq!(run["attempts"][0]["outcome"], "timed_out");
    let next = face.done("!say next", json!({}));
    assert_eq!(
        (summary(&next), agent_pid(&next)),
        ("next", agent_pid(&first))
    );

    let long = face.delegate("!sleep 60000", json!({}));
    face.running(&long);
    let queued = face.done("!say late", json!({"timeout_ms": 100}));
    assert_eq!(queued["state"], "timed_out", "{queued}");
    assert_eq!(queued["attempt"], 0);
    cancel(&mut face, &long);
}

#[test]
fn but_only_once() {
    let job = Job::new();
    let mut face = job.face();
    let done = face.done("!say done", json!({}));
    let late = face.done("!sleep 60000", json!({"timeout_ms": 50}));
    let ended = face.delegate("!sleep 60000", json!({}));
    let ended = cancel(&mut face, &ended);
    for run in [done, late, ended] {
        let again = cancel(&mut face, &run);
        for field in ["state", "ended_at", "error", "conclusion", "attempt"] {
            assert_eq!(again[field], run[field], "{field}");
        }
    }
}

#[test]
fn and_its_tree_is_free_only_when_the_agent_has_stopped() {
    let job = Job::new();
    let mut face = job.face();
    // It goes on for a while after it was asked to stop.
    let first = face.delegate(
        "!say on\n!tool on other\n!deaf\n!sleep 1500\n!write late.txt first",
        json!({}),
    );
    prompted(&mut face, &first);
    let second = face.delegate("!run test -e late.txt && echo there", json!({}));
    cancel(&mut face, &first);
    assert_eq!(summary(&face.finished(&second)), "there");
}
