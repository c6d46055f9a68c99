//! What went wrong with an agent, in the words of the product.

use super::{
    handshake::Capabilities,
    link::Link,
    meaning::{self, Meaning},
};
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        time::Timestamp,
    },
    stdx::clock,
};
use agent_client_protocol::{Error, is_connection_terminated, is_incoming_transport_closed};
use std::time::Duration;
use tokio::time::timeout;

/// From the end of stdout to the end of the process, usually the same moment.
const EXIT_GRACE: Duration = Duration::from_millis(2_500);

impl Link {
    /// A fault of this agent with its last words.
    pub(super) fn fault(&self, kind: ErrorKind, what: impl std::fmt::Display) -> Fault {
        let mut detail = format!("agent \"{}\" {what}", self.agent());
        detail.extend(self.process().last_words());
        if let Some(junk) = self.junk().told() {
            detail.push('\n');
            detail.push_str(&junk);
        }
        Fault::new(kind, detail)
    }

    /// The agent's process has ended, or has closed its stdout, which comes to the same.
    pub(super) async fn dead(&self, step: &str) -> Fault {
        match timeout(EXIT_GRACE, self.process().exited()).await {
            Ok(_exit) if self.process().never_started() => {
                self.fault(ErrorKind::AgentSpawn, "cannot be started")
            }
            Ok(exit) => self.fault(
                ErrorKind::AgentDied,
                format_args!("died during {step} ({exit})"),
            ),
            Err(_elapsed) => self.fault(
                ErrorKind::AgentDied,
                format_args!("closed its output during {step}, and is useless"),
            ),
        }
    }

    /// What an error answer to `step` means.
    pub(super) async fn refused(&self, step: &str, error: Error) -> Fault {
        if is_incoming_transport_closed(&error) || is_connection_terminated(&error) {
            return self.dead(step).await;
        }
        let code = i32::from(error.code);
        let now = Timestamp(clock::now_ms());
        let Meaning { kind, retry_at } =
            meaning::read(code, &error.message, error.data.as_ref(), now);
        let data = error
            .data
            .map(|data| format!(", {data}"))
            .unwrap_or_default();
        let fault = self
            .fault(
                kind,
                format_args!("refused {step}: {} ({code}{data})", error.message),
            )
            .retry_at(retry_at);
        if kind == ErrorKind::AgentAuth {
            fault.hint(login(self.agent(), self.capabilities()))
        } else {
            fault
        }
    }

    pub(super) fn late(&self, kind: ErrorKind, step: &str, limit: Duration) -> Fault {
        self.fault(
            kind,
            format_args!("did not answer {step} within {} ms", limit.as_millis()),
        )
    }

    pub(super) fn too_large(&self, step: &str, len: usize) -> Fault {
        let most = super::wire::MAX_LINE;
        self.fault(
            ErrorKind::TooLarge,
            format_args!("sent a line of {len} bytes during {step}; at most {most} are read"),
        )
    }
}

/// Logging in is a person's affair: nothing is opened or run for it.
fn login(agent: &str, capabilities: &Capabilities) -> String {
    match capabilities.logins.as_slice() {
        [] => format!("log in to {agent} in a terminal, or pass its key in the environment"),
        ways => format!("log in to {agent} in a terminal: {}", ways.join("; ")),
    }
}
