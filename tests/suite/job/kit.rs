//! What the tests of the whole job share: a home with the fake agent in it, a project, and faces that live as long as a test wants.

use crate::hub::nest::{Nest, PATIENCE, kill, until};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

pub(super) const FAKE: &str = env!("CARGO_BIN_EXE_fake-agent");

/// Longer than any step of an agent or a hub takes on a busy machine.
pub(super) const LONG: Duration = Duration::from_mins(1);

/// A home whose default agent is the fake one, and a project.
pub(super) struct Job {
    pub(super) nest: Nest,
    pub(super) project: PathBuf,
}

impl Job {
    pub(super) fn new() -> Self {
        Self::with(&[])
    }

    /// A home whose every process sees these variables.
    pub(super) fn with(vars: &[(&str, &str)]) -> Self {
        let nest = vars
            .iter()
            .fold(Nest::new(), |nest, (name, value)| nest.with(name, *value));
        let project = nest.root().join("project");
        fs::create_dir_all(&project).unwrap();
        fs::create_dir_all(nest.home.join("agents")).unwrap();
        fs::write(nest.home.join("config.toml"), "agent.default = \"fake\"\n").unwrap();
        let job = Self { nest, project };
        job.agent("fake", &[], "");
        job
    }

    /// Defines an agent of these arguments; `more` is the rest of its definition.
    pub(super) fn agent(&self, id: &str, args: &[&str], more: &str) {
        self.define(id, FAKE, &args.join("\u{1f}"), more);
    }

    /// Defines an agent whose first process has these arguments and whose others have none.
    pub(super) fn odd_once(&self, id: &str, args: &str, more: &str) {
        let mark = self.nest.root().join(format!("{id}.was-odd"));
        let mark = mark.display();
        let script = format!("[ -e {mark} ] && exec {FAKE}; echo odd > {mark}; exec {FAKE} {args}");
        self.define(id, "sh", &format!("-c\u{1f}{script}"), more);
    }

    fn define(&self, id: &str, command: &str, args: &str, more: &str) {
        let args: Vec<&str> = args.split('\u{1f}').filter(|arg| !arg.is_empty()).collect();
        let text =
            format!("id = \"{id}\"\n[launch]\ncommand = {command:?}\nargs = {args:?}\n{more}\n");
        fs::write(self.nest.home.join(format!("agents/{id}.toml")), text).unwrap();
    }

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.nest.root().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// A greeted `eyas mcp` in the project.
    pub(super) fn face(&self) -> Face {
        self.face_with(&[])
    }

    /// The same, with these variables too.
    pub(super) fn face_with(&self, vars: &[(&str, &str)]) -> Face {
        let mut face = self.ungreeted(vars);
        face.greet();
        face
    }

    /// `eyas mcp` that has not been told anything yet.
    pub(super) fn ungreeted(&self, vars: &[(&str, &str)]) -> Face {
        let mut command = self.nest.eyas(&["mcp"]);
        command
            .current_dir(&self.project)
            .envs(vars.iter().copied());
        Face::start(command)
    }

    /// `eyas rpc` in the project.
    pub(super) fn rpc(&self) -> Face {
        self.rpc_in(&self.project, &[])
    }

    /// `eyas rpc` in a folder, with more arguments.
    pub(super) fn rpc_in(&self, folder: &Path, more: &[&str]) -> Face {
        let mut command = self.nest.eyas(&[&["rpc"], more].concat());
        command.current_dir(folder);
        Face::start(command)
    }

    /// `eyas rpc` in the project, with these variables too; a hub that it starts has them as well.
    pub(super) fn rpc_with(&self, vars: &[(&str, &str)]) -> Face {
        let mut command = self.nest.eyas(&["rpc"]);
        command
            .current_dir(&self.project)
            .envs(vars.iter().copied());
        Face::start(command)
    }

    /// The pid of the hub there is.
    pub(super) fn hub(&self) -> u32 {
        self.nest.endpoint().expect("a hub is there").pid
    }

    pub(super) fn kill_hub(&self) -> u32 {
        let hub = self.hub();
        kill(hub);
        until("the end of the hub", || (!alive(hub)).then_some(()));
        hub
    }

