//! An ACP agent that answers at once: what remains is Eyas' own share.

use serde_json::{Value, json};
use std::io::{BufRead as _, Write as _};

pub(crate) fn serve() {
    let mut out = std::io::stdout().lock();
    let mut sessions = 0;
    for line in std::io::stdin().lock().lines() {
        let Ok(message) = line
            .map_err(drop)
            .and_then(|line| serde_json::from_str::<Value>(&line).map_err(drop))
        else {
            return;
        };
        let result = match message["method"].as_str() {
            Some("initialize") => {
                json!({"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": {"close": {}}}, "agentInfo": {"name": "instant", "version": "1"}})
            }
            Some("session/new") => {
                sessions += 1;
                json!({"sessionId": format!("s{sessions}")})
            }
            Some("session/prompt") => {
                let update = json!({"jsonrpc": "2.0", "method": "session/update", "params": {
                    "sessionId": message["params"]["sessionId"],
                    "update": {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "done"}},
                }});
                if writeln!(out, "{update}").is_err() {
                    return;
                }
                json!({"stopReason": "end_turn"})
            }
            _ => json!({}),
        };
        if message.get("id").is_some() {
            let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
            if writeln!(out, "{answer}")
                .and_then(|()| out.flush())
                .is_err()
            {
                return;
            }
        }
    }
}
