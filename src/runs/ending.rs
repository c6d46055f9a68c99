//! How an attempt ended, and how that is written: under its fence, until it is written or the fence is stale.

use super::{
    attempt::Attempt,
    conclusion::{Seen, cited, conclude},
    ties::Stop,
};
use crate::{
    agents::{acp::TurnEnd, definitions::EMBEDDED, process::Peak},
    domain::{
        conclusion::{Conclusion, ConclusionSource, ConclusionStatus},
        event::{EventKind, NewEvent},
        fault::{ErrorKind, Fault},
        ids::HubId,
        policy::Grounds,
        retry::Left,
        run::{AttemptOutcome, RunState, Waiting, Warning},
        usage::Usage,
    },
    store::{Back, Claimed, Finish, Lease, Progress, Release, Store, StoreError},
};
use serde_json::json;
use std::time::Duration;
use tokio::{sync::watch, time::Instant};

/// A run that waits for an environment value is looked at again, unasked, after so long.
const ENVIRONMENT_MS: i64 = 3_600_000;
/// Before a run that met a pool about to end is claimed again: by another hub, if all goes well.
const BUSY_MS: i64 = 1_000;
/// Between two tries to write an end; doubled up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// How the work ended, before it is written.
pub(super) enum End {
    Turn {
        end: TurnEnd,
        duration_ms: i64,
    },
    Fault {
        fault: Fault,
        usage: Option<Usage>,
    },
    Stopped {
        why: Stop,
        usage: Option<Usage>,
    },
    /// A person, or nobody, let what the attempt before left be the end.
    Given(Box<Left>),
}

impl End {
    /// Nothing was used up.
    pub(super) fn fault(fault: Fault) -> Self {
        Self::Fault { fault, usage: None }
    }
}

/// What is to be written.
#[derive(Debug)]
pub(super) enum Record {
    /// The session may be another attempt's.
    Nothing,
    Release(Release),
    /// It is tried again.
    Back(Box<Back>),
    Finish(Box<Finish>),
}

/// What came of writing it.
#[derive(Debug)]
pub(super) enum Written {
    /// It does not hold, as an input waits.
    Refused(Box<Finish>),
    Over(Next),
    /// Not by us: the session may be another attempt's.
    Lost,
}

/// What is to be begun in place of what ended.
#[derive(Debug)]
pub(super) enum Next {
    /// Nobody looked.
    Unknown,
    Nothing,
    /// Claimed as the end was written; after this moment.
    Run(Box<Claimed>, Instant),
}

