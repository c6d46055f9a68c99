//! By whatever face a process below an agent comes, and wherever it was reparented to: it answers nothing, creates nothing, and delegates no
//! further than its agent may.

use super::kit::{Job, summary};
use crate::hub::nest::until;
use serde_json::{Value, json};
use std::fs;

/// A process of the agent's own, and one that left its session and its parents behind.
const WAYS: [&str; 2] = [
    "(sh SCRIPT >/dev/null 2>&1 &)",
    "(setsid sh -c 'setsid sh SCRIPT >/dev/null 2>&1 & exit 0' &)",
];

/// Calls that a process below an agent puts once they are told to it, while the agent's turn goes on.
struct Mole<'a>(&'a Job);

impl Mole<'_> {
    /// The command that makes an agent start it.
    fn start(&self, way: &str) -> String {
        let root = self.0.nest.root();
        let at = |name: &str| root.join(name).display().to_string();
        let script = format!(
            "while [ ! -e {gate} ]; do sleep 0.02; done\nsh {gate} > {out}.new 2>&1\nmv {out}.new {out}\n",
            gate = at("gate"),
            out = at("out")
        );
        fs::write(at("mole.sh"), script).unwrap();
        format!("!run {}", way.replace("SCRIPT", &at("mole.sh")))
    }

    /// Has it put calls, each by every face, and checks with what each of them is refused.
    fn refused(&self, calls: &[Deed], kind: &str) {
        let (home, eyas) = (self.0.nest.home.display(), env!("CARGO_BIN_EXE_eyas"));
        let eyas = format!("EYAS_HOME={home} {eyas}");
        let mut lines = Vec::new();
        let mut expected = Vec::new();
        for Deed { cli, rpc, mcp } in calls {
            for (line, kind) in [
                (format!("{eyas} {cli}"), kind),
                (format!("{eyas} {cli} --in-process"), "busy"),
                (format!("printf '%s\\n' '{}' | {eyas} rpc", call(rpc)), kind),
                (
                    format!("printf '%s\\n' '{}' | {eyas} rpc --in-process", call(rpc)),
                    "busy",
                ),
                (format!("printf '%s\\n' '{}' | {eyas} mcp", tool(mcp)), kind),
            ] {
                lines.push(format!("echo '== '\n{line}"));
                expected.push((line, kind));
            }
        }
        let root = self.0.nest.root();
        let (gate, new, out) = (root.join("gate"), root.join("gate.new"), root.join("out"));
        fs::write(&new, lines.join("\n")).unwrap();
        fs::rename(&new, &gate).unwrap();
        until("the answers", || out.exists().then_some(()));
        let said = fs::read_to_string(&out).unwrap();
        let answers: Vec<&str> = said.split("== \n").skip(1).collect();
        assert_eq!(answers.len(), expected.len(), "{said}");
        for (answer, (line, kind)) in answers.iter().zip(expected) {
            assert!(answer.contains(kind), "{line}: {answer}");
        }
    }
}

/// One thing to do, by the command line, the API and the tools.
struct Deed {
    cli: String,
    rpc: (&'static str, Value),
    mcp: (&'static str, Value),
}

fn call((method, params): &(&str, Value)) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

fn tool((name, arguments): &(&str, Value)) -> String {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"_meta": meta, "name": name, "arguments": arguments});
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string()
}

fn answer(run: &Value, request: &Value) -> Deed {
    let (id, asked) = (run["id"].as_str().unwrap(), request["id"].as_str().unwrap());
    Deed {
        cli: format!("run answer {id} {asked} --option yes"),
        rpc: (
            "run.answer",
            json!({"id": id, "request": asked, "option": "yes"}),
        ),
        mcp: (
            "run_input",
            json!({"id": id, "answer": {"request": asked, "option": "yes"}}),
        ),
    }
}

fn create() -> Deed {
    Deed {
        cli: "instance create mole".to_owned(),
        rpc: ("instance.create", json!({"name": "mole"})),
        mcp: ("instance_create", json!({"name": "mole"})),
    }
}

fn delegate() -> Deed {
    Deed {
        cli: "delegate \"say x\"".to_owned(),
        rpc: ("run.delegate", json!({"prompt": "say x"})),
        mcp: ("delegate", json!({"prompt": "say x"})),
    }
}

#[test]
fn it_neither_answers_itself_nor_creates_nor_delegates() {
    for way in WAYS {
        let job = Job::new();
        let mut face = job.face();
        let mole = Mole(&job);
        let prompt = format!(
            "{}\n!permission execute git push\n!say done",
            mole.start(way)
        );
        let run = face.delegate(&prompt, json!({}));
        let waiting = face.once(&run, |run| run["state"] == "input_required");
        let request = &waiting["requests"][0];
        mole.refused(&[answer(&run, request), create(), delegate()], "forbidden");
        let still = face.now(&run);
        assert_eq!(still["state"], "input_required", "{still}");
        assert_eq!(still["requests"][0]["id"], request["id"]);
        let mut rpc = job.rpc();
        let placed = rpc.result("instance.list", &json!({}));
        assert_eq!(placed["items"], json!([]));
        let runs = rpc.result("run.list", &json!({}));
        assert_eq!(runs["items"].as_array().unwrap().len(), 1);
        let no = json!({"id": run["id"], "request": request["id"], "option": "no"});
        rpc.result("run.answer", &no);
        assert_eq!(summary(&face.finished(&run)), "permission: no\ndone");
    }
}

#[test]
fn its_line_is_no_longer_by_another_face() {
    for way in WAYS {
        let job = Job::with(&[("EYAS_HIERARCHY_MAX_DEPTH", "0")]);
        let mut face = job.face();
        face.tool(
            "instance_create",
            &json!({"name": "cap", "role": "captain"}),
        );
        let mole = Mole(&job);
        let prompt = format!("{}\n!sleep 60000", mole.start(way));
        let run = face.delegate(&prompt, json!({"instance": "cap"}));
        face.running(&run);
        mole.refused(&[delegate()], "depth_exceeded");
        let mut rpc = job.rpc();
        let below = rpc.result("run.list", &json!({"parent": run["id"]}));
        assert_eq!(below["items"], json!([]));
        face.tool("run_cancel", &json!({"id": run["id"]}));
        face.finished(&run);
    }
}
