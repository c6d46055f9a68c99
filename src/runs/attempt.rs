//! One attempt: brief, berth, session, turn, conclusion. Every write carries the lease's fence; a stale one ends the work.

use super::{
    conclusion::{Seen, conclude},
    dispatch::Stop,
    pump::Pump,
    supply::{Brief, Supply},
};
use crate::{
    agents::{
        acp::{Link, Opening, Permit, TurnEnd},
        pool::{Berth, Pool},
    },
    domain::{
        conclusion::ConclusionStatus,
        event::{EventKind, NewEvent},
        fault::{ErrorKind, Fault},
        policy::Grounds,
        run::{AttemptOutcome, Continuity, Mode, PersonaRoute, RunState, Waiting, Warning},
    },
    stdx::clock,
    store::{Claimed, Finish, Progress, Release, Store, StoreError},
};
use serde_json::json;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

/// What an attempt works with.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    pub(super) store: Store,
    pub(super) pool: Pool,
    pub(super) supply: Arc<dyn Supply>,
}

/// How the work ended, before it is written.
enum End {
    Turn { end: TurnEnd, duration_ms: i64 },
    Fault(Fault),
    Stopped(Stop),
}

/// Where an attempt is: what it holds and what it has to write.
struct Attempt<'a> {
    tools: &'a Tools,
    claimed: &'a Claimed,
    stop: watch::Receiver<Option<Stop>>,
    pump: Pump,
    warnings: Vec<Warning>,
    stderr_tail: Option<String>,
    deadline: Option<Instant>,
    /// The agent and its session, from the beginning of the turn.
    prompted: Option<(Link, String)>,
}

/// Drives a claimed run to its end, or gives it back.
pub(super) async fn drive(tools: &Tools, claimed: Claimed, stop: watch::Receiver<Option<Stop>>) {
    let lease = claimed.lease;
    let mut attempt = Attempt::new(tools, &claimed, stop);
    let end = attempt.work().await;
    let written = attempt.write(end).await;
    if let Err(error) = written {
        tracing::warn!(run.id = %lease.run, run.attempt = lease.attempt, %error, "could not write how an attempt ended");
    }
}

impl<'a> Attempt<'a> {
    fn new(tools: &'a Tools, claimed: &'a Claimed, stop: watch::Receiver<Option<Stop>>) -> Self {
        let left = claimed
            .timeout_ms
            .map(|limit| limit - (clock::now_ms() - claimed.run.created_at.0));
        let deadline =
            left.map(|ms| Instant::now() + Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
        Self {
            tools,
            claimed,
            stop,
            pump: Pump::default(),
            warnings: Vec::new(),
            stderr_tail: None,
            deadline,
            prompted: None,
        }
    }

    /// Everything until the end of the turn. Whatever is under way is dropped when the attempt is stopped; the berth cleans up after it.
    /// The end of a run frees its tree, so it waits until the agent has ended the turn or was given up.
    async fn work(&mut self) -> End {
        let mut stop = self.stop.clone();
        let deadline = self.deadline;
        let stopped = async move {
            let limit = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = limit => Stop::TimedOut,
                asked = stop.wait_for(Option::is_some) => asked.ok().and_then(|stop| *stop).unwrap_or(Stop::HubEnds),
            }
        };
        let end = tokio::select! {
            biased;
            stop = stopped => End::Stopped(stop),
            end = self.run() => end.unwrap_or_else(End::Fault),
        };
        if let (End::Stopped(Stop::Cancelled | Stop::TimedOut), Some((link, session))) =
            (&end, &self.prompted)
        {
            link.at_rest(session).await;
        }
        self.prompted = None;
        end
    }

    async fn run(&mut self) -> Result<End, Fault> {
        let brief = self.tools.supply.brief(self.claimed).await?;
        self.warnings.extend(brief.warnings.clone());
        let mut berth = self.berth(&brief).await?;
        berth.works_for(self.claimed.lease.session);
        let pid = berth.link().process().pid();
        let warm = berth.is_reused();
        self.pump.note(|note| {
            note.warm = Some(warm);
            note.pid = Some(pid);
        });
        let outcome = self.converse(&brief, &berth).await;
        if outcome.is_err() {
            self.stderr_tail =
                Some(berth.link().process().stderr_tail()).filter(|tail| !tail.is_empty());
        }
        let (session, opening, end) = outcome?;
        berth.settle(session, opening).await;
        Ok(end)
    }

