//! The hold on an agent that is run once a turn, for one attempt.

use super::turn::Driver;
use crate::{
    agents::{
        acp::{Opened, Opening, Permit, TurnEnd, TurnEvent},
        pool::{Launch, Lineage},
        process::{Launcher, Peak, ProcessHandle},
    },
    domain::{
        fault::{ErrorKind, Fault},
        ids::SessionId,
        run::{Continuity, PersonaRoute},
        turn_form::{NamedBy, Turn, TurnForm},
    },
    stdx::mint,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Cheap to clone. Between two turns there is no process.
#[derive(Clone, Debug)]
pub struct Cli {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) launch: Launch,
    pub(super) form: TurnForm,
    pub(super) launcher: Launcher,
    pub(super) lineage: Lineage,
    /// Over its turns.
    pub(super) peak: Peak,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    opening: Opening,
    next: Next,
    works_for: Option<SessionId>,
    /// Of the turn that is under way, or of the last one.
    process: Option<ProcessHandle>,
    cancelled: CancellationToken,
    /// The last words of the last turn.
    last_words: String,
}

/// What the next turn is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Next {
    /// The first of a conversation, with this id where Eyas names it.
    #[default]
    Unopened,
    Start(Option<String>),
    /// The first of this attempt in an earlier one's conversation.
    Resume(String),
    /// A further one of this attempt; where no id is known it follows upon the one before.
    FollowUp(Option<String>),
}

impl Next {
    pub(super) fn turn(&self) -> Turn<'_> {
        match self {
            Self::Unopened => Turn::Start(None),
            Self::Start(id) => Turn::Start(id.as_deref()),
            Self::Resume(id) => Turn::ResumeById(id),
            Self::FollowUp(id) => Turn::FollowUp(id.as_deref()),
        }
    }

    /// The turn after this one, in which the program named the conversation so, if it did; `in_order`: it did not fail. `None`: as this one.
    pub(super) fn after(
        &self,
        told: Option<&str>,
        in_order: bool,
        form: &TurnForm,
    ) -> Option<Self> {
        let known = |id: &str| Some(Self::FollowUp(Some(id.to_owned())));
        match (self, told) {
            (_, Some(id)) => known(id),
            // Whether it has begun under that name is not known, and a name is used once.
            (Self::Start(Some(_)), None) if form.tells_session() || !in_order => {
                Some(Self::Start(Some(mint_id())))
            }
            (Self::Start(Some(id)) | Self::Resume(id) | Self::FollowUp(Some(id)), None) => {
                known(id)
            }
            // What it was just told is the newest conversation there is.
            (Self::Start(None) | Self::FollowUp(None), None) => {
                (in_order && !form.tells_session()).then_some(Self::FollowUp(None))
            }
            (Self::Unopened, None) => None,
        }
    }

    /// It goes on with something, which the program may have forgotten.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self, Self::Resume(_) | Self::FollowUp(_))
    }
}

