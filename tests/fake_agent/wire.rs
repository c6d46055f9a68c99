//! JSON-RPC lines on stdin and stdout.

use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
};

#[derive(Default)]
pub(crate) struct Wire {
    /// Where it serves; stdout otherwise.
    to: Option<Mutex<Box<dyn std::io::Write + Send>>>,
    /// Answers that nobody waits for.
    strays: Mutex<Vec<Value>>,
    next: AtomicU64,
    asked: Mutex<HashMap<u64, mpsc::Sender<Value>>>,
}

impl Wire {
    pub(crate) fn over(to: Box<dyn std::io::Write + Send>) -> Self {
        Self {
            to: Some(Mutex::new(to)),
            ..Self::default()
        }
    }

    pub(crate) fn send(&self, message: &Value) {
        let mut line = message.to_string();
        line.push('\n');
        self.raw(line.as_bytes());
    }

    /// A reader that is gone ends the agent by the end of its stdin.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        if let Some(to) = &self.to {
            let mut to = to.lock().unwrap();
            return drop(to.write_all(bytes).and_then(|()| to.flush()));
        }
        let mut out = std::io::stdout().lock();
        drop(out.write_all(bytes).and_then(|()| out.flush()));
    }

    pub(crate) fn answer(&self, id: &Value, result: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
    }

    pub(crate) fn refuse(&self, id: &Value, code: i64, message: &str) {
        self.send(
            &json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}),
        );
    }

    pub(crate) fn notify(&self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Asks the client and waits for its answer.
    pub(crate) fn ask(&self, method: &str, params: Value) -> Value {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (send, answered) = mpsc::channel();
        self.asked.lock().unwrap().insert(id, send);
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        answered.recv().unwrap_or(Value::Null)
    }

    /// Asks the client and does not wait.
    pub(crate) fn pose(&self, method: &str, params: Value) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    /// What was answered to questions that were only posed.
    pub(crate) fn strays(&self) -> Vec<Value> {
        self.strays.lock().unwrap().clone()
    }

    /// Takes in the client's answer to an earlier question.
    pub(crate) fn answered(&self, message: Value) {
        let asked = message["id"]
            .as_u64()
            .and_then(|id| self.asked.lock().unwrap().remove(&id));
        match asked {
            Some(asked) => drop(asked.send(message)),
            None => self.strays.lock().unwrap().push(message["result"].clone()),
        }
    }
}
