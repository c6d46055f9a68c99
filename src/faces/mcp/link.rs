//! The face's way to the hub: bounded, patient until the end of the input and one second beyond.

use super::closing::Closing;
use crate::{
    api::{
        events::{EventsApiClient, Watch},
        fault::from_client,
    },
    domain::{
        event::Event,
        fault::{ErrorKind, Fault},
    },
    hub::join::Connection,
};
use jsonrpsee::core::client::{Client, Error as ClientError, Subscription};
use std::{future::Future, sync::Arc};
use tokio::sync::Semaphore;

/// Calls under way at once, waits not counted.
const AT_ONCE: usize = 64;
/// Waits under way at once: with the calls, fewer than a client of jsonrpsee takes.
const WAITS: usize = 160;

/// Calls to the hub.
#[derive(Debug)]
pub(super) struct Link {
    connection: Connection,
    permits: Semaphore,
    waits: Semaphore,
    pub(super) closing: Closing,
}

impl Link {
    pub(super) fn new(connection: Connection, closing: Closing) -> Self {
        Self {
            connection,
            permits: Semaphore::new(AT_ONCE),
            waits: Semaphore::new(WAITS),
            closing,
        }
    }

    /// Connects, so that the first call need not.
    pub(super) async fn warm(&self) {
        tokio::select! {
            client = self.connection.client() => {
                if let Err(fault) = client {
                    tracing::warn!(%fault, "no hub yet");
                }
            }
            () = self.closing.ended() => {}
        }
    }

    /// One call.
    pub(super) async fn call<T, F, A>(&self, f: F) -> Result<T, Fault>
    where
        F: FnOnce(Arc<Client>) -> A,
        A: Future<Output = Result<T, ClientError>>,
    {
        let asked = async {
            let _permit = self.permits.acquire().await.map_err(Fault::internal)?;
            self.ask(f).await
        };
        tokio::select! {
            answer = asked => answer,
            () = self.closing.overdue() => Err(too_late()),
        }
    }

    /// One call that changes nothing: asked once more when the hub went away meanwhile.
    pub(super) async fn read<T, F, A>(&self, f: F) -> Result<T, Fault>
    where
        F: Fn(Arc<Client>) -> A,
        A: Future<Output = Result<T, ClientError>>,
    {
        match self.call(&f).await {
            Err(fault) if fault.kind == ErrorKind::HubLost => self.call(&f).await,
            answer => answer,
        }
    }

    /// One slice of a wait: has permits of its own, so that those who wait never hold up those who act.
    pub(super) async fn wait<T, F, A>(&self, f: F) -> Result<T, Fault>
    where
        F: Fn(Arc<Client>) -> A,
        A: Future<Output = Result<T, ClientError>>,
    {
        let _permit = self.waits.acquire().await.map_err(Fault::internal)?;
        match self.ask(&f).await {
            Err(fault) if fault.kind == ErrorKind::HubLost => self.ask(&f).await,
            answer => answer,
        }
    }

    /// The hub's log from now on.
    pub(super) async fn watch(&self, watch: Watch) -> Result<Subscription<Event>, Fault> {
        self.read(|hub| {
            let watch = watch.clone();
            async move { EventsApiClient::watch(&*hub, watch).await }
        })
        .await
    }

    /// Whether there is a connection now; none is made.
    pub(super) async fn is_joined(&self) -> bool {
        self.connection.is_joined().await
    }

    async fn ask<T, F, A>(&self, f: F) -> Result<T, Fault>
    where
        F: FnOnce(Arc<Client>) -> A,
        A: Future<Output = Result<T, ClientError>>,
    {
        let client = self.connection.client().await?;
        f(client).await.map_err(|error| from_client(&error))
    }
}

fn too_late() -> Fault {
    Fault::new(
        ErrorKind::Stalled,
        "the hub had not answered when the input ended",
    )
}
