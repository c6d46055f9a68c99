//! `session.*`: what an agent says of its own run, by the tools that Eyas gave its session. Only a session may call these.

use crate::domain::{conclusion::Report, fault::Fault, ids::RunId};
use jsonrpsee::proc_macros::rpc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far a run is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionProgress {
    /// What is done now, in a line.
    pub text: String,
    /// 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
}

/// A question to a person.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionAsk {
    /// In a line.
    pub question: String,
    /// What a person should know to answer it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Answers to choose from; without them any text answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What holds when nobody answers in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// How long to wait for an answer; the policy's time otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// It was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Heard {
    /// The run that it was said of.
    pub run: RunId,
}

/// What came of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// A person has answered; otherwise nobody has in time, and `text` is the default, where there is one.
    pub answered: bool,
    /// The choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What a session says of its run.
#[rpc(server, client, namespace = "session", namespace_separator = ".")]
pub trait SessionApi {
    /// Its report; the last one wins.
    #[method(name = "conclude", with_extensions)]
    async fn conclude(&self, params: Report) -> Result<Heard, Fault>;
    /// How far it is.
    #[method(name = "progress", with_extensions)]
    async fn progress(&self, params: SessionProgress) -> Result<Heard, Fault>;
    /// Asks a person, and answers when he does or the time is over. A caller that goes away takes the question back.
    #[method(name = "ask", with_extensions)]
    async fn ask(&self, params: SessionAsk) -> Result<Reply, Fault>;
}
