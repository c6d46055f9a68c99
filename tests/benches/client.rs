//! An MCP client that costs next to nothing: lines over pipes, many in flight.

use crate::home::Home;
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

pub(crate) struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    next: u64,
}

impl Client {
    /// A face of Eyas, initialized.
    pub(crate) fn face(home: &Home) -> Self {
        Self::start(home.eyas().arg("mcp").stderr(Stdio::null()))
    }

    /// Starts a server and initializes it.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stdin = child.stdin.take();
        let stdout = BufReader::with_capacity(1 << 20, child.stdout.take().expect("piped"));
        let mut client = Self {
            child,
            stdin,
            stdout,
            next: 0,
        };
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}});
        client.send("initialize", &hello);
        client.receive();
        client.write("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
        client
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// One tool call and its result.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.send("tools/call", &json!({"name": tool, "arguments": arguments}));
        let answer: Value = serde_json::from_str(&self.receive()).expect("JSON");
        answer["result"].clone()
    }

    /// Delegates to the instant agent, and waits for the end.
    pub(crate) fn delegate(&mut self, prompt: &str) -> Value {
        let arguments = json!({"prompt": prompt, "agent": "instant", "wait_ms": 30_000});
        self.call("delegate", &arguments)["structuredContent"].clone()
    }

    /// Calls a second with `in_flight` at once.
    pub(crate) fn rate(
        &mut self,
        tool: &str,
        arguments: &Value,
        calls: usize,
        in_flight: usize,
    ) -> f64 {
        let params = json!({"name": tool, "arguments": arguments});
        let begun = Instant::now();
        let mut sent = 0;
        for answered in 0..calls {
            while sent < calls && sent - answered < in_flight {
                self.send("tools/call", &params);
                sent += 1;
            }
            self.receive();
        }
        let calls = u32::try_from(calls).expect("a bench is finite");
        f64::from(calls) / begun.elapsed().as_secs_f64()
    }

    /// The median time of one call after the other.
    pub(crate) fn sequential(&mut self, tool: &str, arguments: &Value, calls: usize) -> Duration {
        let params = json!({"name": tool, "arguments": arguments});
        let mut taken: Vec<Duration> = (0..calls)
            .map(|_| {
                let begun = Instant::now();
                self.send("tools/call", &params);
                self.receive();
                begun.elapsed()
            })
            .collect();
        taken.sort_unstable();
        taken[calls / 2]
    }

    fn send(&mut self, method: &str, params: &Value) {
        self.next += 1;
        let line = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        self.write(&format!("{line}\n"));
    }

    fn write(&mut self, line: &str) {
        self.stdin
            .as_mut()
            .expect("open")
            .write_all(line.as_bytes())
            .expect("the server reads");
    }

    /// The next answer; notifications are passed over.
    fn receive(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.stdout.read_line(&mut line).expect("the server writes"),
                0,
                "the server ended"
            );
            if line.contains("\"id\":") {
                return line;
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.stdin.take());
        self.child.wait().expect("the server ends");
    }
}
