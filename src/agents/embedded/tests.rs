//! The surveyor as a client sees it, over a pipe.

use super::serve_over;
use serde_json::{Value, json};
use std::{fs, path::Path, time::Duration};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf,
        WriteHalf,
    },
    task::JoinHandle,
    time::timeout,
};

struct Client {
    to: WriteHalf<DuplexStream>,
    from: Lines<BufReader<ReadHalf<DuplexStream>>>,
    served: JoinHandle<Result<(), crate::domain::fault::Fault>>,
    next: u64,
}

impl Client {
    fn start() -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (incoming, outgoing) = tokio::io::split(theirs);
        let (from, to) = tokio::io::split(ours);
        Self {
            to,
            from: BufReader::new(from).lines(),
            served: tokio::spawn(serve_over(incoming, outgoing)),
            next: 0,
        }
    }

    async fn send(&mut self, message: Value) {
        self.to
            .write_all(format!("{message}\n").as_bytes())
            .await
            .unwrap();
    }

    async fn ask(&mut self, method: &str, params: Value) -> u64 {
        self.next += 1;
        let id = self.next;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await;
        id
    }

    async fn read(&mut self) -> Option<Value> {
        let line = timeout(Duration::from_secs(20), self.from.next_line())
            .await
            .expect("in time")
            .unwrap()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// The answer to a request, and the updates before it.
    async fn answer(&mut self, id: u64) -> (Value, Vec<Value>) {
        let mut updates = Vec::new();
        loop {
            let message = self.read().await.expect("an answer");
            if message["id"] == id {
                return (message, updates);
            }
            updates.push(message["params"]["update"].clone());
        }
    }

    /// The dispatch of the library answers nothing before this.
    async fn greet(&mut self) -> Value {
        let params = json!({"protocolVersion": 1, "clientCapabilities": {}});
        let id = self.ask("initialize", params).await;
        self.answer(id).await.0
    }

    async fn open(&mut self, cwd: &Path) -> String {
        let id = self
            .ask("session/new", json!({"cwd": cwd, "mcpServers": []}))
            .await;
        let (answer, _) = self.answer(id).await;
        answer["result"]["sessionId"].as_str().unwrap().to_owned()
    }

    async fn prompt(&mut self, session: &str, text: &str) -> u64 {
        let prompt = json!([{"type": "text", "text": text}]);
        self.ask(
            "session/prompt",
            json!({"sessionId": session, "prompt": prompt}),
        )
        .await
    }
}

fn text(updates: &[Value]) -> String {
    updates
        .iter()
        .filter(|u| u["sessionUpdate"] == "agent_message_chunk")
        .filter_map(|u| u["content"]["text"].as_str())
        .collect()
}

fn project(files: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for index in 0..files {
        let folder = dir.path().join(format!("d{}", index % 50));
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join(format!("f{index}.rs")),
            "fn hawk() {}\n".repeat(50),
        )
        .unwrap();
    }
    dir
}

#[tokio::test]
async fn a_session_from_its_start_to_its_end() {
    let dir = project(3);
    let mut client = Client::start();
    let hello = client.greet().await;
    assert_eq!(hello["result"]["protocolVersion"], 1);
    assert!(hello["result"]["agentCapabilities"]["sessionCapabilities"]["close"].is_object());

    let session = client.open(dir.path()).await;
    let persona = "<eyas:persona>\nYou are Hawk Eye, a reviewer.\nsaffron\n</eyas:persona>\n";
    let id = client
        .prompt(&session, &format!("{persona}Where is hawk?"))
        .await;
    let (answer, updates) = client.answer(id).await;
    assert_eq!(answer["result"]["stopReason"], "end_turn");
    let said = text(&updates);
    assert!(
        said.contains("Working as Hawk Eye")
            && said.contains("`hawk`")
            && !said.contains("saffron")
    );
    assert!(said.trim_end().ends_with("</eyas:conclusion>"));
    let calls: Vec<&Value> = updates
        .iter()
        .filter(|u| u["sessionUpdate"] == "tool_call")
        .collect();
    assert_eq!(calls.len(), 3);
    assert_eq!(
        (&calls[0]["kind"], &calls[1]["kind"]),
        (&json!("search"), &json!("read"))
    );

    // The persona stays with its session, and the next prompt may follow at once.
    let id = client.prompt(&session, "List the TODOs").await;
    let (answer, updates) = client.answer(id).await;
    assert_eq!(answer["result"]["stopReason"], "end_turn");
    assert!(text(&updates).contains("Working as Hawk Eye"));

    let id = client
        .ask("session/close", json!({"sessionId": session}))
        .await;
    assert!(client.answer(id).await.0["result"].is_object());
    let id = client.prompt(&session, "hawk").await;
    assert_eq!(client.answer(id).await.0["error"]["code"], -32002);
    let id = client
        .ask("session/new", json!({"cwd": "relative", "mcpServers": []}))
        .await;
    assert_eq!(client.answer(id).await.0["error"]["code"], -32602);
    let id = client.ask("session/unheard_of", json!({})).await;
    assert_eq!(client.answer(id).await.0["error"]["code"], -32601);
    end(client).await;
}

#[tokio::test]
async fn cancel_is_seen_while_a_turn_runs_and_the_session_goes_on() {
    let dir = project(4000);
    let mut client = Client::start();
    client.greet().await;
    let session = client.open(dir.path()).await;
    let other = client.open(dir.path()).await;
    let id = client.prompt(&session, "hawk").await;
    let busy = client.prompt(&session, "hawk").await;
    client
        .send(
            json!({"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": session}}),
        )
        .await;
    let beside = client.prompt(&other, "hawk").await;
    let mut answers = std::collections::BTreeMap::new();
    while answers.len() < 3 {
        let message = client.read().await.unwrap();
        if let Some(id) = message["id"].as_u64() {
            answers.insert(id, message);
        }
    }
    assert_eq!(answers[&id]["result"]["stopReason"], "cancelled");
    assert_eq!(answers[&busy]["error"]["code"], -32600);
    assert_eq!(answers[&beside]["result"]["stopReason"], "end_turn");

    let id = client.prompt(&session, "hawk").await;
    client
        .send(json!({"jsonrpc": "2.0", "method": "$/cancel_request", "params": {"requestId": id}}))
        .await;
    assert_eq!(
        client.answer(id).await.0["result"]["stopReason"],
        "cancelled"
    );
    end(client).await;
}

#[tokio::test]
async fn the_end_of_stdin_ends_it_even_mid_turn() {
    let dir = project(4000);
    let mut client = Client::start();
    client.greet().await;
    let session = client.open(dir.path()).await;
    client.prompt(&session, "hawk").await;
    end(client).await;
}

#[tokio::test]
async fn the_end_of_stdin_ends_it_before_a_word_was_said() {
    end(Client::start()).await;
}

async fn end(mut client: Client) {
    client.to.shutdown().await.unwrap();
    // Its last words are read, as a full pipe would hold it.
    while client.read().await.is_some() {}
    let served = timeout(Duration::from_secs(2), client.served).await;
    served.expect("in time").unwrap().unwrap();
}
