//! Following the hub's log for who listens to runs: what happens is news, whose loss is news too.

use super::handler::Face;
use crate::{
    api::events::Watch,
    domain::{
        event::{Event, EventKind},
        fault::{ErrorKind, Fault},
        ids::RunId,
    },
};
use jsonrpsee::core::client::Subscription;
use std::time::Duration;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::AbortHandle,
};

/// How soon a log that was lost is looked for again, at first and later.
const SOON: Duration = Duration::from_millis(250);
const LATER: Duration = Duration::from_secs(4);

/// What of the log is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// What concerns the list of runs, and requests wherever they come from: below a run they are in no log of its own.
    Hub,
    /// All that happens to one run.
    Run(RunId),
}

/// Something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Event(Topic, EventKind),
    /// Something may have: the log could not be read for a while.
    Missed(Topic),
}

impl Topic {
    fn watch(self) -> Watch {
        match self {
            Self::Hub => Watch {
                kinds: vec![
                    EventKind::Accepted,
                    EventKind::Requested,
                    EventKind::Answered,
                    EventKind::Finished,
                    EventKind::InstanceChanged,
                ],
                ..Watch::default()
            },
            Self::Run(run) => Watch {
                run: Some(run),
                ..Watch::default()
            },
        }
    }
}

/// Follows one topic as long as it lives.
#[derive(Debug)]
pub(super) struct Follower {
    task: AbortHandle,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// Follows from now on: nothing that happens after this returns is missed.
    ///
    /// # Errors
    /// `too_large` where this client follows as much as one may; those of the hub.
    pub(super) async fn begin(
        face: &Face,
        topic: Topic,
        to: mpsc::Sender<News>,
    ) -> Result<Self, Fault> {
        let permit = face.0.followers.clone().try_acquire_owned();
        let permit = permit.map_err(|_none| {
            Fault::new(ErrorKind::TooLarge, "too many subscriptions are open")
                .hint("end some that are not needed any more")
        })?;
        let watch = face.link().watch(topic.watch()).await?;
        let task = tokio::spawn(follow(face.clone(), topic, watch, to)).abort_handle();
        Ok(Self {
            task,
            _permit: permit,
        })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(face: Face, topic: Topic, mut watch: Subscription<Event>, to: mpsc::Sender<News>) {
    let mut open = topic != Topic::Hub;
    loop {
        while let Some(event) = watch.next().await {
            let news = match event {
                Ok(event) if event.kind != EventKind::Lagged => {
                    open &= event.kind != EventKind::Finished;
                    News::Event(topic, event.kind)
                }
                // It did not keep up, or a newer hub has words that are not known here.
                Ok(_) | Err(_) => News::Missed(topic),
            };
            if to.send(news).await.is_err() {
                return;
            }
        }
        watch = again(&face, topic, open).await;
        if to.send(News::Missed(topic)).await.is_err() {
            return;
        }
    }
}

/// The log after its hub went away. An open run that is listened to wants a hub, as one that is waited for does; nothing else starts one.
async fn again(face: &Face, topic: Topic, open: bool) -> Subscription<Event> {
    let mut pause = SOON;
    loop {
        tokio::time::sleep(pause).await;
        if open || face.link().is_joined().await {
            match face.link().watch(topic.watch()).await {
                Ok(watch) => return watch,
                Err(fault) => tracing::debug!(%fault, "the log is out of reach"),
            }
        }
        pause = LATER.min(pause * 2);
    }
}
