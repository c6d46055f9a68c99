use super::kit::{Face, Job, files, summary};
use serde_json::{Value, json};
use std::{fs, path::Path};

const REPORT: &str = r#"conclude {"status":"success","summary":"it is done","confidence":0.5}"#;

/// What the agent says came of its calls, one a line.
fn calls(said: &str) -> Vec<Value> {
    said.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn refused(call: &Value, words: &str) {
    assert_eq!(call["failed"], true, "{call}");
    assert_eq!(call["body"]["kind"], "forbidden", "{call}");
    assert!(call["text"].as_str().unwrap().contains(words), "{call}");
}

/// The output of a run that has ended.
fn output(face: &mut Face, prompt: &str, more: Value) -> String {
    let run = face.done(prompt, more);
    assert_eq!(run["state"], "succeeded", "{run}");
    face.output(&run, |_| true)
}

#[test]
fn each_session_is_given_a_server_of_its_own() {
    let job = Job::new();
    let mut face = job.face();
    let mut names = Vec::new();
    for _ in 0..2 {
        let said = output(&mut face, "!mcp-servers\n!mcp-list", json!({}));
        let [servers, tools] = &calls(&said)[..] else {
            panic!("{said}")
        };
        let name = servers[0]["name"].as_str().unwrap();
        assert!(name.starts_with("eyas_") && name.len() == 13, "{name}");
        assert_eq!(servers[0]["args"], json!(["session-tools"]));
        assert_eq!(servers.as_array().unwrap().len(), 1);
        assert_eq!(tools, &json!(["conclude", "report_progress", "ask"]));
        names.push(name.to_owned());
    }
    assert_ne!(names[0], names[1]);
}

#[test]
fn an_agent_that_takes_no_servers_is_given_none() {
    let job = Job::new();
    let text = format!(
        "mcp_scope = \"none\"\n[launch]\ncommand = {:?}\n",
        super::kit::FAKE
    );
    fs::write(job.nest.home.join("agents/shy.toml"), text).unwrap();
    let said = output(&mut job.face(), "!mcp-servers", json!({"agent": "shy"}));
    assert_eq!(calls(&said), [json!([])]);
}

#[test]
fn an_agent_that_mixes_its_servers_up_is_told_its_own() {
    let job = Job::new();
    let text = format!(
        "mcp_scope = \"process\"\n[launch]\ncommand = {:?}\n",
        super::kit::FAKE
    );
    fs::write(job.nest.home.join("agents/mixed.toml"), text).unwrap();
    let said = output(
        &mut job.face(),
        "!mcp-servers\n!told whose names contain eyas_",
        json!({"agent": "mixed"}),
    );
    assert_eq!(calls(&said)[0].as_array().unwrap().len(), 1);
    assert_eq!(calls(&said)[1], true, "{said}");
}

#[test]
fn who_stands_above_others_may_delegate() {
    let job = Job::new();
    let mut face = job.face();
    face.tool(
        "instance_create",
        &json!({"name": "cap", "role": "captain"}),
    );
    let said = output(
        &mut face,
        "!mcp-servers\n!mcp-list",
        json!({"instance": "cap"}),
    );
    let [servers, tools] = &calls(&said)[..] else {
        panic!("{said}")
    };
    assert_eq!(
        servers[0]["args"],
        json!(["session-tools", "--may-delegate"])
    );
    assert_eq!(tools.as_array().unwrap().last().unwrap(), "delegate");
}

#[test]
fn a_claude_adapter_is_told_that_they_need_no_leave() {
    let job = Job::new();
    job.agent("claude-like", &["--name", "claude-fake"], "");
    let said = output(
        &mut job.face(),
        "!mcp-servers\n!meta",
        json!({"agent": "claude-like"}),
    );
    let [servers, meta] = &calls(&said)[..] else {
        panic!("{said}")
    };
    let all = format!("mcp__{}", servers[0]["name"].as_str().unwrap());
    assert_eq!(meta["claudeCode"]["options"]["allowedTools"], json!([all]));
}

#[test]
fn what_it_concludes_is_the_conclusion_and_the_last_word_wins() {
    let job = Job::new();
    let mut face = job.face();
    let first = REPORT.replace("it is done", "a first word");
    let run = face.done(&format!("!mcp {first}\n!mcp {REPORT}"), json!({}));
    assert_eq!(summary(&run), "it is done");
    assert_eq!(run["conclusion"]["source"], "tool");
    let said = face.output(&run, |_| true);
    for call in calls(&said) {
        assert_eq!(
            (&call["failed"], &call["body"]["run"]),
            (&json!(false), &run["id"])
        );
    }
}

#[test]
fn a_person_who_shows_a_token_is_that_session_and_no_more() {
    let job = Job::new();
    let mut face = job.face();
    let token = job.nest.root().join("token");
    let prompt = format!("!mcp-servers {}\n!sleep 60000", token.display());
    let run = face.delegate(&prompt, json!({}));
    face.output(&run, |said| said.contains("eyas_"));
    let token = fs::read_to_string(&token).unwrap();
    let mut rpc = job.rpc();
    let report = json!({"status": "success", "summary": "not mine"});
    assert_eq!(
        rpc.refusal("session.conclude", &report)["kind"],
        "forbidden"
    );
    rpc.result("hub.join", &json!({"face": "rpc", "token": token}));
    let ending = rpc.refusal("hub.shutdown", &json!({"now": true}));
    assert_eq!(ending["kind"], "forbidden");
    let progress = json!({"text": "seen from outside"});
    assert_eq!(rpc.result("session.progress", &progress)["run"], run["id"]);
    let peers = rpc.result("hub.peers", &json!({}));
    let words: Vec<&Value> = peers["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|peer| &peer["caller"])
        .collect();
    assert!(words.contains(&&json!("session")), "{peers}");
    face.tool("run_cancel", &json!({"id": run["id"]}));
    face.finished(&run);
    assert_eq!(
        rpc.refusal("session.progress", &progress)["kind"],
        "forbidden"
    );
    assert_eq!(
        rpc.refusal("run.delegate", &json!({"prompt": "x"}))["kind"],
        "forbidden"
    );
}

#[test]
fn what_it_asks_is_answered_by_a_person_or_by_its_default() {
    let job = Job::new();
    let mut face = job.face();
    let ask = r#"!mcp ask {"question":"which colour?","choices":["red","blue"],"default":"blue"}"#;
    let run = face.delegate(ask, json!({}));
    let asked = face.once(&run, |run| run["state"] == "input_required");
    let request = &asked["requests"][0];
    assert_eq!(request["title"], "which colour?", "{asked}");
    let red = request["options"]
        .as_array()
        .unwrap()
        .iter()
        .find(|option| option["name"] == "red");
    let answer = json!({"id": run["id"], "request": request["id"], "option": red.unwrap()["id"]});
    job.rpc().result("run.answer", &answer);
    face.finished(&run);
    let said = face.output(&run, |_| true);
    let call = &calls(&said)[0];
    assert_eq!(
        (&call["body"]["answered"], &call["body"]["option"]),
        (&json!(true), &json!("red")),
        "{call}"
    );
    assert!(call["text"].as_str().unwrap().contains("red"), "{call}");
    assert!(
        call["told"].as_u64().unwrap() >= 1,
        "it is told that the wait goes on: {call}"
    );
    let hasty = ask.replace("\"default\"", "\"timeout_ms\":50,\"default\"");
    let said = output(&mut face, &hasty, json!({}));
    let call = &calls(&said)[0];
    assert_eq!(
        (&call["body"]["answered"], &call["body"]["text"]),
        (&json!(false), &json!("blue")),
        "{call}"
    );
}

#[test]
fn a_question_of_a_run_that_is_cancelled_is_taken_back() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.delegate(r#"!mcp ask {"question":"shall I?"}"#, json!({}));
    face.once(&run, |run| run["state"] == "input_required");
    face.tool("run_cancel", &json!({"id": run["id"]}));
    let ended = face.finished(&run);
    assert_eq!(
        (&ended["state"], &ended["requests"]),
        (&json!("cancelled"), &json!([])),
        "{ended}"
    );
}

#[test]
fn what_it_delegates_stands_below_it_and_comes_back() {
    let job = Job::new();
    let mut face = job.face();
    let project = job.project.to_str().unwrap();
    for (name, role) in [("cap", "captain"), ("tal", "talon")] {
        face.tool("instance_create", &json!({"name": name, "role": role, "project": project, "parent": (role == "talon").then_some("cap")}));
    }
    let prompt = [
        r#"!mcp delegate {"instance":"tal","prompt":"!say it is built","concurrent":true}"#,
        r#"!mcp delegate {"instance":"cap","prompt":"!say me","concurrent":true}"#,
        r#"!mcp delegate {"run":"01890000-0000-7000-8000-000000000000"}"#,
        "!mcp delegate {}",
    ];
    let run = face.done(&prompt.join("\n"), json!({"instance": "cap"}));
    let said = face.output(&run, |_| true);
    let [built, me, nowhere, nothing] = &calls(&said)[..] else {
        panic!("{said}")
    };
    assert_eq!(built["body"]["state"], "succeeded", "{built}");
    assert_eq!(
        built["body"]["conclusion"]["summary"], "it is built",
        "{built}"
    );
    assert!(
        built["text"].as_str().unwrap().contains("it is built"),
        "{built}"
    );
    let child = job
        .rpc()
        .result("run.get", &json!({"id": built["body"]["run"]}));
    assert_eq!(
        (&child["parent"], &child["depth"]),
        (&run["id"], &json!(1)),
        "{child}"
    );
    assert_eq!(
        (&me["failed"], &me["body"]["kind"]),
        (&json!(true), &json!("forbidden")),
        "{me}"
    );
    assert_eq!(nowhere["body"]["kind"], "not_found", "{nowhere}");
    assert_eq!(nothing["body"]["kind"], "required_field", "{nothing}");
}

#[test]
fn it_goes_on_with_what_it_began_and_with_nothing_else() {
    let job = Job::new();
    let mut face = job.face();
    let project = job.project.to_str().unwrap();
    for (name, role) in [("cap", "captain"), ("tal", "talon")] {
        face.tool("instance_create", &json!({"name": name, "role": role, "project": project, "parent": (role == "talon").then_some("cap")}));
    }
    let others = face.done("!say of a person", json!({"instance": "tal"}));
    let begin = r#"!mcp delegate {"instance":"tal","prompt":"!say it is built","concurrent":true}"#;
    let first = face.done(begin, json!({"instance": "cap"}));
    let said = face.output(&first, |_| true);
    let child = calls(&said)[0]["body"]["run"].as_str().unwrap().to_owned();
    let others = others["id"].as_str().unwrap();
    let own = first["id"].as_str().unwrap();
    let follow = |id: &str, more: &str| {
        format!(
            r#"!mcp delegate {{"previous":"{id}","prompt":"!say and painted","concurrent":true{more}}}"#
        )
    };
    let prompt = [
        follow(&child, ""),
        follow(others, ""),
        follow(own, ""),
        follow("01890000-0000-7000-8000-000000000000", ""),
        follow("nonsense", ""),
        format!(r#"!mcp delegate {{"previous":"{child}","run":"{child}"}}"#),
        follow(&child, r#","persona":"scribe""#),
    ];
    // In the captain's own conversation, which goes on.
    let run = face.done(&prompt.join("\n"), json!({"previous": own}));
    let said = face.output(&run, |_| true);
    let [next, theirs, itself, nowhere, nonsense, both, changed] = &calls(&said)[..] else {
        panic!("{said}")
    };
    assert_eq!(
        next["body"]["conclusion"]["summary"], "and painted",
        "{next}"
    );
    let mut rpc = job.rpc();
    let id = json!({"id": next["body"]["run"]});
    let (before, after) = (
        rpc.result("run.get", &json!({"id": child})),
        rpc.result("run.get", &id),
    );
    assert_eq!(after["session"], before["session"], "{after}");
    assert_eq!(after["previous"], before["id"], "{after}");
    assert_eq!(after["parent"], run["id"], "{after}");
    for (refused, kind) in [
        (theirs, "forbidden"),
        (itself, "forbidden"),
        (nowhere, "forbidden"),
        (nonsense, "not_found"),
        (both, "invalid_params"),
        (changed, "invalid_params"),
    ] {
        assert_eq!(refused["failed"], true, "{refused}");
        assert_eq!(refused["body"]["kind"], kind, "{refused}");
    }
    assert_eq!(theirs["body"]["field"], "previous", "{theirs}");
}

#[test]
fn a_slip_in_a_report_is_taught() {
    let job = Job::new();
    let mut face = job.face();
    let prompt = [
        "!mcp conclude {}",
        r#"!mcp conclude {"status":"done","summary":"x"}"#,
        r#"!mcp conclude {"status":"success","summary":"x","confidence":7}"#,
        r#"!mcp concluded {"status":"success","summary":"x"}"#,
        r#"!mcp delegate {"prompt":"x"}"#,
    ]
    .join("\n");
    let said = output(&mut face, &prompt, json!({}));
    let [empty, word, sure, name, delegate] = &calls(&said)[..] else {
        panic!("{said}")
    };
    assert_eq!(empty["body"]["kind"], "required_field");
    assert!(word["text"].as_str().unwrap().contains("success, partial"));
    assert!(sure["text"].as_str().unwrap().contains("0 to 1"));
    assert!(name["error"].to_string().contains("conclude"));
    assert!(delegate["error"].to_string().contains("unknown tool"));
}

#[test]
fn a_token_is_worth_nothing_between_two_runs_and_to_another_agent() {
    let job = Job::new();
    let mut face = job.face();
    job.agent("other", &["--name", "other"], "");
    let token = job.nest.root().join("token");
    let token = token.display();
    output(&mut face, &format!("!mcp-servers {token}"), json!({}));
    // Below the same agent, between two runs of the session.
    let as_it = format!("!mcp-as {token} {REPORT}");
    let said = output(&mut face, &as_it, json!({}));
    refused(&calls(&said)[0], "no run of this session");
    // Below another agent, while its session is worked on.
    let long = face.delegate(&format!("!mcp-servers {token}\n!sleep 60000"), json!({}));
    face.running(&long);
    face.output(&long, |said| said.contains("eyas_"));
    let run = face.done(&as_it, json!({"agent": "other", "concurrent": true}));
    let said = face.output(&run, |_| true);
    refused(&calls(&said)[0], "not the caller's");
    face.tool("run_cancel", &json!({"id": long["id"]}));
    assert_ne!(face.finished(&long)["conclusion"]["source"], "tool");
}

#[test]
fn garbage_is_no_token() {
    let job = Job::new();
    let mut face = job.face();
    let token = job.nest.root().join("token");
    for garbage in ["", "x", "eyst_0000", "\u{1f600}"] {
        fs::write(&token, garbage).unwrap();
        let said = output(
            &mut face,
            &format!("!mcp-as {} {REPORT}", token.display()),
            json!({}),
        );
        let call = &calls(&said)[0];
        if garbage.is_empty() {
            assert_eq!(call["error"], "the server has ended", "{call}");
        } else {
            refused(call, "not the caller's");
        }
    }
}

#[test]
fn a_token_is_written_nowhere() {
    let job = Job::with(&[("EYAS_LOG", "trace")]);
    let mut face = job.face();
    let file = job.nest.root().join("token");
    let prompt = format!(
        "!mcp-servers {}\n!mcp {REPORT}\n!run cat {}\n!sleep 60000",
        file.display(),
        file.display()
    );
    let run = face.delegate(&prompt, json!({}));
    face.output(&run, |said| said.contains("conclude"));
    let token = fs::read_to_string(&file).unwrap();
    assert!(token.starts_with("eyst_") && token.len() == 69, "{token}");
    for pid in job.processes() {
        let argv = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!holds(&argv, &token), "process {pid}");
    }
    face.tool("run_cancel", &json!({"id": run["id"]}));
    face.finished(&run);
    drop(face);
    for path in files(&job.nest.home) {
        let bytes = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().find(|line| line.contains(&token));
        let begins = line.map(|line| line.chars().take(200).collect::<String>());
        assert_eq!(begins, None, "{}", path.display());
    }
    let logged =
        |path: &Path| fs::read_to_string(path).is_ok_and(|log| log.contains("session/new"));
    let log = job.nest.home.join("logs/hub.log");
    assert!(logged(&log), "the log says what went on");
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}
