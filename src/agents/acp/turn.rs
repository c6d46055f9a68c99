//! One prompt until its stop reason.

use super::{
    desk::{Message, Turn},
    link::Link,
    permission::Permit,
    update::{Summary, TurnEvent},
};
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        usage::Usage,
    },
    stdx::Pause,
};
use agent_client_protocol::{
    Error,
    v1::schema::{CancelNotification, ContentBlock, PromptRequest},
};
use futures::future::BoxFuture;
use serde_json::Value;
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How a turn ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnEnd {
    /// The agent's word, known to us or not.
    pub stop_reason: String,
    pub usage: Option<Usage>,
    /// The agent's messages; of a very long turn the last 256 KiB.
    pub text: String,
    /// Titles of what the policy rejected.
    pub denied: Vec<String>,
    /// Something may have been edited, deleted, moved or executed.
    pub edited: bool,
}

impl Link {
    /// Puts a prompt to a session and waits for the end of the turn; one at a time per session, first come, first served. Events come while
    /// it lasts, and all of them before it ends. Dropping the future cancels the turn.
    ///
    /// # Errors
    /// `timed_out` (the agent was then asked to stop), `stalled` (it does not answer a cancellation; the session is of no further use),
    /// `too_large`, `agent_died`, `agent_auth`, or what the agent's refusal means.
    pub async fn prompt(
        &self,
        session: &str,
        text: String,
        permit: Permit,
        events: mpsc::UnboundedSender<TurnEvent>,
    ) -> Result<TurnEnd, Fault> {
        let cancelled = CancellationToken::new();
        let (granted, grant) = oneshot::channel();
        let pause = permit.pause.clone();
        let turn = Turn {
            permit,
            events,
            cancelled: cancelled.clone(),
            granted,
        };
        self.tell(Message::Begin {
            session: session.to_owned(),
            turn,
        });
        let driver = Driver {
            link: self.clone(),
            session: session.to_owned(),
            cancelled: cancelled.clone(),
            pause,
        };
        // The turn is driven to its end by a task of its own: a caller that leaves must not leave the session half-way.
        let guard = cancelled.drop_guard();
        let end = tokio::spawn(driver.drive(text, grant)).await;
        drop(guard.disarm());
        end.unwrap_or_else(|error| {
            Err(Fault::internal(format_args!(
                "a turn's driver failed: {error}"
            )))
        })
    }

    /// Returns when no turn of the session is under way: the agent has ended it, has died, or was given up.
    pub async fn at_rest(&self, session: &str) {
        let (quiet, rest) = oneshot::channel();
        self.tell(Message::AtRest {
            session: session.to_owned(),
            quiet,
        });
        // The desk drops its end.
        drop(rest.await);
    }

    /// Asks the agent to end the session's turn; what it asks from here on is answered `cancelled`.
    pub fn cancel(&self, session: &str) {
        self.tell(Message::Cancel {
            session: session.to_owned(),
        });
    }
}

struct Driver {
    link: Link,
    session: String,
    cancelled: CancellationToken,
    /// The limit of a prompt stands still while a person is waited for.
    pause: Pause,
}

/// What a turn came to, before its books are closed.
enum Came {
    Answer(Result<Value, Error>),
    /// The agent ended the turn, or failed to, after it was asked to for this fault.
    Stopped {
        why: Fault,
        stuck: bool,
    },
    Dead,
}

