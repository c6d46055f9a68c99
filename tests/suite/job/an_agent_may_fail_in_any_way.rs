use super::kit::{Job, LONG, agent_pid, alive, summary};
use crate::hub::nest::until;
use serde_json::{Value, json};
use std::time::Instant;

/// Fails as told, and says so.
fn fails(run: &Value, kind: &str, words: &str) {
    assert_eq!(run["state"], "failed", "{run}");
    let error = &run["error"];
    assert_eq!(error["kind"], kind, "{run}");
    assert!(error["detail"].as_str().unwrap().contains(words), "{run}");
    assert_eq!(run["attempts"][0]["outcome"], "failed", "{run}");
}

/// The first process of an agent fails; the delegation after it goes to another process, and works.
fn once(args: &str, limits: &str, prompt: &str, kind: &str, words: &str) {
    let job = Job::new();
    job.odd_once("odd", args, &format!("[limits]\n{limits}"));
    let mut face = job.face();
    let asked = json!({"agent": "odd"});
    let mut alone = asked.clone();
    alone["retry"] = json!({"max_attempts": 1});
    let failed = face.done(prompt, alone);
    fails(&failed, kind, words);
    let next = face.done("!say next", asked);
    assert_eq!(next["state"], "succeeded", "{next}");
    assert_eq!(summary(&next), "next");
    assert_eq!(next["warm"], false, "{next}");
    if let Some(pid) = failed["attempts"][0]["pid"].as_u64() {
        until("the end of the failed agent", || {
            (!alive(u32::try_from(pid).unwrap())).then_some(())
        });
    }
}

const TOLD: &str = "the agent dies as told";

#[test]
fn it_dies_before_it_says_hello() {
    once("--die-at initialize", "", "!say x", "agent_died", TOLD);
}

#[test]
fn it_dies_when_a_session_is_opened() {
    once("--die-at session", "", "!say x", "agent_died", TOLD);
}

#[test]
fn it_dies_when_it_is_prompted() {
    once("--die-at prompt", "", "!say x", "agent_died", TOLD);
}

#[test]
fn it_dies_in_the_middle() {
    once(
        "",
        "",
        "!say half\n!stderr 100000\n!die 9",
        "agent_died",
        TOLD,
    );
}

#[test]
fn it_never_says_hello() {
    once(
        "--silent",
        "initialize_ms = 400",
        "!say x",
        "handshake_timeout",
        "initialize",
    );
}

#[test]
fn it_prints_other_things() {
    once(
        "--garbage-only",
        "initialize_ms = 400",
        "!say x",
        "handshake_malformed",
        "initialize",
    );
}

#[test]
fn it_speaks_another_version() {
    once("--protocol 7", "", "!say x", "version_mismatch", "7");
}

#[test]
fn it_never_opens_a_session() {
    once(
        "--mute-at session",
        "session_ms = 400",
        "!say x",
        "timed_out",
        "session/new",
    );
}

#[test]
fn it_never_ends_its_turn() {
    once(
        "",
        "prompt_ms = 400\nclose_ms = 200",
        "!hang",
        "timed_out",
        "session/prompt",
    );
}

#[test]
fn it_wants_a_login() {
    let job = Job::new();
    job.odd_once("odd", "--auth-required", "");
    let run = job.face().done("!say x", json!({"agent": "odd"}));
    fails(&run, "agent_auth", "session/new");
    assert!(
        run["error"]["hint"].as_str().unwrap().contains("log in"),
        "{run}"
    );
}

#[test]
fn it_prints_a_line_without_end() {
    once(
        "",
        "",
        &format!("!line {}", (64 << 20) + 1),
        "too_large",
        "67108865",
    );
}

#[test]
fn a_line_of_64_mib_is_read_and_thrown_away() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.done(
        &format!("!line {}\n!garbage\n!say done", 64 << 20),
        json!({}),
    );
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(summary(&run), "done");
}

#[test]
fn its_grandchildren_die_with_it() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.delegate(
        "!grandchild setsid\n!say /\n!grandchild double\n!say /\n!tool told other\n!sleep 300\n!die 4",
        json!({}),
    );
    let said = face.output(&run, |said| said.matches('/').count() == 2);
    fails(&face.finished(&run), "agent_died", TOLD);
    for pid in said.split('/').filter_map(|pid| pid.trim().parse().ok()) {
        until("the end of a grandchild", || (!alive(pid)).then_some(()));
    }
    assert_eq!(face.said("!say next", json!({})), "next");
}

