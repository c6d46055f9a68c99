//! Who is asking.

use super::ids::SessionId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Decided by the hub from the socket's peer credentials and the pid's ancestors, never by what the peer says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A person at a face, who may do everything.
    Person,
    /// A process below an agent that the hub launched for this session: it has that session's rights.
    Session(SessionId),
    /// Below an agent of ours, but of no session that is open: it may read, nothing else.
    Stray,
}

/// What the tools of a session present to show whose they are. It is given to them alone, by their environment, and is never written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Token(pub String);

/// The variable that holds it.
pub const TOKEN_VARIABLE: &str = "EYAS_SESSION_TOKEN";

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}