impl Attempt<'_> {
    /// What is to be written of this end.
    pub(super) async fn record(&mut self, end: End) -> Record {
        let mut record = match end {
            End::Turn { end, duration_ms } => return self.turned(&end, duration_ms).await,
            End::Given(left) => return self.given(*left),
            End::Stopped { why, usage } => self.stopped(why, self.course.spent(usage)),
            End::Fault { fault, usage } => self.faulted(fault, self.course.spent(usage)),
        };
        if !self.pump.tally().has_begun() {
            return record;
        }
        // However it ended, what was reported and done is there.
        match &mut record {
            Record::Finish(finish) => {
                let conclusion = self.so_far(finish.state, finish.usage).await;
                if worth_writing(&conclusion) {
                    conclude_with(finish, conclusion);
                }
            }
            Record::Back(back) if !self.touched.is_empty() => {
                if let Some(left) = &mut back.left {
                    let usage = Some(left.spent.usage);
                    left.conclusion = Some(self.so_far(RunState::Failed, usage).await);
                }
            }
            Record::Nothing | Record::Release(_) | Record::Back(_) => {}
        }
        record
    }

    /// What was said and done in a turn that did not come to its end.
    async fn so_far(&mut self, state: RunState, usage: Option<Usage>) -> Conclusion {
        let said = self.pump.tally().said().to_owned();
        let seen = Seen {
            state: Some(state),
            duration_ms: self.pump.tally().duration_ms(),
            usage,
            ..Seen::default()
        };
        self.conclusion(&said, seen).await
    }

    fn faulted(&mut self, fault: Fault, usage: Option<Usage>) -> Record {
        if fault.kind == ErrorKind::LeaseLost {
            Record::Nothing
        } else if fault.kind == ErrorKind::EnvironmentMissing {
            release(Some(Waiting::Environment), ENVIRONMENT_MS, fault.detail)
        } else if fault.kind == ErrorKind::Busy {
            release(Some(Waiting::Slot), BUSY_MS, fault.detail)
        } else {
            self.judged(fault, AttemptOutcome::Failed, usage)
        }
    }

    fn stopped(&mut self, why: Stop, usage: Option<Usage>) -> Record {
        let (state, outcome, error) = match why {
            Stop::LeaseLost => return Record::Nothing,
            Stop::HubEnds => return self.interrupted(usage),
            Stop::Unrenewed => {
                let detail = "its lease could not be renewed in time, so its work was ended";
                let fault = Fault::new(ErrorKind::HubLost, detail);
                return self.judged(fault, AttemptOutcome::Lost, usage);
            }
            Stop::Cancelled => (RunState::Cancelled, AttemptOutcome::Cancelled, None),
            Stop::TimedOut => {
                let detail = "the run took longer than its timeout_ms";
                let fault = Fault::new(ErrorKind::TimedOut, detail);
                (RunState::TimedOut, AttemptOutcome::TimedOut, Some(fault))
            }
        };
        self.finish(state, outcome, error, usage)
    }

    /// `usage` is this attempt's.
    pub(super) fn finish(
        &mut self,
        state: RunState,
        outcome: AttemptOutcome,
        error: Option<Fault>,
        usage: Option<Usage>,
    ) -> Record {
        let usage = self.spent(usage).usage;
        Record::Finish(Box::new(Finish {
            usage: Some(usage).filter(|usage| !usage.is_empty()),
            warnings: std::mem::take(&mut self.warnings),
            stderr_tail: self.stderr_tail.take(),
            progress: self.pump.take(),
            ..bare(state, outcome, error)
        }))
    }

    async fn turned(&mut self, end: &TurnEnd, duration_ms: i64) -> Record {
        let denied =
            |title| Warning::new("permission_denied", format!("rejected unasked: {title}"));
        self.warnings.extend(end.denied.iter().map(denied));
        let (mut state, mut outcome, mut error) = judge(&end.stop_reason);
        let spent = self.spent(end.usage);
        if let Some(reached) = self.claimed.budget.reached(&spent)
            && state != RunState::Cancelled
        {
            (state, outcome, error) = (RunState::Failed, AttemptOutcome::Failed, Some(reached));
        }
        let seen = Seen {
            state: Some(state),
            duration_ms,
            usage: end.usage,
            stop_reason: Some(end.stop_reason.clone()),
            ..Seen::default()
        };
        let mut conclusion = self.conclusion(&end.text, seen).await;
        let run = &self.claimed.run;
        let skipped = run.warnings.iter().find(|one| one.kind == "agent_skipped");
        if let Some(skipped) = skipped.filter(|_| run.agent == EMBEDDED) {
            stood_in(&mut conclusion, &skipped.detail);
        }
        let goes_on = error
            .as_ref()
            .is_none_or(|error| error.kind != ErrorKind::BudgetReached);
        self.hear_late();
        let mut record = self.finish(state, outcome, error, end.usage);
        if let Record::Finish(finish) = &mut record {
            finish.unless_input = goes_on;
            conclude_with(finish, conclusion);
        }
        record
    }

    /// What the agent said, checked, and what Eyas saw itself. A hub that ends does not wait for git.
    async fn conclusion(&mut self, answer: &str, seen: Seen) -> Conclusion {
        let hurried = self.hurried();
        let changes = tokio::select! {
            changes = self.witness.changes() => changes.map_err(|error| error.to_string()),
            () = hurried => Err("the hub ended".to_owned()),
        };
        let (changes, unknown) = match changes {
            Ok(changes) => (changes, None),
            Err(why) => (None, Some(format!("what changed is not known: {why}"))),
        };
        let seen = Seen {
            report: self.report.take(),
            tools: Some(self.pump.tally().tools()),
            changes,
            peak_memory_bytes: self.peak.as_ref().and_then(Peak::bytes),
            ..seen
        };
        let mut conclusion = concluded(answer, seen).await;
        conclusion.warnings.extend(unknown);
        if let Some(grounds) = self.witness.grounds.clone() {
            conclusion = looked_for(conclusion, grounds).await;
        }
        let (store, run) = (&self.tools.store, &self.claimed.run);
        if let Err(error) = self.witness.overlaps(store, run, &mut conclusion).await {
            tracing::warn!(run.id = %run.id, %error, "other runs could not be compared");
        }
        conclusion
    }
}

