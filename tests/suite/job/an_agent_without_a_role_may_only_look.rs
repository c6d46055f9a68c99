use super::kit::Job;
use crate::hub::nest::until;
use serde_json::{Value, json};

fn calls() -> [(&'static str, Value, bool); 14] {
    [
        ("run.list", json!({}), true),
        ("project.list", json!({}), true),
        ("hub.info", json!({}), true),
        ("run.delegate", json!({"prompt": "!say x"}), false),
        ("instance.create", json!({"name": "mole"}), false),
        ("project.register", json!({"path": "/tmp"}), false),
        ("project.init", json!({"project": "project"}), false),
        ("project.trust", json!({"project": "project"}), false),
        ("project.activate", json!({"project": "project"}), false),
        ("project.deactivate", json!({}), false),
        ("project.stop", json!({"project": "project"}), false),
        (
            "persona.create",
            json!({"id": "mole", "name": "Mole"}),
            false,
        ),
        ("hub.shutdown", json!({"now": true}), false),
        (
            "run.cancel",
            json!({"id": "01890000-0000-7000-8000-000000000000"}),
            false,
        ),
    ]
}

/// A shell command that puts all calls to `eyas rpc` of this home.
fn asking(job: &Job) -> String {
    let lines = calls()
        .into_iter()
        .enumerate()
        .map(|(id, (method, params, _))| {
            format!(
                "'{}'",
                json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
            )
        });
    let lines: Vec<_> = lines.collect();
    let home = job.nest.home.display();
    format!(
        "printf '%s\\n' {} | EYAS_HOME={home} {} rpc",
        lines.join(" "),
        env!("CARGO_BIN_EXE_eyas")
    )
}

fn checked(said: &str) {
    let answers: Vec<Value> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    for (id, (method, _, may)) in calls().into_iter().enumerate() {
        let answer = answers.iter().find(|answer| answer["id"] == id);
        let answer = answer.unwrap_or_else(|| panic!("{method}: {said}"));
        if may {
            assert!(answer["result"].is_object(), "{method}: {answer}");
        } else {
            assert_eq!(
                answer["error"]["data"]["kind"], "forbidden",
                "{method}: {answer}"
            );
        }
    }
}

#[test]
fn from_a_child_of_its_turn() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.done(&format!("!run {}", asking(&job)), json!({}));
    let output = face.output(&run, |said| said.contains("\"id\":8"));
    checked(&output);
    let all = job.rpc().result("run.list", &json!({}));
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
}

#[test]
fn by_the_command_line_and_as_an_editor() {
    let job = Job::new();
    let mut face = job.face();
    let (home, eyas) = (job.nest.home.display(), env!("CARGO_BIN_EXE_eyas"));
    let said = face.said(
        &format!("!run EYAS_HOME={home} {eyas} delegate '!say x'; echo code $?"),
        json!({}),
    );
    assert!(
        said.contains("forbidden") && said.contains("code 1"),
        "{said}"
    );
    let meta = "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}}";
    let call = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{{meta},\"name\":\"delegate\",\"arguments\":{{\"prompt\":\"x\"}}}}}}"
    );
    let said = face.said(
        &format!("!run echo '{call}' | EYAS_HOME={home} {eyas} mcp"),
        json!({}),
    );
    assert!(said.contains("forbidden"), "{said}");
    let said = face.said(
        &format!("!run EYAS_HOME={home} {eyas} delegate --in-process '!say x'"),
        json!({}),
    );
    assert!(said.contains("busy"), "{said}");
}

#[test]
fn from_a_process_that_left_its_session_and_outlives_its_turn() {
    let job = Job::new();
    let mut face = job.face();
    let gate = job.nest.root().join("gate");
    let out = job.nest.root().join("out");
    let script = job.nest.root().join("mole.sh");
    let text = format!(
        "while [ ! -e {} ]; do sleep 0.02; done\n({}) > {}.new\nmv {}.new {}\n",
        gate.display(),
        asking(&job),
        out.display(),
        out.display(),
        out.display()
    );
    std::fs::write(&script, text).unwrap();
    let detach = format!("!run (setsid sh {} >/dev/null 2>&1 &)", script.display());
    assert_eq!(face.done(&detach, json!({}))["state"], "succeeded");
    std::fs::write(&gate, "").unwrap();
    until("the answers", || out.exists().then_some(()));
    checked(&std::fs::read_to_string(&out).unwrap());
}

#[test]
fn before_it_has_said_hello() {
    let job = Job::new();
    let out = job.nest.root().join("out");
    let script = job.nest.root().join("early.sh");
    let text = format!(
        "({}) > {}\nexec {}\n",
        asking(&job),
        out.display(),
        super::kit::FAKE
    );
    std::fs::write(&script, text).unwrap();
    let text = format!(
        "[launch]\ncommand = \"sh\"\nargs = [{:?}]\n",
        script.to_str().unwrap()
    );
    std::fs::write(job.nest.home.join("agents/early.toml"), text).unwrap();
    let mut face = job.face();
    for mode in ["cold", "auto"] {
        assert_eq!(
            face.said("!say on", json!({"agent": "early", "mode": mode})),
            "on"
        );
        checked(&std::fs::read_to_string(&out).unwrap());
        std::fs::remove_file(&out).unwrap();
    }
}