    async fn berth(&mut self, brief: &Brief) -> Result<Berth, Fault> {
        let reason = match (self.claimed.run.mode, &brief.cold) {
            (Mode::Warm, Some(reason)) => {
                return Err(Fault::new(
                    ErrorKind::WarmCapReached,
                    format!("no warm agent may serve: {reason}"),
                ));
            }
            (Mode::Cold, _) => "a cold agent was asked for".to_owned(),
            (Mode::Auto, Some(reason)) => reason.clone(),
            (Mode::Auto | Mode::Warm, None) => {
                self.pump.step("finding its agent");
                return self.tools.pool.checkout(brief.launch.clone()).await;
            }
        };
        self.pump.note(|note| note.reason = Some(reason));
        self.pump.step("starting its agent");
        self.tools.pool.cold(brief.launch.clone()).await
    }

    /// Session and turn. Answers the session to keep, what a spare is opened with, and the end.
    async fn converse(
        &mut self,
        brief: &Brief,
        berth: &Berth,
    ) -> Result<(String, Opening, End), Fault> {
        let cwd = PathBuf::from(&self.claimed.session.cwd);
        let opening = Opening {
            cwd: cwd.clone(),
            persona: brief.persona.clone(),
            model: brief.model.clone(),
        };
        let (session, preamble) = self.session(berth, &opening).await?;
        let prompt = preamble + &self.claimed.run.prompt;
        let grounds = Grounds {
            cwd,
            workspace: brief.workspace.clone(),
        };
        let permit = Permit {
            security: brief.security,
            grounds,
        };
        self.prompted = Some((berth.link().clone(), session.clone()));
        let begun = Instant::now();
        let end = self.turn(berth, &session, prompt, permit).await?;
        let duration_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        Ok((session, opening, End::Turn { end, duration_ms }))
    }

    /// The recovery ladder: live, resume, load, and else a new conversation that is told the last conclusion. Answers what must stand
    /// before the prompt.
    async fn session(
        &mut self,
        berth: &Berth,
        opening: &Opening,
    ) -> Result<(String, String), Fault> {
        if let Some(earlier) = &self.claimed.session.agent_session {
            match berth.reopen(earlier, opening).await {
                Ok((continuity, opened)) => {
                    self.learn(&opened.session, opened.route, continuity, opened.warnings);
                    return Ok((opened.session, String::new()));
                }
                Err(fault) if fault.kind == ErrorKind::NotFound => {
                    tracing::info!(run.id = %self.claimed.lease.run, %fault, "the conversation could not be reopened");
                }
                Err(fault) => return Err(fault),
            }
        }
        let opened = berth.open(opening).await?;
        let recalled = self
            .claimed
            .session
            .agent_session
            .as_ref()
            .and(self.claimed.last_conclusion.as_ref());
        let continuity = if recalled.is_some() {
            Continuity::Recalled
        } else {
            Continuity::New
        };
        let mut preamble = String::new();
        if let (Some(PersonaRoute::PromptBlock), Some(persona)) = (opened.route, &opening.persona) {
            preamble = format!("<eyas:persona>\n{persona}\n</eyas:persona>\n\n");
        }
        if let Some(last) = recalled {
            preamble += &format!(
                "<eyas:recall>\nThis conversation began in an earlier session, which ended with:\n{}\n</eyas:recall>\n\n",
                last.summary
            );
        }
        let session = opened.session.clone();
        self.learn(&opened.session, opened.route, continuity, opened.warnings);
        Ok((session, preamble))
    }

    fn learn(
        &mut self,
        session: &str,
        route: Option<PersonaRoute>,
        continuity: Continuity,
        warnings: Vec<Warning>,
    ) {
        self.pump.note(|note| {
            note.persona_route = route;
            note.continuity = Some(continuity);
            note.agent_session = Some(session.to_owned());
        });
        self.warnings.extend(warnings);
    }