/// A long answer is read beside the loop.
async fn concluded(answer: &str, seen: Seen) -> Conclusion {
    const SHORT: usize = 16 * 1024;
    if answer.len() <= SHORT {
        return conclude(answer, seen);
    }
    let (text, bare) = (answer.to_owned(), seen.clone());
    let read = tokio::task::spawn_blocking(move || conclude(&text, seen));
    read.await.unwrap_or_else(|_broke| conclude("", bare))
}

/// Looks on the disk for what is cited, beside the loop.
async fn looked_for(conclusion: Conclusion, grounds: Grounds) -> Conclusion {
    if conclusion.artifacts.is_empty() {
        return conclusion;
    }
    let unchecked = conclusion.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let mut conclusion = conclusion;
        cited(&mut conclusion, &grounds);
        conclusion
    });
    looked.await.unwrap_or(unchecked)
}

/// A run that ended badly has a conclusion when anything was said or done.
fn worth_writing(conclusion: &Conclusion) -> bool {
    let reported = conclusion.source != ConclusionSource::Synthesized;
    let worked = conclusion
        .tools
        .as_ref()
        .is_some_and(|tools| tools.total > 0);
    let changed = conclusion
        .changes
        .as_ref()
        .is_some_and(|changes| !changes.files.is_empty() || !changes.commits.is_empty());
    reported || worked || changed
}

pub(super) fn conclude_with(finish: &mut Finish, conclusion: Conclusion) {
    let data = json!({"status": conclusion.status, "source": conclusion.source});
    finish.progress.events.push(NewEvent {
        kind: EventKind::Concluded,
        data,
    });
    finish.conclusion = Some(conclusion);
}

fn release(waiting: Option<Waiting>, delay_ms: i64, reason: String) -> Record {
    Record::Release(Release {
        waiting,
        delay_ms,
        reason,
    })
}

/// Back to the queue, for the next hub.
pub(super) fn hub_ends() -> Release {
    Release {
        waiting: None,
        delay_ms: 0,
        reason: "the hub ends".to_owned(),
    }
}

/// Back to the queue, as nobody here heard that it had been claimed.
pub(super) fn unheard() -> Release {
    Release {
        waiting: None,
        delay_ms: 0,
        reason: "it was claimed in a commit that was not heard of".to_owned(),
    }
}

/// An end with nothing more to say of it.
pub(super) fn bare(state: RunState, outcome: AttemptOutcome, error: Option<Fault>) -> Finish {
    Finish {
        state,
        outcome,
        error,
        conclusion: None,
        usage: None,
        warnings: Vec::new(),
        stderr_tail: None,
        progress: Progress::default(),
        unless_input: false,
    }
}

/// The end of an attempt whose own code failed.
pub(super) fn broken(detail: &str) -> Record {
    let fault = Fault::internal(detail);
    let outcome = AttemptOutcome::Failed;
    Record::Finish(Box::new(bare(RunState::Failed, outcome, Some(fault))))
}

/// Facts in place of work are never a whole success. `why` says which agent is missing and how it is installed; what the surveyor says of
/// itself already is said no second time.
fn stood_in(conclusion: &mut Conclusion, why: &str) {
    const FACTS_ONLY: &str = "facts_only";
    if conclusion.status == ConclusionStatus::Success {
        conclusion.status = ConclusionStatus::Partial;
    }
    let warnings = &mut conclusion.warnings;
    match warnings
        .iter_mut()
        .find(|said| said.starts_with(FACTS_ONLY))
    {
        Some(said) => said.push_str(&format!("; {why}")),
        None => warnings.push(format!("{FACTS_ONLY}: {why}")),
    }
}

/// What a stop reason makes of a run. A refusal and a turn that ran out of something are the agent's failures to do the work, not the run's
/// success; a word that nobody knows lowers the conclusion only.
fn judge(stop_reason: &str) -> (RunState, AttemptOutcome, Option<Fault>) {
    let (kind, detail) = match stop_reason {
        "refusal" => (ErrorKind::Refused, "the agent refused"),
        "max_tokens" => (
            ErrorKind::MaxTokens,
            "the agent ran out of tokens before its turn ended",
        ),
        "max_turn_requests" => (
            ErrorKind::BudgetReached,
            "the agent made as many model requests as it may in one turn",
        ),
        "cancelled" => return (RunState::Cancelled, AttemptOutcome::Cancelled, None),
        _ => return (RunState::Succeeded, AttemptOutcome::Succeeded, None),
    };
    let fault = Fault::new(kind, detail);
    (RunState::Failed, AttemptOutcome::Failed, Some(fault))
}

