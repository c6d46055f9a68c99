//! Further turns of an attempt: what was said to its run since, one input after the other.
//!
//! The run ends with a turn after which no input waits. The store decides that, in the write that ends the run: what comes between the last
//! look and the end makes the end wait, and the attempt goes on.

use super::{
    attempt::{Attempt, Ready},
    calls::Between,
    ending::End,
    preamble,
    ties::Stop,
};
use crate::{
    agents::{acp::TurnEnd, pool::Contact},
    domain::{
        event::EventKind,
        fault::{ErrorKind, Fault},
        input::InputMode,
        run::{Continuity, Warning},
        usage::Usage,
    },
    store::{Finish, InputsWaiting, StoreError, TakenInput},
};
use std::{future::Future, pin::Pin, time::Duration};
use tokio::time::Instant;

/// For an input that came while the turn was about to begin, and then as the safety net: another hub may have taken it in.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LOOK: Duration = Duration::from_secs(5);
/// Before a database that could not be written to is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Where an attempt is among the turns of its run.
#[derive(Default)]
pub(super) struct Course {
    /// The input whose turn it is; `None`: the run's prompt.
    input: Option<TakenInput>,
    /// That turn has ended in order, and the store does not know it yet.
    ended: bool,
    /// It was cancelled for an input.
    interrupted: bool,
    /// Turns that were put.
    pub(super) put: u32,
    /// Of the turns before it.
    usage: Option<Usage>,
    duration_ms: i64,
    /// The agent's own id of the conversation, once this attempt has it.
    pub(super) conversation: Option<String>,
    pub(super) continuity: Option<Continuity>,
    /// Its agent is run once a turn, and may find out in a turn that it has forgotten the conversation.
    pub(super) by_turn: bool,
    /// It has: nobody asks it for that of an earlier attempt any more.
    pub(super) lost: bool,
    /// What stands before an input in a conversation that goes on.
    pub(super) lead: String,
    /// An agent of this attempt alone, until the end is written.
    kept: Option<Ready>,
    between: Option<Between>,
}

impl Course {
    /// Number of the input whose turn it is.
    fn turn(&self) -> i64 {
        self.input.as_ref().map_or(0, |taken| taken.input.seq)
    }

    /// What all turns have cost, the last one with it.
    pub(super) fn spent(&self, last: Option<Usage>) -> Option<Usage> {
        match (self.usage, last) {
            (Some(before), Some(last)) => Some(before.plus(last)),
            (before, last) => before.or(last),
        }
    }
}

/// Listens for inputs that a turn is to be cancelled for.
#[derive(Debug)]
pub(super) struct Interrupts {
    contact: Contact,
    session: String,
    /// `None` once it was cancelled.
    look: Option<Instant>,
}

impl Interrupts {
    pub(super) fn new(contact: Contact, session: String) -> Self {
        let look = Some(Instant::now() + FIRST_LOOK);
        Self {
            contact,
            session,
            look,
        }
    }

    /// When to look unasked.
    pub(super) fn due(&self) -> Option<Instant> {
        self.look
    }
}