    async fn turn(
        &mut self,
        berth: &Berth,
        session: &str,
        prompt: String,
        permit: Permit,
    ) -> Result<TurnEnd, Fault> {
        let (tell, mut told) = mpsc::unbounded_channel();
        let turn = berth.link().prompt(session, prompt, permit, tell);
        tokio::pin!(turn);
        loop {
            let due = self.pump.due();
            let flush = async {
                match due {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(event) = told.recv() => self.pump.push(event),
                end = &mut turn => {
                    while let Ok(event) = told.try_recv() {
                        self.pump.push(event);
                    }
                    return end;
                }
                () = flush => self.flush().await?,
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        let Some(progress) = self.pump.take_ripe() else {
            return Ok(());
        };
        Ok(self
            .tools
            .store
            .runs
            .append(self.claimed.lease, progress)
            .await?)
    }

    /// Writes how it ended, under the fence.
    async fn write(&mut self, end: End) -> Result<(), StoreError> {
        let (store, lease) = (&self.tools.store, self.claimed.lease);
        let finish = match end {
            End::Stopped(Stop::LeaseLost) => return Ok(()),
            End::Stopped(Stop::HubEnds) => return self.release(None, 0, "the hub ends").await,
            End::Fault(fault) if fault.kind == ErrorKind::EnvironmentMissing => {
                return self
                    .release(Some(Waiting::Environment), 3_600_000, &fault.detail)
                    .await;
            }
            End::Fault(fault) if fault.kind == ErrorKind::LeaseLost => {
                return Err(StoreError::LeaseLost(lease.run));
            }
            End::Fault(fault) if fault.kind == ErrorKind::Busy => {
                return self.release(None, 0, &fault.detail).await;
            }
            End::Stopped(Stop::Cancelled) => {
                self.stopped(RunState::Cancelled, AttemptOutcome::Cancelled, None)
            }
            End::Stopped(Stop::TimedOut) => {
                let fault = Fault::new(
                    ErrorKind::TimedOut,
                    "the run took longer than its timeout_ms",
                );
                self.stopped(RunState::TimedOut, AttemptOutcome::TimedOut, Some(fault))
            }
            End::Fault(fault) => {
                self.stopped(RunState::Failed, AttemptOutcome::Failed, Some(fault))
            }
            End::Turn { end, duration_ms } => self.concluded(&end, duration_ms),
        };
        store.runs.finish(lease, finish).await?;
        self.tools.supply.ended(lease.run);
        Ok(())
    }

    async fn release(
        &self,
        waiting: Option<Waiting>,
        delay_ms: i64,
        reason: &str,
    ) -> Result<(), StoreError> {
        let release = Release {
            waiting,
            delay_ms,
            reason: reason.to_owned(),
        };
        self.tools
            .store
            .runs
            .release(self.claimed.lease, release)
            .await
    }

    fn stopped(
        &mut self,
        state: RunState,
        outcome: AttemptOutcome,
        error: Option<Fault>,
    ) -> Finish {
        Finish {
            state,
            outcome,
            error,
            conclusion: None,
            usage: None,
            warnings: std::mem::take(&mut self.warnings),
            stderr_tail: self.stderr_tail.take(),
            progress: self.pump.take(),
        }
    }

    fn concluded(&mut self, end: &TurnEnd, duration_ms: i64) -> Finish {
        for title in &end.denied {
            self.warnings.push(Warning::new(
                "permission_denied",
                format!("rejected unasked: {title}"),
            ));
        }
        let usage = end.usage;
        let seen = Seen {
            duration_ms,
            usage,
            stop_reason: Some(end.stop_reason.clone()),
        };
        let mut conclusion = conclude(&end.text, seen);
        if let Some(fallback) = self
            .claimed
            .run
            .warnings
            .iter()
            .find(|warning| warning.kind == "agent_skipped")
        {
            if conclusion.status == ConclusionStatus::Success {
                conclusion.status = ConclusionStatus::Partial;
            }
            conclusion
                .warnings
                .push(format!("facts_only: {}", fallback.detail));
            self.warnings
                .push(Warning::new("facts_only", fallback.detail.clone()));
        }
        let (state, outcome, error) = judge(&end.stop_reason);
        let mut progress: Progress = self.pump.take();
        let data = json!({"status": conclusion.status, "source": conclusion.source});
        progress.events.push(NewEvent {
            kind: EventKind::Concluded,
            data,
        });
        let conclusion = Some(conclusion);
        let warnings = std::mem::take(&mut self.warnings);
        Finish {
            state,
            outcome,
            error,
            conclusion,
            usage,
            warnings,
            stderr_tail: None,
            progress,
        }
    }
}

/// What a stop reason makes of a run. A refusal and a full context are the agent's failures to do the work, not the run's success.
fn judge(stop_reason: &str) -> (RunState, AttemptOutcome, Option<Fault>) {
    match stop_reason {
        "refusal" => failed(ErrorKind::Refused, "the agent refused"),
        "max_tokens" => failed(
            ErrorKind::MaxTokens,
            "the agent ran out of tokens before its turn ended",
        ),
        "cancelled" => (RunState::Cancelled, AttemptOutcome::Cancelled, None),
        _ => (RunState::Succeeded, AttemptOutcome::Succeeded, None),
    }
}

fn failed(kind: ErrorKind, detail: &str) -> (RunState, AttemptOutcome, Option<Fault>) {
    (
        RunState::Failed,
        AttemptOutcome::Failed,
        Some(Fault::new(kind, detail)),
    )
}
