//! One prompt, from its words to its stop reason.

use super::{
    answer,
    desk::{Desk, PromptResponder},
    prompt::{self, Prompt},
    report::Stand,
    survey::{Bounds, Budget, Step, Stopped, survey},
    wire,
};
use agent_client_protocol::{
    Client, Error,
    v1::{
        ConnectionTo,
        schema::{
            ContentBlock, PromptResponse, SessionId, SessionNotification, SessionUpdate, StopReason,
        },
    },
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::mpsc;

/// What a turn is given when it begins.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) session: SessionId,
    /// Unique in the process.
    pub(super) number: u64,
    pub(super) cwd: PathBuf,
    pub(super) stand: Stand,
    pub(super) blocks: Vec<ContentBlock>,
    /// Set by whoever ends the turn early.
    pub(super) stop: Arc<AtomicBool>,
}

impl Turn {
    /// Works on the prompt, then hands the answer to the desk, which responds: the desk must know that a turn is over
    /// before the client does, or the client's next prompt would find the session busy.
    pub(super) async fn run(
        self,
        connection: ConnectionTo<Client>,
        desk: Desk,
        responder: PromptResponder,
    ) {
        let cancelled = responder.cancellation();
        let stop = self.stop.clone();
        let (session, number) = (self.session.clone(), self.number);
        let watch = tokio::spawn(async move {
            cancelled.cancelled().await;
            stop.store(true, Ordering::Relaxed);
        });
        let outcome = self.speak(&connection).await;
        watch.abort();
        desk.ended(session, number, responder, outcome);
    }

    async fn speak(self, connection: &ConnectionTo<Client>) -> Result<PromptResponse, Error> {
        let (session, number, stop) = (self.session.clone(), self.number, self.stop.clone());
        let (steps, mut watched) = mpsc::unbounded_channel();
        let work = tokio::task::spawn_blocking(move || self.work(&steps));
        let tell = |update: SessionUpdate| {
            connection.send_notification(SessionNotification::new(session.clone(), update))
        };
        while let Some(step) = watched.recv().await {
            tell(wire::step(number, step))?;
        }
        let parts = work.await.map_err(Error::into_internal_error)?;
        let Ok(parts) = parts else {
            return Ok(PromptResponse::new(StopReason::Cancelled));
        };
        let last = parts.len().saturating_sub(1);
        for (index, mut part) in parts.into_iter().enumerate() {
            // The conclusion is worth nothing to whoever has cancelled, and would be taken for one.
            if stop.load(Ordering::Relaxed) {
                return Ok(PromptResponse::new(StopReason::Cancelled));
            }
            part.push_str(if index == last { "\n" } else { "\n\n" });
            tell(wire::said(part))?;
        }
        Ok(PromptResponse::new(StopReason::EndTurn))
    }

    /// The work of a thread of its own.
    fn work(self, steps: &mpsc::UnboundedSender<Step>) -> Result<Vec<String>, Stopped> {
        let request = prompt::split(&wire::text(&self.blocks)).request;
        let prompt = Prompt::read(&request);
        let mut budget = Budget::new(Bounds::default(), self.stop);
        let findings = survey(&self.cwd, &prompt, &mut budget, &mut |step| {
            // Nobody listens once the connection is gone; the survey then ends by its flag.
            drop(steps.send(step));
        })?;
        Ok(answer::answer(&self.stand, &prompt, &findings))
    }
}