impl Driver {
    async fn drive(self, text: String, grant: oneshot::Receiver<bool>) -> Result<TurnEnd, Fault> {
        match grant.await {
            Ok(true) => {}
            Ok(false) => {
                let what = format_args!(
                    "still owes session {} the end of an earlier turn",
                    self.session
                );
                return Err(self.link.fault(ErrorKind::Stalled, what));
            }
            Err(_gone) => return Err(self.link.dead("session/prompt").await),
        }
        if self.cancelled.is_cancelled() {
            let summary = self.finish(false).await;
            return Ok(end("cancelled".to_owned(), None, summary));
        }
        let came = match self.send(text) {
            Ok(answer) => self.watch(answer).await,
            Err(why) => Came::Stopped { why, stuck: false },
        };
        let stuck = matches!(came, Came::Stopped { stuck: true, .. });
        if stuck || matches!(&came, Came::Stopped { why, .. } if why.kind == ErrorKind::TooLarge) {
            self.link.give_up();
        }
        let summary = self.finish(stuck).await;
        match came {
            Came::Answer(Ok(answer)) => Ok(answered(&answer, summary)),
            // Some agents answer a cancelled prompt with an error.
            Came::Answer(Err(_)) if self.cancelled.is_cancelled() && self.is_alive() => {
                Ok(end("cancelled".to_owned(), None, summary))
            }
            Came::Answer(Err(error)) => Err(self.link.refused("session/prompt", error).await),
            Came::Stopped { why, .. } => Err(why),
            Came::Dead => Err(self.link.dead("session/prompt").await),
        }
    }

    fn send(&self, text: String) -> Result<BoxFuture<'static, Result<Value, Error>>, Fault> {
        let prompt = PromptRequest::new(self.session.clone(), vec![ContentBlock::from(text)]);
        self.link.send("session/prompt", prompt)
    }

    async fn watch(&self, mut answer: BoxFuture<'static, Result<Value, Error>>) -> Came {
        let limit = Duration::from_millis(self.link.limits().prompt_ms);
        let why = tokio::select! {
            biased;
            // Before the answer, which may be read in the same moment but was written later.
            len = self.link.too_long() => Some(self.link.too_large("session/prompt", len)),
            answer = &mut answer => return Came::Answer(answer),
            () = self.cancelled.cancelled() => None,
            () = self.link.died() => return Came::Dead,
            () = self.pause.sleep(limit) => Some(self.link.late(ErrorKind::TimedOut, "session/prompt", limit)),
        };
        self.cancelled.cancel();
        // What it still asks is answered before it hears of the end.
        self.link.cancel(&self.session);
        self.link.notify(
            "session/cancel",
            CancelNotification::new(self.session.clone()),
        );
        let patience = Duration::from_millis(self.link.limits().close_ms);
        let ended = tokio::select! {
            biased;
            ended = timeout(patience, answer) => ended,
            () = self.link.died() => return Came::Dead,
        };
        match (ended, why) {
            (Ok(answer), None) => Came::Answer(answer),
            (Ok(_), Some(why)) => Came::Stopped { why, stuck: false },
            (Err(_elapsed), Some(why)) => Came::Stopped { why, stuck: true },
            (Err(_elapsed), None) => {
                let why = self
                    .link
                    .late(ErrorKind::Stalled, "session/cancel", patience);
                Came::Stopped { why, stuck: true }
            }
        }
    }

    /// Closes the books behind all that arrived before the answer.
    async fn finish(&self, stuck: bool) -> Summary {
        let (reply, summary) = oneshot::channel();
        self.link.tell(Message::Finish {
            session: self.session.clone(),
            stuck,
            reply,
        });
        summary.await.unwrap_or_default()
    }

    fn is_alive(&self) -> bool {
        self.link.process().exit().is_none()
    }
}

fn answered(answer: &Value, summary: Summary) -> TurnEnd {
    // An answer without a word ends the turn all the same.
    let stop_reason = answer["stopReason"]
        .as_str()
        .unwrap_or("end_turn")
        .to_owned();
    let tokens = &answer["usage"];
    let usage = Usage {
        input_tokens: tokens["inputTokens"].as_u64(),
        output_tokens: tokens["outputTokens"].as_u64(),
        total_tokens: tokens["totalTokens"].as_u64(),
        cost_usd: None,
    };
    end(stop_reason, tokens.is_object().then_some(usage), summary)
}

pub(super) fn end(stop_reason: String, usage: Option<Usage>, summary: Summary) -> TurnEnd {
    let usage = match (usage, summary.cost_usd) {
        (None, None) => None,
        (usage, cost_usd) => Some(Usage {
            cost_usd,
            ..usage.unwrap_or_default()
        }),
    };
    TurnEnd {
        stop_reason,
        usage,
        text: summary.text,
        denied: summary.denied,
        edited: summary.edited,
    }
}
