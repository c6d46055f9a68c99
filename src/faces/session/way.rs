//! The way to the hub: a connection for each call.

use crate::{
    domain::fault::{ErrorKind, Fault},
    faces::mcp::Closing,
    hub::join::Connection,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Semaphore;

/// Calls under way at once, waits not counted; more wait for their turn.
const AT_ONCE: usize = 8;
/// Waits under way at once, which never hold up those who only say something.
const WAITS: usize = 16;

/// Calls to the hub in the name of the session.
#[derive(Debug)]
pub(super) struct Way {
    connection: Connection,
    permits: Semaphore,
    waits: Semaphore,
    closing: Closing,
}

impl Way {
    pub(super) fn new(connection: Connection, closing: Closing) -> Self {
        Self {
            connection,
            permits: Semaphore::new(AT_ONCE),
            waits: Semaphore::new(WAITS),
            closing,
        }
    }

    /// One call; it is given up a second after the end of the input.
    pub(super) async fn call<R: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<R, Fault> {
        tokio::select! {
            answer = self.ask(&self.permits, method, params) => answer,
            () = self.closing.overdue() => Err(too_late()),
        }
    }

    /// A call that may take long; it is given up, and taken back, with the end of the input.
    pub(super) async fn wait<R: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<R, Fault> {
        tokio::select! {
            answer = self.ask(&self.waits, method, params) => answer,
            () = self.closing.ended() => Err(too_late()),
        }
    }

    async fn ask<R: DeserializeOwned>(
        &self,
        permits: &Semaphore,
        method: &str,
        params: &impl Serialize,
    ) -> Result<R, Fault> {
        let _permit = permits.acquire().await.map_err(Fault::internal)?;
        self.connection.link().await?.ask(method, params).await
    }
}

fn too_late() -> Fault {
    Fault::new(
        ErrorKind::Stalled,
        "the hub had not answered when the input ended",
    )
}
