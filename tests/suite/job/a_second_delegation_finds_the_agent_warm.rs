use super::kit::{Face, Job, agent_pid};
use crate::hub::nest::until;
use serde_json::{Value, json};

fn agents(rpc: &mut Face) -> Vec<Value> {
    rpc.result("hub.info", &json!({}))["agents"]
        .as_array()
        .unwrap()
        .clone()
}

fn spare(rpc: &mut Face) {
    until("a spare session", || {
        agents(rpc)
            .iter()
            .any(|agent| agent["spare"] == 1)
            .then_some(())
    });
}

#[test]
fn and_uses_the_session_that_was_opened_ahead() {
    let job = Job::new();
    let (mut face, mut rpc) = (job.face(), job.rpc());
    let first = face.done("!session", json!({}));
    assert_eq!(first["warm"], false);
    let pid = first["conclusion"]["summary"]
        .as_str()
        .unwrap()
        .split('-')
        .nth(1)
        .unwrap()
        .to_owned();
    for n in 2..5 {
        spare(&mut rpc);
        let again = face.done("!session\n!say ' '\n!history", json!({}));
        assert_eq!(again["warm"], true, "{again}");
        assert_eq!(agent_pid(&again), agent_pid(&first));
        assert_eq!(
            again["conclusion"]["summary"],
            format!("session-{pid}-{n}' '1")
        );
    }
    assert_eq!(agents(&mut rpc).len(), 1);
}

#[test]
fn a_continued_session_is_live() {
    let job = Job::new();
    let mut face = job.face();
    let first = face.done("!history", json!({}));
    let second = face.done("!history", json!({"previous": first["id"]}));
    assert_eq!(second["conclusion"]["summary"], "2");
    assert_eq!(second["continuity"], "live");
    assert_eq!(second["session"], first["session"]);
    let third = face.done("!history", json!({"session": first["session"]}));
    assert_eq!(third["conclusion"]["summary"], "3");
}

#[test]
fn but_not_with_another_value_of_what_is_passed_on_or_set() {
    let job = Job::with(&[("EYAS_AGENT_ENV_PASSTHROUGH", "PROFILE_*")]);
    let values = "!env PROFILE_NAME\n!say /\n!env SET";
    for (profile, set) in [("one", "a"), ("two", "a"), ("two", "b")] {
        job.agent("fake", &[], &format!("[launch.env]\nSET = \"{set}\""));
        let mut face = job.face_with(&[("PROFILE_NAME", profile)]);
        assert_eq!(face.said(values, json!({})), format!("{profile}/{set}"));
    }
}

#[test]
fn from_a_face_with_another_path_but_not_with_another_key() {
    let job = Job::new();
    job.agent("fake", &[], "[env]\npass = [\"FAKE_*\"]");
    let path = std::env::var("PATH").unwrap();
    let first = job
        .face_with(&[("FAKE_KEY", "one")])
        .done("!pid", json!({}));
    let longer = format!("{path}:/opt/elsewhere");
    let mut other = job.face_with(&[("FAKE_KEY", "one"), ("PATH", &longer)]);
    let second = other.done("!pid", json!({}));
    assert_eq!(agent_pid(&second), agent_pid(&first));
    assert_eq!(second["warm"], true);
    let mut third = job.face_with(&[("FAKE_KEY", "two")]);
    let run = third.done("!env FAKE_KEY", json!({}));
    assert_ne!(agent_pid(&run), agent_pid(&first));
    assert_eq!(run["warm"], false);
    assert_eq!(third.said("!env FAKE_KEY", json!({})), "two");
    assert_eq!(other.said("!env FAKE_KEY", json!({})), "one");
    assert_eq!(agents(&mut job.rpc()).len(), 2);
}

#[test]
fn a_cold_one_has_a_process_of_its_own() {
    let job = Job::new();
    let mut face = job.face();
    let warm = face.done("!pid", json!({}));
    let cold = face.done("!pid", json!({"mode": "cold"}));
    assert_eq!(cold["warm"], false);
    assert_ne!(agent_pid(&cold), agent_pid(&warm));
    assert!(cold["attempts"][0]["reason"].is_string(), "{cold}");
    until("the end of the cold agent", || {
        let pid = u32::try_from(agent_pid(&cold)).unwrap();
        (!super::kit::alive(pid)).then_some(())
    });
}

/// Cold, first, and with a session opened ahead: each time the agent knows who it is.
fn persona_is_there(job: &Job, route: &str, ask: &str) {
    let (mut face, mut rpc) = (job.face(), job.rpc());
    let persona =
        json!({"id": "hawk", "name": "Hawk", "system_prompt": "You hunt by moonlight alone."});
    rpc.result("persona.create", &persona);
    let asked = |mode: &str| json!({"persona": "hawk", "mode": mode});
    for (mode, warm) in [("cold", false), ("auto", false), ("auto", true)] {
        if warm {
            spare(&mut rpc);
        }
        let run = face.done(&format!("{ask} moonlight alone"), asked(mode));
        assert_eq!(run["conclusion"]["summary"], "true", "{mode} {warm}: {run}");
        assert_eq!(run["warm"], warm);
        assert_eq!(run["attempts"][0]["persona_route"], route);
    }
    // A spare of that persona is not another's.
    spare(&mut rpc);
    assert_eq!(
        face.said(&format!("{ask} moonlight alone"), json!({})),
        "false"
    );
}

#[test]
fn the_persona_reaches_every_session() {
    persona_is_there(&Job::new(), "system_prompt", "!knows");
}

#[test]
fn the_persona_reaches_an_agent_that_has_no_place_for_it() {
    let job = Job::new();
    job.agent("fake", &["--no-system-prompt"], "");
    persona_is_there(&job, "prompt_block", "!told");
}
