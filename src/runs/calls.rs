//! What an agent says to its run by Eyas' own tools while its turn goes on.
//!
//! The attempt owns what comes of it; here is only the way to it. A call belongs to the attempt that holds its session now, and to no other:
//! between two runs of one session there is nobody to hear it.

use crate::{
    domain::{
        conclusion::Report,
        fault::{ErrorKind, Fault},
        ids::{RunId, SessionId},
        request::Answer,
    },
    store::Lease,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{mpsc, oneshot};

/// Calls that wait for an attempt; an agent that calls faster waits.
const WAITING: usize = 32;

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub title: String,
    pub detail: Option<String>,
    /// Names of the answers to choose from; empty: any text.
    pub choices: Vec<String>,
    /// What holds when nobody answers in time.
    pub default: Option<String>,
    /// How long to wait for an answer.
    pub timeout_ms: Option<u64>,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Answered(Answer),
    /// Nobody answered in time; the default, where there is one.
    Unanswered(Option<String>),
}

/// What an agent may say.
#[derive(Debug)]
pub enum Call {
    /// Its report; the last one wins.
    Conclude {
        report: Report,
        reply: oneshot::Sender<Result<(), Fault>>,
    },
    /// How far it is. `percent` is 0 to 100.
    Progress {
        text: String,
        percent: Option<u8>,
        reply: oneshot::Sender<Result<(), Fault>>,
    },
    /// Dropping the answer's other end withdraws the question.
    Ask {
        question: Question,
        reply: oneshot::Sender<Result<Reply, Fault>>,
    },
    /// Not the agent's word: an input was accepted for which the turn is to be cancelled.
    Interrupted,
}

#[derive(Debug)]
struct Line {
    lease: Lease,
    calls: mpsc::Sender<Call>,
}

/// The way from a session to the attempt that holds it. A cheap handle.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    lines: Arc<Mutex<HashMap<SessionId, Line>>>,
    /// Attempts that have ended a turn and have begun no other.
    between: Arc<Mutex<HashSet<Lease>>>,
}

/// An attempt that is between two turns until this is dropped.
#[derive(Debug)]
pub(super) struct Between {
    calls: Calls,
    lease: Lease,
}

/// An attempt that can be called; nobody can once it is dropped.
#[derive(Debug)]
pub struct Callable {
    calls: Calls,
    lease: Lease,
    inbox: mpsc::Receiver<Call>,
}

impl Calls {
    /// The attempt under `lease` can be called from now on.
    #[must_use]
    pub fn enter(&self, lease: Lease) -> Callable {
        let (calls, inbox) = mpsc::channel(WAITING);
        self.lines().insert(lease.session, Line { lease, calls });
        Callable {
            calls: self.clone(),
            lease,
            inbox,
        }
    }

    /// The lease under which a session's turn is worked on now.
    #[must_use]
    pub fn lease(&self, session: SessionId) -> Option<Lease> {
        self.lines().get(&session).map(|line| line.lease)
    }

    /// The attempt under `lease` has ended a turn.
    pub(super) fn rest(&self, lease: Lease) -> Between {
        self.resting().insert(lease);
        Between {
            calls: self.clone(),
            lease,
        }
    }

    /// Whether an attempt of the run has ended a turn and has begun no other.
    #[must_use]
    pub fn rests(&self, run: RunId) -> bool {
        self.resting().iter().any(|lease| lease.run == run)
    }

    /// Has the attempt that holds `session` look for an input to interrupt its turn for. Without a turn under way here nobody hears it:
    /// whoever begins one looks by itself.
    pub fn interrupt(&self, session: SessionId) {
        let line = self.lines().get(&session).map(|line| line.calls.clone());
        if let Some(calls) = line {
            // A line that is full is read soon, and looked at unasked.
            drop(calls.try_send(Call::Interrupted));
        }
    }

    /// Says something to the attempt that holds `session`.
    ///
    /// # Errors
    /// `forbidden` when no attempt does.
    pub async fn say(&self, session: SessionId, call: Call) -> Result<(), Fault> {
        let line = self.lines().get(&session).map(|line| line.calls.clone());
        let nobody = || {
            Fault::new(
                ErrorKind::Forbidden,
                "no run of this session is being worked on",
            )
        };
        line.ok_or_else(nobody)?
            .send(call)
            .await
            .map_err(|_gone| nobody())
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<SessionId, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resting(&self) -> MutexGuard<'_, HashSet<Lease>> {
        self.between.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callable {
    /// The next call; never ends by itself.
    pub async fn next(&mut self) -> Option<Call> {
        self.inbox.recv().await
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.calls.resting().remove(&self.lease);
    }
}

impl Drop for Callable {
    fn drop(&mut self) {
        let mut lines = self.calls.lines();
        if lines
            .get(&self.lease.session)
            .is_some_and(|line| line.lease == self.lease)
        {
            lines.remove(&self.lease.session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Calls};
    use crate::{
        domain::{
            fault::ErrorKind,
            ids::{RunId, SessionId},
        },
        stdx::mint,
        store::Lease,
    };
    use tokio::sync::oneshot;

    fn lease(session: SessionId, fence: i64) -> Lease {
        Lease {
            run: RunId(mint()),
            session,
            fence,
            attempt: 1,
        }
    }

    fn progress() -> Call {
        let (reply, _) = oneshot::channel();
        Call::Progress {
            text: "half".to_owned(),
            percent: Some(50),
            reply,
        }
    }

    #[tokio::test]
    async fn a_call_reaches_the_attempt_that_holds_the_session_and_no_other() {
        let calls = Calls::default();
        let session = SessionId(mint());
        let nobody = calls.say(session, progress()).await.unwrap_err();
        assert_eq!(nobody.kind, ErrorKind::Forbidden);
        let first = calls.enter(lease(session, 1));
        let mut second = calls.enter(lease(session, 2));
        // The end of an attempt that was overtaken takes nothing from the one that came after it.
        drop(first);
        calls.say(session, progress()).await.unwrap();
        assert!(matches!(second.next().await, Some(Call::Progress { .. })));
        assert_eq!(calls.lease(session).map(|lease| lease.fence), Some(2));
        drop(second);
        assert!(calls.say(session, progress()).await.is_err());
    }
}
