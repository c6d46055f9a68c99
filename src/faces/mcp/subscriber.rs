//! Subscriptions of a client that shook hands: to resources by `resources/subscribe`, and to their list by having read it.

use super::{
    audience::{Audience, Ear, Wish},
    handler::Face,
    resources,
    target::What,
};
use crate::domain::fault::{ErrorKind, Fault};
use rmcp::{ErrorData, RoleServer, service::Peer};
use std::sync::OnceLock;
use tokio::sync::{mpsc, oneshot};

/// Wishes that wait to be granted.
const WISHES: usize = 16;

/// The way to the loop that tells the client. There is none until it wants to be told of something.
#[derive(Debug, Default)]
pub(super) struct Subscriber(OnceLock<mpsc::Sender<Wish>>);

impl Subscriber {
    /// It has read the list, and is told from now on when that changes. Who never asks for resources is told nothing and costs nothing.
    pub(super) fn has_listed(&self, face: &Face, peer: &Peer<RoleServer>) {
        let (heard, _) = oneshot::channel();
        // With so many wishes before it, it is told for another one's sake.
        drop(self.way(face, peer).try_send(Wish::Tell(What::List, heard)));
    }

    /// # Errors
    /// Not found for a run that is not there; invalid parameters for what nobody is told of, and where enough is subscribed to.
    pub(super) async fn subscribe(
        &self,
        face: &Face,
        peer: &Peer<RoleServer>,
        uri: &str,
    ) -> Result<(), ErrorData> {
        let Some(what) = What::resource(uri) else {
            // What is not there at all is not found, as when it is read.
            resources::read(face, uri).await?;
            return Err(untold(uri));
        };
        let (heard, granted) = oneshot::channel();
        let sent = self.way(face, peer).send(Wish::Tell(what, heard)).await;
        let granted = match sent {
            Ok(()) => granted.await.ok(),
            Err(_ended) => None,
        };
        granted
            .unwrap_or_else(|| Err(Fault::new(ErrorKind::HubLost, "the connection is ending")))
            .map_err(|fault| refused(uri, fault))
    }

    /// What was never subscribed to is left all the same.
    pub(super) async fn unsubscribe(&self, uri: String) {
        let Some(way) = self.0.get() else { return };
        let (heard, left) = oneshot::channel();
        // At the end of the connection everything is left.
        if way.send(Wish::Leave(uri, heard)).await.is_ok() {
            left.await.ok();
        }
    }

    fn way(&self, face: &Face, peer: &Peer<RoleServer>) -> &mpsc::Sender<Wish> {
        self.0.get_or_init(|| {
            let (to, wishes) = mpsc::channel(WISHES);
            let audience = Audience::new(face.clone(), Ear::Session(peer.clone()), false);
            let closing = face.link().closing.clone();
            tokio::spawn(async move {
                audience.attend(Some(wishes), closing.ended()).await;
            });
            to
        })
    }
}

fn refused(uri: &str, fault: Fault) -> ErrorData {
    if fault.kind == ErrorKind::TooLarge {
        return ErrorData::invalid_params(fault.to_string(), None);
    }
    resources::missing(uri, fault)
}

fn untold(uri: &str) -> ErrorData {
    let uri = crate::stdx::text::head(uri, 200);
    ErrorData::invalid_params(
        format!("{uri:?} does not tell of its changes: only runs, their transcripts and diffs do"),
        None,
    )
}
