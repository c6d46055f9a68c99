//! One client on a pipe: writes lines, reads lines.

use super::fake::Hub;
use eyas::{
    faces::mcp::{FaceContext, serve_over},
    hub::join::Connection,
};
use jsonrpsee::{
    RpcModule,
    server::{Server, ServerHandle, serve_with_graceful_shutdown, stop_channel},
    ws_client::WsClientBuilder,
};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf,
        WriteHalf,
    },
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes: a test that waits this long has failed.
const DEADLINE: Duration = Duration::from_secs(20);

/// A client on its pipe, and the hub behind the face.
pub(super) struct Pipe {
    pub(super) hub: Hub,
    pub(super) gone: CancellationToken,
    input: Option<WriteHalf<DuplexStream>>,
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    face: JoinHandle<ExitCode>,
    last: i64,
    _server: ServerHandle,
}

impl Pipe {
    /// A face in a folder that is no project.
    pub(super) async fn new() -> Self {
        Self::within(std::env::temp_dir(), None).await
    }

    /// A face in `cwd` of a person with `home`.
    pub(super) async fn within(cwd: PathBuf, home: Option<PathBuf>) -> Self {
        let hub = Hub::new();
        let (connection, server) = connect(hub.clone()).await;
        let (near, far) = tokio::io::duplex(1 << 20);
        let (face_input, face_output) = tokio::io::split(far);
        let (output, input) = tokio::io::split(near);
        let gone = CancellationToken::new();
        let context = FaceContext { cwd, home };
        let face = tokio::spawn(serve_over(
            connection,
            context,
            face_input,
            face_output,
            gone.clone(),
        ));
        Self {
            hub,
            gone,
            input: Some(input),
            lines: BufReader::new(output).lines(),
            face,
            last: 0,
            _server: server,
        }
    }

    /// A face that has shaken hands the old way.
    pub(super) async fn greeted() -> Self {
        let mut pipe = Self::new().await;
        pipe.greet().await;
        pipe
    }

    /// A face whose client can ask its person, as the session said.
    pub(super) async fn asking() -> Self {
        let mut pipe = Self::new().await;
        pipe.greet_as("2025-06-18", json!({"elicitation": {}}))
            .await;
        pipe
    }

    pub(super) async fn greet(&mut self) -> Value {
        self.greet_as("2025-06-18", json!({})).await
    }

    pub(super) async fn greet_as(&mut self, version: &str, capabilities: Value) -> Value {
        let params = json!({
            "protocolVersion": version,
            "capabilities": capabilities,
            "clientInfo": {"name": "test", "version": "1"},
        });
        let greeting = self.ask("initialize", params).await;
        self.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await;
        greeting["result"].clone()
    }

