//! The wire's words: a line as a request, a notification or neither, and answers as lines. Everything rmcp names differently from us
//! is named here.

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientJsonRpcMessage, ClientRequest, ClientResult,
    ElicitResult, EmptyResult, ErrorCode, ErrorData, GetMeta as _, NumberOrString, ProtocolVersion,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use std::borrow::Cow;

/// The outside of any message.
#[derive(Debug, Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// `id: null` is there, unlike no id at all.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Said {
    /// A request, with the client's id.
    Request(Box<RawValue>, Box<ClientRequest>),
    /// The client no longer wants the answer to this id.
    Cancelled(Box<RawValue>, Option<String>),
    /// The client answers what may be a question of ours.
    Answer(Box<ClientJsonRpcMessage>),
    /// Nothing that we act on: another notification, a blank line.
    Nothing,
}

/// What is wrong with a line, and with which request where that can be told.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) id: Option<Box<RawValue>>,
    pub(super) error: ErrorData,
}

impl Wrong {
    fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            id: None,
            error: ErrorData::new(code, message, None),
        }
    }

    fn of(mut self, id: Option<&RawValue>) -> Self {
        self.id = id.filter(|id| is_id(id)).map(ToOwned::to_owned);
        self
    }
}

/// Methods whose requests rmcp reads; of any other name we say that there is none.
const METHODS: [&str; 17] = [
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
];

/// Read as a custom request: rmcp's own filter knows no tasks.
pub(super) const LISTEN: &str = "subscriptions/listen";

/// Where a notification, and the answer at the end, says which request to listen they belong to.
pub(super) const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Reads one line.
pub(super) fn read(line: &[u8]) -> Result<Said, Wrong> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.trim_ascii();
    match line.first() {
        None => return Ok(Said::Nothing),
        Some(b'{') => {}
        Some(first) => return Err(no_object(line, *first)),
    }
    let envelope: Envelope<'_> = serde_json::from_slice(line).map_err(|error| broken(&error))?;
    if envelope.jsonrpc.as_deref() != Some("2.0") {
        let wrong = Wrong::new(ErrorCode::INVALID_REQUEST, "`jsonrpc` must be \"2.0\"");
        return Err(wrong.of(envelope.id));
    }
    match (&envelope.method, envelope.id) {
        (Some(method), None) => Ok(notification(method, envelope.params)),
        (Some(method), Some(id)) if is_id(id) => request(line, method, envelope.params)
            .map(|request| Said::Request(id.to_owned(), Box::new(request)))
            .map_err(|wrong| wrong.of(Some(id))),
        (Some(_), Some(_)) => Err(Wrong::new(
            ErrorCode::INVALID_REQUEST,
            "`id` must be a string or a number",
        )),
        (None, id) if envelope.result.is_none() && envelope.error.is_none() => {
            Err(Wrong::new(ErrorCode::INVALID_REQUEST, "`method` is missing").of(id))
        }
        (None, id) => Ok(answered(id, envelope.result, envelope.error)),
    }
}

/// An answer to a question of ours: the only one that we ask is an elicitation. What is no good answer to that says nothing, but it must
/// arrive, for somebody waits.
fn answered(id: Option<&RawValue>, result: Option<&RawValue>, error: Option<&RawValue>) -> Said {
    let id = id.and_then(|id| serde_json::from_str::<NumberOrString>(id.get()).ok());
    let Some(id) = id else { return Said::Nothing };
    Said::Answer(Box::new(match (result, error) {
        (Some(result), _) => {
            let result = serde_json::from_str::<ElicitResult>(result.get()).map_or(
                ClientResult::EmptyResult(EmptyResult {}),
                ClientResult::ElicitResult,
            );
            ClientJsonRpcMessage::response(result, id)
        }
        (None, error) => {
            let error = error.and_then(|error| serde_json::from_str(error.get()).ok());
            let error = error.unwrap_or_else(|| ErrorData::internal_error("no reason", None));
            ClientJsonRpcMessage::error(error, Some(id))
        }
    }))
}

/// Strings and numbers; never null.
fn is_id(id: &RawValue) -> bool {
    id.get()
        .starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}

fn no_object(line: &[u8], first: u8) -> Wrong {
    match serde_json::from_slice::<serde::de::IgnoredAny>(line) {
        Ok(_) if first == b'[' => Wrong::new(
            ErrorCode::INVALID_REQUEST,
            "batches are not taken: send one object per line",
        ),
        Ok(_) => Wrong::new(ErrorCode::INVALID_REQUEST, "a message is one JSON object"),
        Err(error) => broken(&error),
    }
}

fn broken(error: &serde_json::Error) -> Wrong {
    if error.is_data() {
        Wrong::new(ErrorCode::INVALID_REQUEST, "not a JSON-RPC 2.0 message")
    } else {
        Wrong::new(
            ErrorCode::PARSE_ERROR,
            format!("not JSON, at column {}", error.column()),
        )
    }
}