impl Attempt<'_> {
    /// Turn after turn, until one ends after which no input waits, or otherwise than in order.
    pub(super) async fn turns(
        &mut self,
        mut ready: Ready,
        mut stopped: Pin<&mut impl Future<Output = Stop>>,
    ) -> End {
        loop {
            self.course.between = None;
            self.hear_late();
            self.course.put = self.course.put.saturating_add(1);
            self.pump.count_turn();
            let (end, duration_ms, at) = match self.turn(ready, stopped.as_mut()).await {
                Ok(turned) => turned,
                Err(End::Fault { fault, .. }) if self.is_deaf_to_interruption(&fault) => {
                    // Its conversation is of no further use; the input is put in another.
                    return self.anew(stopped).await;
                }
                Err(End::Fault { fault, .. })
                    if self.course.by_turn
                        && fault.kind == ErrorKind::NotFound
                        && self.touched.is_empty() =>
                {
                    tracing::info!(run.id = %self.claimed.lease.run, %fault, "its conversation is lost; once more in a new one");
                    return self.afresh(stopped).await;
                }
                Err(end) => return end,
            };
            self.course.ended = true;
            self.course.between = Some(self.tools.calls.rest(self.claimed.lease));
            let spent = self.spent(self.course.spent(end.usage));
            let next = match self.claimed.budget.bars(&spent) {
                Some(_) => Ok(None),
                None => self.next().await,
            };
            match next {
                Ok(Some(prompt)) => {
                    self.pass(&end, duration_ms);
                    ready = Ready { prompt, ..at };
                }
                Ok(None) => {
                    self.leave(at);
                    let usage = self.course.spent(end.usage);
                    self.course.usage = usage;
                    let duration_ms = duration_ms.saturating_add(self.course.duration_ms);
                    let end = TurnEnd { usage, ..end };
                    return End::Turn { end, duration_ms };
                }
                Err(fault) => {
                    at.berth.forsake();
                    return End::fault(fault);
                }
            }
        }
    }

    /// What the agent is told first: the run's prompt, or the input whose turn it is when that of the prompt has ended before.
    pub(super) async fn first_words(&mut self, lead: String) -> Result<String, Fault> {
        let goes_on = self.claimed.prompted || self.course.ended || self.course.input.is_some();
        let is_due = self.course.input.is_some() && !self.course.ended;
        if !goes_on || !(is_due || self.take().await?) {
            return Ok(lead + &self.claimed.run.prompt);
        }
        let lost = matches!(
            self.course.continuity,
            None | Some(Continuity::New | Continuity::Recalled)
        );
        let lead = if lost {
            lead + &self.said_before().await
        } else {
            lead
        };
        Ok(lead + &self.put())
    }

    /// Goes on after an end that did not hold: an input came before it was written.
    pub(super) async fn further(
        &mut self,
        finish: Finish,
        stopped: Pin<&mut impl Future<Output = Stop>>,
    ) -> End {
        self.take_back(finish);
        let stop = *self.stop.borrow();
        if let Some(why) = stop {
            return self.rest(why).await;
        }
        let spent = self.spent(self.course.usage);
        if let Some(fault) = self.claimed.budget.bars(&spent) {
            return End::fault(fault);
        }
        let Some(at) = self.course.kept.take() else {
            return self.anew(stopped).await;
        };
        match self.take().await {
            Ok(true) => {
                let prompt = self.course.lead.clone() + &self.put();
                self.turns(Ready { prompt, ..at }, stopped).await
            }
            Ok(false) => self.nothing_left().await,
            Err(fault) => End::fault(fault),
        }
    }

    /// Cancels the turn when an input waits that is to interrupt it. Whether it did.
    pub(super) async fn look(&mut self, interrupts: &mut Interrupts) -> bool {
        if interrupts.look.is_none() {
            return false;
        }
        interrupts.look = Some(Instant::now() + LOOK);
        match self
            .tools
            .store
            .inputs
            .waiting(self.claimed.lease.run)
            .await
        {
            Ok(InputsWaiting::Interrupt) => {
                interrupts.look = None;
                self.course.interrupted = true;
                self.pump.step("is interrupted");
                interrupts.contact.cancel(&interrupts.session);
                true
            }
            Ok(InputsWaiting::Something | InputsWaiting::Nothing) => false,
            Err(error) => {
                tracing::warn!(run.id = %self.claimed.lease.run, %error, "inputs were not looked for");
                false
            }
        }
    }

    /// The next prompt, if an input waits. Whoever must stop takes none.
    async fn next(&mut self) -> Result<Option<String>, Fault> {
        if self.stop.borrow().is_some() {
            return Ok(None);
        }
        // A look costs no commit, and what it misses makes the end wait.
        let waiting = self
            .tools
            .store
            .inputs
            .waiting(self.claimed.lease.run)
            .await;
        match waiting {
            Ok(InputsWaiting::Something | InputsWaiting::Interrupt) => {}
            Ok(InputsWaiting::Nothing) | Err(_) => return Ok(None),
        }
        if !self.take().await? {
            return Ok(None);
        }
        Ok(Some(self.course.lead.clone() + &self.put()))
    }

    /// Takes the next input under the fence; `false` when none waits. What is taken stays taken until its turn has ended.
    async fn take(&mut self) -> Result<bool, Fault> {
        let lease = self.claimed.lease;
        loop {
            let ended = self.course.ended.then(|| self.course.turn());
            match self.tools.store.inputs.take(lease, ended).await {
                Ok(Some(taken)) => {
                    self.course.input = Some(taken);
                    self.course.ended = false;
                    return Ok(true);
                }
                Ok(None) => return Ok(false),
                Err(StoreError::Unavailable(error)) => {
                    tracing::warn!(run.id = %lease.run, %error, "an input was not taken");
                }
                Err(error) => return Err(error.into()),
            }
            let mut stop = self.stop.clone();
            let told = stop.wait_for(Option::is_some);
            if tokio::time::timeout(AGAIN, told).await.is_ok() {
                return Ok(false);
            }
        }
    }

    /// The words of the input whose turn it is.
    fn put(&mut self) -> String {
        let interrupted = std::mem::take(&mut self.course.interrupted);
        let Some(TakenInput { input, again }) = &self.course.input else {
            return self.claimed.run.prompt.clone();
        };
        let interrupting = interrupted && input.mode == InputMode::Interrupt;
        let text = preamble::input(&input.message, *again, interrupting);
        self.report = None;
        self.pump.next_turn();
        self.pump.step("has an input");
        text
    }

    /// A turn is over, and another follows.
    fn pass(&mut self, end: &TurnEnd, duration_ms: i64) {
        self.course.usage = self.course.spent(end.usage);
        self.course.duration_ms = self.course.duration_ms.saturating_add(duration_ms);
        let denied =
            |title| Warning::new("permission_denied", format!("rejected unasked: {title}"));
        self.warnings.extend(end.denied.iter().map(denied));
    }

    /// Gives the berth back, so that whoever comes next in the session finds its conversation open. An agent of this attempt alone stays: if
    /// the end does not hold, nobody else has the conversation.
    fn leave(&mut self, at: Ready) {
        if at.berth.is_cold() {
            self.course.kept = Some(at);
        } else {
            at.berth.settle(at.opening);
        }
    }

    fn is_deaf_to_interruption(&self, fault: &Fault) -> bool {
        self.course.interrupted && fault.kind == ErrorKind::Stalled
    }

    /// In a berth and a conversation that have to be found again.
    async fn anew(&mut self, stopped: Pin<&mut impl Future<Output = Stop>>) -> End {
        self.heard = false;
        self.stderr_tail = None;
        self.course.ended = true;
        Box::pin(self.work(stopped)).await
    }

    /// What was put was not heard: it is put once more, in a new conversation.
    async fn afresh(&mut self, stopped: Pin<&mut impl Future<Output = Stop>>) -> End {
        self.heard = false;
        self.stderr_tail = None;
        self.course.lost = true;
        self.course.conversation = None;
        Box::pin(self.work(stopped)).await
    }

    /// What an end would have written is the attempt's again.
    fn take_back(&mut self, finish: Finish) {
        let mut progress = finish.progress;
        progress
            .events
            .retain(|event| event.kind != EventKind::Concluded);
        self.pump.put_back(progress);
        self.warnings = finish.warnings;
        self.stderr_tail = finish.stderr_tail;
        if let Some(conclusion) = finish.conclusion {
            self.course.duration_ms = conclusion.duration_ms;
        }
    }

    /// Stops between two turns; that the last one has ended is not forgotten.
    async fn rest(&mut self, why: Stop) -> End {
        let (lease, turn) = (self.claimed.lease, self.course.turn());
        // What it touched it has also finished.
        self.touched.clear();
        let store = &self.tools.store;
        let told = async {
            store.runs.append(lease, self.pump.take()).await?;
            store.inputs.turn_ended(lease, turn).await
        };
        if let Err(error) = told.await {
            tracing::warn!(run.id = %lease.run, %error, "the end of a turn was not written");
        }
        End::Stopped { why, usage: None }
    }

    /// An input waited, and none was to be had: the attempt must stop meanwhile.
    async fn nothing_left(&mut self) -> End {
        let stop = *self.stop.borrow();
        match stop {
            Some(why) => self.rest(why).await,
            None => End::fault(Fault::internal("an input that waited is gone")),
        }
    }

    /// What was said before in a conversation that is lost.
    async fn said_before(&self) -> String {
        let run = &self.claimed.run;
        let said = self.tools.store.inputs.of(run.id).await.unwrap_or_default();
        let now = self.course.turn();
        let put = said
            .iter()
            .filter(|input| input.delivered_at.is_some() && input.seq != now)
            .map(|input| input.message.as_str());
        preamble::so_far(std::iter::once(run.prompt.as_str()).chain(put))
    }
}
