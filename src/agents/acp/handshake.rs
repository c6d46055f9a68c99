//! `initialize`: which version, and what the agent can do.

use super::link::Link;
use crate::domain::{
    caller::Token,
    fault::{ErrorKind, Fault},
};
use agent_client_protocol::{
    Error,
    schema::ProtocolVersion,
    v1::schema::{Implementation, InitializeRequest},
};
use serde_json::{Value, json};
use std::time::Duration;

/// The only version spoken. Adapters that also serve version 2 answer with what they are asked for.
const VERSION: u64 = 1;

/// What an agent said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one capability of the protocol"
)]
pub struct Capabilities {
    /// `session/load`: with replay.
    pub load: bool,
    /// `session/resume`: without.
    pub resume: bool,
    /// `session/close`.
    pub close: bool,
    /// `systemPrompt` on `session/new`.
    pub system_prompt: bool,
    pub agent_name: String,
    pub agent_version: Option<String>,
    /// How a person logs in, in the agent's words.
    pub(super) logins: Vec<String>,
}

impl Capabilities {
    /// How a person logs in, in the agent's words.
    #[must_use]
    pub fn logins(&self) -> &[String] {
        &self.logins
    }

    /// The older adapters for Claude take the persona by a `_meta` key of their own.
    pub(super) fn takes_meta(&self) -> bool {
        self.agent_name.contains("claude")
    }

    fn read(answer: &Value, agent: &str) -> Self {
        let agent_side = &answer["agentCapabilities"];
        let session = &agent_side["sessionCapabilities"];
        let has = |name: &str| !matches!(session[name], Value::Null | Value::Bool(false));
        let info = &answer["agentInfo"];
        let methods = answer["authMethods"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let login = |method: &Value| {
            method["description"]
                .as_str()
                .or(method["name"].as_str())
                .map(str::to_owned)
        };
        Self {
            load: agent_side["loadSession"].as_bool().unwrap_or(false),
            resume: has("resume"),
            close: has("close"),
            system_prompt: has("systemPrompt"),
            agent_name: info["name"].as_str().unwrap_or(agent).to_owned(),
            agent_version: info["version"].as_str().map(str::to_owned),
            logins: methods.iter().filter_map(login).collect(),
        }
    }
}

/// Says hello. Neither files nor terminals nor forms are offered: agents do such work themselves.
/// `token` is what an agent at a port tells us from others by; `late` is what a missing answer is called.
pub(super) async fn initialize(
    link: &Link,
    limit: Duration,
    late: ErrorKind,
    token: Option<&Token>,
) -> Result<Capabilities, Fault> {
    let hello = InitializeRequest::new(ProtocolVersion::V1)
        .client_info(Implementation::new("eyas", env!("CARGO_PKG_VERSION")));
    let mut hello = serde_json::to_value(hello).unwrap_or_default();
    if let Some(Token(token)) = token {
        hello["_meta"]["eyas"]["token"] = json!(token);
    }
    let answer = match link.ask("initialize", hello, limit).await {
        Err(fault) if fault.kind == ErrorKind::TimedOut => return Err(silent(link, limit, late)),
        answer => answer?,
    };
    match answer["protocolVersion"].as_u64() {
        Some(VERSION) => Ok(Capabilities::read(&answer, link.agent())),
        Some(other) => Err(link.fault(
            ErrorKind::VersionMismatch,
            format_args!("speaks version {other} of the protocol; version {VERSION} was asked for"),
        )),
        None => Err(link.fault(
            ErrorKind::HandshakeMalformed,
            "answered initialize without a version",
        )),
    }
}

fn silent(link: &Link, limit: Duration, late: ErrorKind) -> Fault {
    let kind = match link.junk().told() {
        Some(_) => ErrorKind::HandshakeMalformed,
        None => late,
    };
    link.late(kind, "initialize", limit)
}

/// A request's parameters that could not be written, which no value of ours causes.
pub(super) fn unwritable(error: &Error) -> Fault {
    Fault::internal(format_args!(
        "a request cannot be written: {}",
        error.message
    ))
}
