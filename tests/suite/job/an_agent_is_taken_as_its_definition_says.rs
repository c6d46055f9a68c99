//! Where an agent serves, how it takes its persona, what it lacks trust for: said once in its definition or by itself, seen in its runs.

use super::kit::{Job, agent_pid, summary};
use crate::hub::nest::until;
use serde_json::json;
use std::fs;

#[test]
fn at_a_port_or_a_socket() {
    let job = Job::new();
    for (kind, how) in [("tcp", "tcp"), ("tcp", "port"), ("unix", "unix")] {
        job.agent(
            how,
            &["--serve", how, "--chatty"],
            &format!("[transport]\nkind = \"{kind}\""),
        );
        let mut face = job.face();
        let first = face.done("!say hello", json!({"agent": how}));
        assert_eq!(summary(&first), "hello", "{first}");
        let again = face.done("!say again", json!({"agent": how}));
        assert_eq!(summary(&again), "again", "{again}");
        assert_eq!(again["warm"], true, "{again}");
        assert_eq!(agent_pid(&again), agent_pid(&first));
        let cold = face.done(
            "!env EYAS_AGENT_TOKEN",
            json!({"agent": how, "mode": "cold"}),
        );
        let token = summary(&cold);
        assert!(
            !token.contains("eyst_"),
            "what a secret looks like is struck out: {token}"
        );
    }
    drop(job.nest.say(&["hub", "stop", "--now"], ""));
    job.nothing_is_left();
}

#[test]
fn and_what_is_wrong_with_where_it_serves_is_told() {
    let job = Job::new();
    let mut face = job.face();
    for (args, limits, kind) in [
        (&["--silent"][..], "startup_ms = 1500", "handshake_timeout"),
        (&["--announce", "hello"], "", "handshake_malformed"),
        (&["--announce", "9|80"], "", "version_mismatch"),
        (&["--shut"], "dial_ms = 300", "dial_timeout"),
    ] {
        let args = [&["--serve", "tcp", "--mutter", "its last words"], args].concat();
        job.agent(
            "odd",
            &args,
            &format!("[transport]\nkind = \"tcp\"\n{limits}"),
        );
        let run = face.done(
            "!say x",
            json!({"agent": "odd", "retry": {"max_attempts": 1}}),
        );
        assert_eq!(run["error"]["kind"], kind, "{run}");
        let detail = run["error"]["detail"].as_str().unwrap();
        assert!(detail.contains("its last words"), "{run}");
    }
}

#[test]
fn with_its_persona_in_a_file_of_its_process_and_none_in_the_project() {
    let job = Job::new();
    let rules = "[session]\npersona_file = \"FAKE_SYSTEM_MD\"\nmodel_args = [\"--model\", \"{model}\"]\nmode = \"plan\"";
    job.agent("filed", &["--modes", "--no-models"], rules);
    let mut face = job.face();
    let create = json!({"id": "kim", "name": "Kim", "system_prompt": "You are Kim, who counts.", "model": "large"});
    face.tool("persona_create", &create);
    let asked = json!({"agent": "filed", "persona": "kim"});
    let grep = "!run grep -o 'You are Kim, who counts.' $FAKE_SYSTEM_MD";
    let run = face.done(grep, asked.clone());
    assert!(summary(&run).contains("You are Kim, who counts."), "{run}");
    assert_eq!(
        run["attempts"][0]["persona_route"], "environment_file",
        "{run}"
    );
    let warned = run["warnings"].to_string();
    assert!(
        !warned.contains("model_not_set") && !warned.contains("mode_not_set"),
        "{run}"
    );
    let run = face.done("!args\n!say ' '\n!mode\n!say ' '\n!system", asked);
    assert_eq!(
        summary(&run),
        "--modes --no-models --model large' 'plan' '(none)",
        "{run}"
    );
    assert_eq!(run["warm"], true, "{run}");
    let stray = fs::read_dir(&job.project).unwrap().flatten();
    let stray: Vec<_> = stray.filter(|entry| entry.file_name() != ".eyas").collect();
    assert!(stray.is_empty(), "{stray:?}");
}

#[test]
fn and_what_it_lacks_trust_for_is_a_warning() {
    let job = Job::new();
    job.agent("wary", &["--ask-trust"], "");
    let mut face = job.face();
    let run = face.done("!strays", json!({"agent": "wary"}));
    assert!(summary(&run).contains("cancelled"), "{run}");
    let warnings = run["warnings"].as_array().unwrap();
    let trust: Vec<_> = warnings
        .iter()
        .filter(|one| one["kind"] == "folder_untrusted")
        .collect();
    assert_eq!(trust.len(), 1, "{run}");
    let detail = trust[0]["detail"].as_str().unwrap();
    assert!(detail.contains("Trust this folder?"), "{run}");
}

#[test]
fn and_its_last_word_is_in_the_log_though_nobody_waits_for_it() {
    let job = Job::new();
    let (mut face, mut rpc) = (job.face(), job.rpc());
    // On a busy machine the moment may be over before the agent comes to it: then it is another run's.
    until("the last word", || {
        let run = face.done("!say done\n!late 5 a last word", json!({}));
        assert_eq!(summary(&run), "done", "{run}");
        let asked = json!({"id": run["id"]});
        let mut log = (0..50).map(|_| rpc.result("run.events", &asked).to_string());
        log.any(|log| log.contains("a last word")).then_some(())
    });
}