impl Cli {
    /// One for `launch`, whose definition is run once a turn in this form.
    #[must_use]
    pub fn new(launch: Launch, form: TurnForm, launcher: Launcher, lineage: Lineage) -> Self {
        let inner = Inner {
            launch,
            form,
            launcher,
            lineage,
            peak: Peak::default(),
            state: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The most memory that any of its turns takes.
    #[must_use]
    pub fn peak_memory(&self) -> Peak {
        self.inner.peak.clone()
    }

    /// A new conversation. No process is started for it; where the program names it, its id is told with the first turn and is empty here.
    #[must_use]
    pub fn open(&self, opening: &Opening) -> Opened {
        let id = (self.inner.form.named_by == NamedBy::Eyas).then(mint_id);
        let session = id.clone().unwrap_or_default();
        self.begin(opening, Next::Start(id), session)
    }

    /// Goes on with the conversation `session`. Whether the program still knows it shows in the turn, which then fails with `not_found`.
    ///
    /// # Errors
    /// `not_found` when the program cannot go on with a conversation by its id.
    pub fn reopen(&self, session: &str, opening: &Opening) -> Result<(Continuity, Opened), Fault> {
        if self.inner.form.resume.is_none() {
            let detail = format!(
                "agent \"{}\" cannot go on with a conversation by its id",
                self.inner.launch.definition.id
            );
            return Err(Fault::new(ErrorKind::NotFound, detail));
        }
        let next = Next::Resume(session.to_owned());
        let opened = self.begin(opening, next, session.to_owned());
        Ok((Continuity::Resumed, opened))
    }

    fn begin(&self, opening: &Opening, next: Next, session: String) -> Opened {
        let mut state = self.state();
        state.opening = opening.clone();
        state.next = next;
        let route = opening.persona.as_ref().map(|_| {
            if self.inner.form.takes_persona() {
                PersonaRoute::Argument
            } else {
                PersonaRoute::PromptBlock
            }
        });
        Opened {
            session,
            route,
            warnings: Vec::new(),
            tools: None,
        }
    }

    /// From now on what runs below this agent has the rights of `session`.
    pub fn works_for(&self, session: SessionId) {
        self.state().works_for = Some(session);
    }

    /// The agent has tools of ours in its turns.
    #[must_use]
    pub fn has_tools(&self) -> bool {
        let given = self.state().opening.reporting.is_some();
        given && super::tools::can_be_given(&self.inner.launch, &self.inner.form)
    }

    /// Runs the program for one turn, and waits for its end; see [`crate::agents::acp::Link::prompt`]. Dropping the future kills it.
    ///
    /// # Errors
    /// `agent_spawn`, `agent_died`, `agent_auth`, `rate_limited`, `overloaded`, `handshake_malformed` (it printed other things than it
    /// should), `timed_out`, `too_large`, `not_found` (the conversation is not known any more), or `internal` for what else it says.
    pub async fn prompt(
        &self,
        text: String,
        permit: Permit,
        events: mpsc::UnboundedSender<TurnEvent>,
    ) -> Result<TurnEnd, Fault> {
        let cancelled = CancellationToken::new();
        let (opening, next, works_for) = {
            let mut state = self.state();
            state.cancelled = cancelled.clone();
            (state.opening.clone(), state.next.clone(), state.works_for)
        };
        let driver = Driver {
            cli: self.clone(),
            opening,
            next,
            works_for,
            cancelled,
        };
        driver.drive(text, permit, events).await
    }

    /// Asks the turn that is under way to end.
    pub fn cancel(&self) {
        self.state().cancelled.cancel();
    }

    /// Has the process of the turn, and all it started, killed now.
    pub fn kill(&self) {
        if let Some(process) = &self.state().process {
            process.kill();
        }
    }

    /// A process is still there.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let process = self.state().process.clone();
        process.is_some_and(|process| process.exit().is_none())
    }

    /// Returns when no process of a turn is left.
    pub async fn exited(&self) {
        let process = self.state().process.clone();
        if let Some(process) = process {
            process.exited().await;
        }
    }

    /// The process of the turn, or of the last one.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.state().process.as_ref().map(ProcessHandle::pid)
    }

    /// The last 64 KiB of the last turn's stderr, redacted.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        let state = self.state();
        match &state.process {
            Some(process) => process.stderr_tail(),
            None => state.last_words.clone(),
        }
    }

    pub(super) fn runs(&self, process: ProcessHandle) {
        self.state().process = Some(process);
    }

    /// The turn is over, and its process is let go.
    pub(super) fn rests(&self, next: Option<Next>) {
        let mut state = self.state();
        if let Some(process) = state.process.take_if(|process| process.exit().is_some()) {
            state.last_words = process.stderr_tail();
        }
        if let Some(next) = next {
            state.next = next;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// As programs take it: a random UUID, in lower case.
fn mint_id() -> String {
    mint().to_string()
}