fn notification(method: &str, params: Option<&RawValue>) -> Said {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow, rename = "requestId")]
        request_id: &'a RawValue,
        #[serde(default)]
        reason: Option<String>,
    }
    if method != "notifications/cancelled" {
        return Said::Nothing;
    }
    params
        .and_then(|params| serde_json::from_str::<Params<'_>>(params.get()).ok())
        .map_or(Said::Nothing, |params| {
            Said::Cancelled(params.request_id.to_owned(), params.reason)
        })
}

fn request(line: &[u8], method: &str, params: Option<&RawValue>) -> Result<ClientRequest, Wrong> {
    if method == "tools/call" {
        return tool_call(params);
    }
    if method == LISTEN {
        return serde_json::from_slice(line)
            .map(ClientRequest::CustomRequest)
            .map_err(|error| broken(&error));
    }
    let bad = |why: &str| Wrong::new(ErrorCode::INVALID_PARAMS, format!("{method}: {why}"));
    if params.is_some_and(|params| !params.get().starts_with('{') && params.get() != "null") {
        return Err(bad("`params` must be an object"));
    }
    let request: ClientRequest = serde_json::from_slice(line).map_err(|error| broken(&error))?;
    // rmcp reads what fits no method as a custom one, also one of its own whose parameters are wrong.
    if !matches!(request, ClientRequest::CustomRequest(_)) {
        return Ok(request);
    }
    if METHODS.contains(&method) {
        return Err(bad("a parameter is missing or has the wrong type"));
    }
    let method = crate::stdx::text::head(method, 80);
    Err(Wrong::new(
        ErrorCode::METHOD_NOT_FOUND,
        format!("no method {method:?}"),
    ))
}

/// The hot path: read straight, without trying every method in turn.
fn tool_call(params: Option<&RawValue>) -> Result<ClientRequest, Wrong> {
    let params = params.map_or("{}", RawValue::get);
    let mut params: CallToolRequestParams = serde_json::from_str(params).map_err(|error| {
        let error = error.to_string();
        let why = error.split(" at line ").next().unwrap_or_default();
        Wrong::new(ErrorCode::INVALID_PARAMS, format!("tools/call: {why}"))
    })?;
    let meta = params.meta.take();
    let mut request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
    if let Some(meta) = meta {
        *request.get_meta_mut() = meta;
    }
    Ok(request)
}

/// Which keys of `_meta` a request without a handshake lacks.
pub(super) fn missing_meta(request: &ClientRequest) -> Vec<&'static str> {
    request
        .get_meta()
        .missing_required_keys(&ProtocolVersion::V_2026_07_28)
}

/// An answer as a line.
pub(super) fn answer<T: Serialize>(id: &RawValue, result: &T) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Answer<'a, T> {
        jsonrpc: &'static str,
        id: &'a RawValue,
        result: &'a T,
    }
    line(&Answer {
        jsonrpc: "2.0",
        id,
        result,
    })
}

/// The answer at the end of a request to listen.
pub(super) fn listened(id: &RawValue, result: &Value) -> serde_json::Result<Vec<u8>> {
    answer(id, &marked(result, id)?)
}

/// Our number of the request to listen that a notification belongs to.
pub(super) fn listens(params: &Value) -> Option<i64> {
    params.get("_meta")?.get(SUBSCRIPTION)?.as_i64()
}

/// A notification to who listens by the request with this id.
pub(super) fn notice(method: &str, params: &Value, id: &RawValue) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Notice<'a> {
        jsonrpc: &'static str,
        method: &'a str,
        params: Box<RawValue>,
    }
    line(&Notice {
        jsonrpc: "2.0",
        method,
        params: marked(params, id)?,
    })
}

/// An object with the client's id of the request to listen in its `_meta`, letter by letter.
fn marked(object: &Value, id: &RawValue) -> serde_json::Result<Box<RawValue>> {
    #[derive(Serialize)]
    struct Meta<'a> {
        #[serde(flatten)]
        rest: Map<String, Value>,
        #[serde(rename = "io.modelcontextprotocol/subscriptionId")]
        id: &'a RawValue,
    }
    #[derive(Serialize)]
    struct Marked<'a> {
        #[serde(flatten)]
        rest: Map<String, Value>,
        #[serde(rename = "_meta")]
        meta: Meta<'a>,
    }
    let mut rest = object.as_object().cloned().unwrap_or_default();
    let mut meta = match rest.remove("_meta") {
        Some(Value::Object(meta)) => meta,
        _ => Map::new(),
    };
    meta.remove(SUBSCRIPTION);
    let meta = Meta { rest: meta, id };
    serde_json::value::to_raw_value(&Marked { rest, meta })
}

/// A refusal as a line; with no id where none could be read.
pub(super) fn refusal(id: Option<&RawValue>, error: &ErrorData) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Refusal<'a> {
        jsonrpc: &'static str,
        id: Option<&'a RawValue>,
        error: &'a ErrorData,
    }
    line(&Refusal {
        jsonrpc: "2.0",
        id,
        error,
    })
}

/// Any message as a line.
pub(super) fn line<T: Serialize>(message: &T) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}
