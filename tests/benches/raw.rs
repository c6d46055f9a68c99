//! An agent spoken to without Eyas: ACP lines over its pipes.

use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

pub(crate) struct Raw {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    next: u64,
}

impl Raw {
    /// Starts an agent and says hello.
    pub(crate) fn start(command: &[String], cwd: &Path) -> Self {
        Self::spawned(Command::new(&command[0]).args(&command[1..]), cwd)
    }

    /// The same, with nothing but this environment.
    pub(crate) fn start_in(command: &[String], cwd: &Path, env: &BTreeMap<String, String>) -> Self {
        let mut started = Command::new(&command[0]);
        started.args(&command[1..]).env_clear().envs(env);
        Self::spawned(started.stderr(Stdio::null()), cwd)
    }

    fn spawned(command: &mut Command, cwd: &Path) -> Self {
        let mut child = command
            .current_dir(cwd)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the agent starts");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut raw = Self {
            child,
            stdin,
            stdout,
            next: 0,
        };
        let hello = json!({"protocolVersion": 1, "clientCapabilities": {}, "clientInfo": {"name": "bench", "version": "1"}});
        raw.ask("initialize", &hello);
        raw
    }

    pub(crate) fn session(&mut self, cwd: &Path) -> String {
        let opened = self.ask("session/new", &json!({"cwd": cwd, "mcpServers": []}));
        opened["sessionId"].as_str().expect("a session").to_owned()
    }

    /// One whole turn.
    pub(crate) fn prompt(&mut self, session: &str, text: &str) {
        let prompt = json!({"sessionId": session, "prompt": [{"type": "text", "text": text}]});
        let end = self.ask("session/prompt", &prompt);
        assert_eq!(end["stopReason"], "end_turn", "{end}");
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let line = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        writeln!(self.stdin, "{line}").expect("the agent reads");
        loop {
            let mut line = String::new();
            let read = self.stdout.read_line(&mut line).expect("the agent writes");
            assert_ne!(read, 0, "the agent ended");
            let message: Value = serde_json::from_str(&line).expect("JSON");
            // What it asks of us has numbers of its own.
            if message["id"] == json!(self.next) && message["method"].is_null() {
                assert!(message["error"].is_null(), "{message}");
                return message["result"].clone();
            }
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A bench ends what it started; one that has ended is no fault.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
