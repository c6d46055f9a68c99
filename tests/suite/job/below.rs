//! What an agent's shell asks of the hub.

use super::kit::Job;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A script that a fake agent runs; what it prints is what the agent says.
pub(super) struct Script<'a> {
    job: &'a Job,
    text: String,
}

impl<'a> Script<'a> {
    pub(super) fn new(job: &'a Job) -> Self {
        let text = "first() { grep -o '\"id\":\"[^\"]*\"' | head -n 1 | cut -d'\"' -f4; }\n";
        Self {
            job,
            text: text.to_owned(),
        }
    }

    /// Puts a call and prints its answer in a line.
    pub(super) fn call(self, method: &str, params: &Value) -> Self {
        let call = self.rpc(method, params);
        self.line(&call)
    }

    /// Puts a call and keeps the id of what is answered in a variable of the shell.
    pub(super) fn keep(self, name: &str, method: &str, params: &Value) -> Self {
        let call = self.rpc(method, params);
        self.line(&format!("said=$({call})"))
            .line("printf '%s\\n' \"$said\"")
            .line(&format!("{name}=$(printf '%s\\n' \"$said\" | first)"))
    }

    pub(super) fn line(mut self, line: &str) -> Self {
        writeln!(self.text, "{line}").unwrap();
        self
    }

    /// Waits for the end of the run whose id a variable holds, and prints it as an answer.
    pub(super) fn wait(self, name: &str) -> Self {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "run.wait",
            "params": {"id": "%s", "wait_ms": 45_000}});
        let line = format!("printf '{call}\\n' \"${name}\" | {} rpc", self.eyas());
        self.line(&line)
    }

    /// The prompt that makes the fake agent run it.
    pub(super) fn prompt(self, name: &str) -> String {
        let path = self.job.nest.root().join(format!("{name}.sh"));
        std::fs::write(&path, self.text).unwrap();
        format!("!run sh {}", path.display())
    }

    pub(super) fn eyas(&self) -> String {
        let home = self.job.nest.home.display();
        format!("EYAS_HOME={home} {}", env!("CARGO_BIN_EXE_eyas"))
    }

    fn rpc(&self, method: &str, params: &Value) -> String {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        assert!(!call.to_string().contains('\''), "{call}");
        format!("printf '%s\\n' '{call}' | {} rpc", self.eyas())
    }
}

/// The answers among what was said, in order.
pub(super) fn answers(said: &str) -> Vec<Value> {
    let lines = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.filter(|line: &Value| line.is_object()).collect()
}

/// What was refused, of one answer.
pub(super) fn kind(answer: &Value) -> &str {
    answer["error"]["data"]["kind"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}
