//! The API over `eyas rpc`, as a script would use it.

use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

pub(crate) struct Rpc {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    next: u64,
    early: HashMap<u64, Value>,
}

impl Rpc {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("eyas starts");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Self {
            child,
            stdin,
            stdout,
            next: 0,
            early: HashMap::new(),
        }
    }

    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    pub(crate) fn send(&mut self, method: &str, params: &Value) -> u64 {
        self.next += 1;
        let line = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        let stdin = self.stdin.as_mut().expect("open");
        writeln!(stdin, "{line}").expect("eyas reads");
        self.next
    }

    /// The answer to a call, whenever it comes.
    pub(crate) fn answer(&mut self, id: u64) -> Value {
        loop {
            if let Some(answer) = self.early.remove(&id) {
                return answer;
            }
            let mut line = String::new();
            let read = self.stdout.read_line(&mut line).expect("eyas writes");
            assert_ne!(read, 0, "eyas ended");
            let message: Value = serde_json::from_str(&line).expect("JSON");
            assert!(message.get("error").is_none(), "{message}");
            if let Some(answered) = message["id"].as_u64() {
                self.early.insert(answered, message["result"].clone());
            }
        }
    }

    /// Delegates, and waits for a good end.
    pub(crate) fn delegate(&mut self, params: &Value) -> Value {
        let run = self.call("run.delegate", params);
        self.end(&run)
    }

    pub(crate) fn end(&mut self, run: &Value) -> Value {
        let ended = self.call("run.wait", &json!({"id": run["id"], "wait_ms": 45_000}));
        assert_eq!(ended["state"], "succeeded", "{ended}");
        ended
    }
}

impl Drop for Rpc {
    fn drop(&mut self) {
        drop(self.stdin.take());
        drop(self.child.wait());
    }
}