    /// Every living process of this home: whatever we start has the test's own folder in its environment.
    pub(super) fn processes(&self) -> Vec<u32> {
        let mark = self.nest.root().as_os_str().as_encoded_bytes().to_vec();
        let pids = fs::read_dir("/proc").unwrap().flatten();
        pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| *pid != std::process::id() && alive(*pid))
            .filter(|pid| {
                let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environ.windows(mark.len()).any(|part| part == mark)
            })
            .collect()
    }

    /// Nothing of this home lives any more, five seconds from now at the latest.
    pub(super) fn nothing_is_left(&self) {
        let begun = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            let whole = left
                .iter()
                .map(|pid| fs::read_to_string(format!("/proc/{pid}/cmdline")));
            let whole: Vec<_> = whole.flatten().collect();
            assert!(
                begun.elapsed() < Duration::from_secs(5),
                "{left:?}: {whole:?}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether a process is there, and no corpse.
pub(super) fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, Some('Z' | 'X')))
}

/// A face that is spoken to in lines.
pub(super) struct Face {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    early: Vec<Value>,
    last: i64,
}

impl Face {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines.map_while(|line| send.send(line).ok()).count()
        });
        let mut stderr = child.stderr.take().unwrap();
        thread::spawn(move || drop(std::io::copy(&mut stderr, &mut std::io::stderr())));
        Self {
            input: child.stdin.take(),
            child,
            lines,
            early: Vec::new(),
            last: 0,
        }
    }

    fn greet(&mut self) {
        self.greet_as(&json!({}));
    }

    /// Shakes hands as a client that can do this.
    pub(super) fn greet_as(&mut self, capabilities: &Value) {
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": capabilities,
            "clientInfo": {"name": "test", "version": "1"},
        });
        assert!(self.ask("initialize", &params)["result"].is_object());
        self.write("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
    }

    /// Writes as it is; a face that has ended already says why by its answers.
    pub(super) fn write(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        drop(
            input
                .write_all(text.as_bytes())
                .and_then(|()| input.flush()),
        );
    }

    /// The next message that is no answer waited for before.
    pub(super) fn hear(&mut self) -> Value {
        let line = self
            .lines
            .recv_timeout(LONG)
            .expect("the face says something");
        serde_json::from_str(&line).expect("nothing but JSON")
    }

    pub(super) fn send(&mut self, method: &str, params: &Value) -> i64 {
        self.last += 1;
        let id = self.last;
        self.write(&format!(
            "{}\n",
            json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        ));
        id
    }

    pub(super) fn answer(&mut self, id: i64) -> Value {
        if let Some(at) = self.early.iter().position(|early| early["id"] == id) {
            return self.early.remove(at);
        }
        loop {
            let message = self.hear();
            if message["id"] == id {
                return message;
            }
            self.early.push(message);
        }
    }

    /// The next notification of this name, its parameters.
    pub(super) fn told(&mut self, method: &str) -> Value {
        if let Some(at) = self
            .early
            .iter()
            .position(|early| early["method"] == method)
        {
            return self.early.remove(at)["params"].take();
        }
        loop {
            let mut message = self.hear();
            if message["method"] == method {
                return message["params"].take();
            }
            self.early.push(message);
        }
    }

    pub(super) fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    /// The result of a call of the API.
    pub(super) fn result(&mut self, method: &str, params: &Value) -> Value {
        let mut answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// What a call of the API is refused with.
    pub(super) fn refusal(&mut self, method: &str, params: &Value) -> Value {
        let mut answer = self.ask(method, params);
        assert!(answer.get("result").is_none(), "{method}: {answer}");
        answer["error"]["data"].take()
    }

    /// Leaves a tool's call open.
    pub(super) fn begin(&mut self, tool: &str, arguments: &Value) -> i64 {
        self.send("tools/call", &json!({"name": tool, "arguments": arguments}))
    }

    /// What a tool answers, in good or in bad.
    pub(super) fn tool(&mut self, tool: &str, arguments: &Value) -> Value {
        let id = self.begin(tool, arguments);
        let mut answer = self.answer(id);
        assert!(answer.get("error").is_none(), "{tool}: {answer}");
        answer["result"]["structuredContent"].take()
    }

    /// A run delegated by a call of the API, once it has ended, with its attempts.
    pub(super) fn ran(&mut self, params: &Value) -> Value {
        let run = self.result("run.delegate", params);
        let begun = Instant::now();
        loop {
            let asked = json!({"id": run["id"], "wait_ms": 20_000});
            let mut now = self.result("run.wait", &asked);
            if is_over(&now) {
                now["attempts"] =
                    self.result("run.attempts", &json!({"id": run["id"]}))["items"].take();
                return now;
            }
            assert!(begun.elapsed() < LONG, "{now}");
        }
    }

    /// Delegates and answers at once.
    pub(super) fn delegate(&mut self, prompt: &str, mut more: Value) -> Value {
        more["prompt"] = prompt.into();
        more["wait_ms"] = json!(0);
        let run = self.tool("delegate", &more);
        assert!(run["id"].is_string(), "{run}");
        run
    }

    /// A run of this id when it has ended.
    pub(super) fn finished(&mut self, run: &Value) -> Value {
        let begun = Instant::now();
        loop {
            let run = self.tool(
                "run_get",
                &json!({"id": run["id"], "include": ["attempts"]}),
            );
            if is_over(&run) {
                return run;
            }
            assert!(begun.elapsed() < LONG, "{run}");
        }
    }

    /// Delegates and waits for the end.
    pub(super) fn done(&mut self, prompt: &str, more: Value) -> Value {
        let run = self.delegate(prompt, more);
        self.finished(&run)
    }

    /// What the agent says to this.
    pub(super) fn said(&mut self, prompt: &str, more: Value) -> String {
        let run = self.done(prompt, more);
        assert_eq!(run["state"], "succeeded", "{run}");
        summary(&run).to_owned()
    }

    /// The run as it is now.
    pub(super) fn now(&mut self, run: &Value) -> Value {
        self.tool("run_get", &json!({"id": run["id"], "wait_ms": 0}))
    }

    /// The run once it is as it should be.
    pub(super) fn once(&mut self, run: &Value, is: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let now = self.now(run);
            if is(&now) {
                return now;
            }
            assert!(begun.elapsed() < PATIENCE, "{now}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(super) fn running(&mut self, run: &Value) -> Value {
        self.once(run, |run| run["state"] == "running")
    }

    /// What the agent has said in a run that goes on, once it is as it should be.
    pub(super) fn output(&mut self, run: &Value, is: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let more = json!({"id": run["id"], "wait_ms": 0, "include": ["output"]});
            let now = self.tool("run_get", &more);
            let output = now["output"].as_str().unwrap_or_default();
            if is(output) {
                return output.to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "{now}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL.
    pub(super) fn kill(mut self) {
        self.end();
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and everything whole that it has said and nobody has waited for.
    pub(super) fn last_words(mut self) -> Vec<Value> {
        self.end();
        let mut words = std::mem::take(&mut self.early);
        let lines = std::iter::from_fn(|| self.lines.recv_timeout(LONG).ok());
        // It may have died within a line.
        words.extend(lines.filter_map(|line| serde_json::from_str(&line).ok()));
        words
    }

    /// Ends as an editor ends its servers.
    pub(super) fn close(mut self) {
        drop(self.input.take());
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "the face goes on");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn end(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        self.end();
    }
}

pub(super) fn is_over(run: &Value) -> bool {
    ["succeeded", "failed", "cancelled", "timed_out"]
        .iter()
        .any(|state| run["state"] == *state)
}

pub(super) fn summary(run: &Value) -> &str {
    run["conclusion"]["summary"]
        .as_str()
        .unwrap_or_else(|| panic!("{run}"))
}

/// The pid of the last attempt's agent.
pub(super) fn agent_pid(run: &Value) -> u64 {
    let attempts = run["attempts"]
        .as_array()
        .unwrap_or_else(|| panic!("{run}"));
    attempts.last().unwrap()["pid"]
        .as_u64()
        .unwrap_or_else(|| panic!("{run}"))
}

/// Every file below a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
    let files = entries.filter(|entry| entry.file_type().is_file());
    files.map(walkdir::DirEntry::into_path).collect()
}