/// Who claims what comes next as an end is written, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claimer {
    pub(super) hub: HubId,
    pub(super) lease_ms: i64,
}

/// Writes it. A database that cannot be written to now is asked again: nobody else will end this run while the hub lives.
pub(super) async fn write(
    store: &Store,
    lease: Lease,
    record: Record,
    mut claimer: Option<Claimer>,
    mut stop: watch::Receiver<Option<Stop>>,
) -> Written {
    let mut pause = PAUSE.0;
    loop {
        // One that is to stop begins nothing more.
        let claimer = claimer.take().filter(|_| stop.borrow().is_none());
        let error = match put(store, lease, &record, claimer).await {
            Ok(next) => return Written::Over(next),
            Err(error) => error,
        };
        if matches!(error, StoreError::InputsWait(_))
            && let Record::Finish(finish) = record
        {
            return Written::Refused(finish);
        }
        tracing::warn!(run.id = %lease.run, run.attempt = lease.attempt, %error, "could not write how an attempt ended");
        if matches!(error, StoreError::LeaseLost(_)) {
            return Written::Lost;
        }
        let over = |stop: &Option<Stop>| matches!(stop, Some(Stop::HubEnds | Stop::LeaseLost));
        // What is not written then is found by the next hub, as that of a hub that died.
        if tokio::time::timeout(pause, stop.wait_for(over))
            .await
            .is_ok()
        {
            return Written::Lost;
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}

async fn put(
    store: &Store,
    lease: Lease,
    record: &Record,
    claimer: Option<Claimer>,
) -> Result<Next, StoreError> {
    let runs = &store.runs;
    match (record, claimer) {
        (Record::Nothing, _) => {}
        (Record::Release(release), _) => runs.release(lease, release.clone()).await?,
        (Record::Back(back), _) => runs.back(lease, (**back).clone()).await?,
        (Record::Finish(finish), None) => runs.finish(lease, (**finish).clone()).await?,
        (Record::Finish(finish), Some(Claimer { hub, lease_ms })) => {
            let before = Instant::now();
            let finish = (**finish).clone();
            let next = runs.finish_and_claim(lease, finish, hub, lease_ms).await?;
            return Ok(next.map_or(Next::Nothing, |run| Next::Run(Box::new(run), before)));
        }
    }
    Ok(Next::Unknown)
}

#[cfg(test)]
mod tests {
    use super::{judge, stood_in};
    use crate::{
        domain::{
            conclusion::ConclusionStatus,
            fault::ErrorKind,
            run::{AttemptOutcome, RunState},
        },
        runs::conclusion::{Seen, conclude},
    };

    #[test]
    fn a_stop_reason_makes_a_state_and_an_outcome() {
        let failed = |kind| (RunState::Failed, AttemptOutcome::Failed, Some(kind));
        for (word, expected) in [
            (
                "end_turn",
                (RunState::Succeeded, AttemptOutcome::Succeeded, None),
            ),
            (
                "from_the_future",
                (RunState::Succeeded, AttemptOutcome::Succeeded, None),
            ),
            ("", (RunState::Succeeded, AttemptOutcome::Succeeded, None)),
            (
                "cancelled",
                (RunState::Cancelled, AttemptOutcome::Cancelled, None),
            ),
            ("refusal", failed(ErrorKind::Refused)),
            ("max_tokens", failed(ErrorKind::MaxTokens)),
            ("max_turn_requests", failed(ErrorKind::BudgetReached)),
        ] {
            let (state, outcome, error) = judge(word);
            assert_eq!((state, outcome, error.map(|e| e.kind)), expected, "{word}");
        }
    }

    #[test]
    fn facts_in_place_of_work_are_said_once_and_are_no_success() {
        let seen = || Seen {
            stop_reason: Some("end_turn".to_owned()),
            ..Seen::default()
        };
        let mut plain = conclude("facts", seen());
        stood_in(&mut plain, "no claude: npm install it");
        assert_eq!(plain.status, ConclusionStatus::Partial);
        assert_eq!(plain.warnings, ["facts_only: no claude: npm install it"]);
        let block = "<eyas:conclusion>\nstatus: partial\nsummary: s\nwarnings: ['facts_only: asked to fix']\n</eyas:conclusion>";
        let mut said = conclude(block, seen());
        stood_in(&mut said, "no claude: npm install it");
        assert_eq!(
            said.warnings,
            ["facts_only: asked to fix; no claude: npm install it"]
        );
    }
}