    /// Writes bytes as they are.
    pub(super) async fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).await.unwrap();
    }

    /// Writes a message as a line.
    pub(super) async fn say(&mut self, message: &Value) {
        self.write(format!("{message}\n").as_bytes()).await;
    }

    /// Sends a request and leaves it open; its id is answered.
    pub(super) async fn send(&mut self, method: &str, params: Value) -> i64 {
        self.last += 1;
        let id = self.last;
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await;
        id
    }

    /// The next message of the face.
    pub(super) async fn hear(&mut self) -> Value {
        self.hear_or_end().await.expect("the face has ended")
    }

    /// The next message, or none at the end.
    pub(super) async fn hear_or_end(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(DEADLINE, self.lines.next_line())
            .await
            .expect("the face is silent")
            .unwrap()?;
        Some(serde_json::from_str(&line).expect("nothing but JSON-RPC"))
    }

    /// The answer to a request, with what came before it thrown away.
    pub(super) async fn answer(&mut self, id: i64) -> Value {
        loop {
            let message = self.hear().await;
            if message["id"] == id {
                return message;
            }
        }
    }

    pub(super) async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        self.answer(id).await
    }

    /// A request as the revision 2026-07-28 has it.
    pub(super) async fn ask_modern(&mut self, method: &str, mut params: Value) -> Value {
        params["_meta"] = meta();
        self.ask(method, params).await
    }

    /// A request as the revision 2026-07-28 has it, left open, of a client with these capabilities.
    pub(super) async fn send_as(
        &mut self,
        capabilities: &Value,
        method: &str,
        mut params: Value,
    ) -> i64 {
        params["_meta"] = meta();
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
        self.send(method, params).await
    }

    /// The same, answered.
    pub(super) async fn ask_as(
        &mut self,
        capabilities: &Value,
        method: &str,
        params: Value,
    ) -> Value {
        let id = self.send_as(capabilities, method, params).await;
        self.answer(id).await
    }

    /// The next notification with this name; what comes before it is thrown away.
    pub(super) async fn told(&mut self, method: &str) -> Value {
        loop {
            let message = self.hear().await;
            if message["method"] == method {
                return message["params"].clone();
            }
        }
    }

    /// The result of a tool.
    pub(super) async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self
            .ask("tools/call", json!({"name": tool, "arguments": arguments}))
            .await;
        assert!(answer.get("error").is_none(), "{tool}: {answer}");
        answer["result"].clone()
    }

    /// Answers a question of the face's.
    pub(super) async fn reply(&mut self, question: &Value, result: Value) {
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let id = question["id"].clone();
        self.say(&json!({"jsonrpc": "2.0", "id": id, "result": result}))
            .await;
    }

    /// Leaves a call open; its id is answered.
    pub(super) async fn begin(&mut self, tool: &str, arguments: Value) -> i64 {
        self.send("tools/call", json!({"name": tool, "arguments": arguments}))
            .await
    }

    /// Closes the input.
    pub(super) async fn close(&mut self) {
        let mut input = self.input.take().unwrap();
        input.shutdown().await.unwrap();
    }

    /// Waits for the end of the face: how long it took, and whether it was a good one.
    pub(super) async fn end(self) -> (Duration, bool) {
        let begun = Instant::now();
        let code = tokio::time::timeout(DEADLINE, self.face)
            .await
            .expect("the face goes on")
            .unwrap();
        (begun.elapsed(), code == ExitCode::SUCCESS)
    }
}

/// What each modern request carries.
pub(super) fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    })
}

/// The text of a tool's result.
pub(super) fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

async fn connect(hub: Hub) -> (Connection, ServerHandle) {
    let mut module = RpcModule::new(());
    module
        .merge(eyas::api::run::RunApiServer::into_rpc(hub.clone()))
        .unwrap();
    module
        .merge(eyas::api::persona::PersonaApiServer::into_rpc(hub.clone()))
        .unwrap();
    module
        .merge(eyas::api::instance::InstanceApiServer::into_rpc(
            hub.clone(),
        ))
        .unwrap();
    module
        .merge(eyas::api::project::ProjectApiServer::into_rpc(hub.clone()))
        .unwrap();
    module
        .merge(eyas::api::schedule::ScheduleApiServer::into_rpc(
            hub.clone(),
        ))
        .unwrap();
    module
        .merge(eyas::api::events::EventsApiServer::into_rpc(hub.clone()))
        .unwrap();
    module
        .merge(eyas::api::hub::HubApiServer::into_rpc(hub))
        .unwrap();
    let (near, far) = tokio::io::duplex(1 << 20);
    let (stop, handle) = stop_channel();
    let service = Server::builder()
        .to_service_builder()
        .build(module, stop.clone());
    tokio::spawn(async move {
        let stopped = async move { stop.shutdown().await };
        serve_with_graceful_shutdown(far, service, stopped)
            .await
            .ok();
    });
    let client = WsClientBuilder::default()
        .build_with_stream("ws://hub/", near)
        .await
        .unwrap();
    (Connection::from_client(Arc::new(client)), handle)
}

impl Pipe {
    /// The next line as it is.
    pub(super) async fn hear_line(&mut self) -> String {
        tokio::time::timeout(DEADLINE, self.lines.next_line())
            .await
            .expect("the face is silent")
            .unwrap()
            .expect("the face has ended")
    }
}
