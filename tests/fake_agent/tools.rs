//! The MCP servers that a session was given: started when they are first used, spoken to over real pipes.

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

const TOKEN: &str = "EYAS_SESSION_TOKEN";

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Tools {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last: u64,
}

impl Tools {
    /// Starts it as `server` says, with another token if there is one, and shakes hands.
    pub(crate) fn start(server: &Value, token: Option<&str>) -> Option<Self> {
        let mut command = Command::new(server["command"].as_str()?);
        let args = server["args"].as_array().cloned().unwrap_or_default();
        command
            .args(args.iter().filter_map(Value::as_str))
            .env_clear();
        for pair in server["env"].as_array().into_iter().flatten() {
            command.env(pair["name"].as_str()?, pair["value"].as_str()?);
        }
        if let Some(token) = token {
            command.env(TOKEN, token);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut tools = Self {
            input: child.stdin.take()?,
            output: BufReader::new(child.stdout.take()?),
            child,
            last: 0,
        };
        // As real agents do: the newest revision is tried first.
        tools.ask(
            "server/discover",
            json!({"_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "fake-agent", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}}}),
        );
        tools.ask(
            "initialize",
            json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "fake-agent", "version": "1"}}),
        );
        tools.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        Some(tools)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Calls a tool, counting what is told meanwhile.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": "p"}});
        self.ask("tools/call", params)
    }

    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let mut told = 0;
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap_or(0) == 0 {
                return json!({"error": "the server has ended"});
            }
            let mut message: Value = serde_json::from_str(&line).unwrap_or_default();
            if message["id"] == id {
                message["told"] = json!(told);
                return message;
            }
            told += u64::from(message["method"] == "notifications/progress");
        }
    }

    fn send(&mut self, message: &Value) {
        drop(self.input.write_all(format!("{message}\n").as_bytes()));
    }
}

impl Drop for Tools {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The token among a server's variables.
pub(crate) fn token(server: &Value) -> Option<&str> {
    let mut env = server["env"].as_array()?.iter();
    env.find(|pair| pair["name"] == TOKEN)?["value"].as_str()
}