#[test]
fn it_ends_when_nobody_looks() {
    let job = Job::new();
    let mut face = job.face();
    let first = face.done("!pid", json!({}));
    crate::hub::nest::kill(summary(&first).parse().unwrap());
    let shim = u32::try_from(agent_pid(&first)).unwrap();
    until("the end of the shim", || (!alive(shim)).then_some(()));
    let next = face.done("!say next", json!({}));
    assert_eq!(
        (&next["state"], &next["warm"]),
        (&json!("succeeded"), &json!(false)),
        "{next}"
    );
}

#[test]
fn it_ignores_every_request_to_end() {
    let job = Job::new();
    job.agent("deaf", &["--ignore-term"], "");
    let mut face = job.face();
    let run = face.done("!grandchild setsid", json!({"agent": "deaf"}));
    assert_eq!(run["state"], "succeeded", "{run}");
    let hub = job.hub();
    let begun = Instant::now();
    job.rpc().result("hub.shutdown", &json!({}));
    until("the end of the hub", || (!alive(hub)).then_some(()));
    assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
    face.kill();
    job.nothing_is_left();
}

#[test]
fn it_ends_its_turn_for_a_reason_from_the_future() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.done("!say so far\n!stop from_the_future", json!({}));
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["conclusion"]["stop_reason"], "from_the_future");
    assert_eq!(run["conclusion"]["status"], "partial", "{run}");
    for (stop, kind) in [("refusal", "refused"), ("max_tokens", "max_tokens")] {
        let run = face.done(&format!("!say so far\n!stop {stop}"), json!({}));
        fails(&run, kind, "agent");
        assert_ne!(run["conclusion"]["status"], "success", "{run}");
    }
    let first = face.done("!say next", json!({}));
    assert_eq!(summary(&first), "next");
}

#[test]
fn it_asks_for_what_it_may_not_do_and_nobody_is_to_be_asked() {
    let job = Job::with(&[("EYAS_POLICY_ASK", "off")]);
    let mut face = job.face();
    let run = face.done("!permission execute git push", json!({}));
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(summary(&run), "permission: no");
    let warnings = run["warnings"].as_array().unwrap();
    let denied = warnings
        .iter()
        .find(|warning| warning["kind"] == "permission_denied");
    assert!(
        denied.unwrap()["detail"]
            .as_str()
            .unwrap()
            .contains("git push"),
        "{run}"
    );
    let run = face.done("!permission execute git status", json!({}));
    assert_eq!(summary(&run), "permission: yes");
    assert!(!run["warnings"].to_string().contains("permission_denied"));
}

#[test]
fn its_program_is_gone() {
    let job = Job::new();
    job.agent("fake", &[], "");
    let program = job.nest.root().join("agent");
    std::fs::copy(super::kit::FAKE, &program).unwrap();
    let text = format!("[launch]\ncommand = {:?}\n", program.to_str().unwrap());
    std::fs::write(job.nest.home.join("agents/gone.toml"), text).unwrap();
    let mut face = job.face();
    let asked = json!({"agent": "gone", "mode": "cold"});
    assert_eq!(face.said("!say here", asked.clone()), "here");
    std::fs::remove_file(&program).unwrap();
    let mut call = asked;
    call["prompt"] = json!("!say x");
    let refused = face.tool("delegate", &call);
    assert_eq!(refused["kind"], "agent_not_found", "{refused}");
    assert!(refused["hint"].is_string());
    assert_eq!(face.said("!say next", json!({})), "next");
}

#[test]
fn many_at_once_and_none_harms_another() {
    // One dies more often than an agent may.
    let job = Job::with(&[("EYAS_WARM_RESTARTS", "1000")]);
    job.agent("mortal", &[], "");
    let mut face = job.face();
    let begun = Instant::now();
    let runs: Vec<_> = (0..12)
        .map(|n| {
            let (agent, prompt) = match n % 3 {
                0 => ("mortal", "!sleep 20\n!die 1".to_owned()),
                1 => ("fake", format!("!sleep 20\n!say {n}")),
                _ => ("fake", format!("!garbage\n!stderr 50000\n!say {n}")),
            };
            face.delegate(&prompt, json!({"agent": agent, "concurrent": true}))
        })
        .collect();
    for (n, run) in runs.iter().enumerate() {
        let run = face.finished(run);
        match n % 3 {
            0 => assert_eq!(run["error"]["kind"], "agent_died", "{run}"),
            _ => assert_eq!(summary(&run), n.to_string()),
        }
    }
    assert!(begun.elapsed() < LONG);
}
