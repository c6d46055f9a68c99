//! Who waits for an answer, and what they are told meanwhile.

use rmcp::{
    RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::{Peer, RequestContext},
};
use std::{future::Future, time::Duration};

/// Some clients give up a call of which they have not heard for five seconds.
const SILENCE: Duration = Duration::from_secs(3);

/// One call's way back beside its answer.
#[derive(Debug)]
pub(super) struct Asker {
    peer: Peer<RoleServer>,
    token: Option<ProgressToken>,
    told: u32,
}

impl Asker {
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Self {
        Self {
            peer: context.peer.clone(),
            token: context.meta.get_progress_token(),
            told: 0,
        }
    }

    /// Waits for `work`, and tells who wants to know that it goes on.
    pub(super) async fn through<T>(&mut self, what: &str, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            self.tell(what).await;
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(SILENCE) => {}
            }
        }
    }

    async fn tell(&mut self, what: &str) {
        let Some(token) = &self.token else { return };
        self.told += 1;
        let note = ProgressNotificationParam::new(token.clone(), f64::from(self.told))
            .with_message(what.to_owned());
        if let Err(error) = self.peer.notify_progress(note).await {
            tracing::debug!(%error, "progress could not be told");
        }
    }
}
