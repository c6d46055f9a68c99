//! One attempt: brief, berth, session, and then its [`super::turn`]. What came of it is written by [`super::ending`].

use super::{
    dispatch::Parts,
    ending::{self, Claimer, End, Next, Written},
    inputs::Course,
    late::Late,
    preamble::{self, briefing, concluding, own_tools},
    pump::Pump,
    resume::note,
    supply::Brief,
    ties::{Stop, Ties},
    vigil::unrenewed,
    witness::Witness,
};
use crate::{
    agents::{
        acp::{Opened, Opening},
        definitions::EMBEDDED,
        pool::Berth,
        process::Peak,
    },
    domain::{
        conclusion::Report,
        fault::{ErrorKind, Fault},
        policy::{Grounds, Policy},
        run::{Continuity, Mode, Warning},
        spent::Spent,
    },
    stdx::{Pause, clock},
    store::{Claimed, StoreError},
};
use std::{path::PathBuf, pin::Pin, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// Beside the time that the agent has to answer a cancellation.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where an attempt is: what it has learnt and has to write.
pub(super) struct Attempt<'a> {
    pub(super) tools: &'a Parts,
    pub(super) claimed: &'a Claimed,
    pub(super) stop: watch::Receiver<Option<Stop>>,
    /// Held while a person is waited for: that time is not the run's.
    pub(super) pause: Pause,
    pub(super) pump: Pump,
    pub(super) warnings: Vec<Warning>,
    pub(super) stderr_tail: Option<String>,
    /// What the agent reported last, by its own tool.
    pub(super) report: Option<Report>,
    pub(super) witness: Witness,
    /// Of its agent's memory.
    pub(super) peak: Option<Peak>,
    /// What may still come of a turn that has ended.
    pub(super) late: Option<Late>,
    /// Its agent was there before.
    reused: bool,
    /// The agent has said or done something.
    pub(super) heard: bool,
    /// The first calls that may have changed something.
    pub(super) touched: Vec<String>,
    /// A person has said that what the attempt before left is tried again.
    pub(super) approved: bool,
    pub(super) course: Course,
}

/// All that a turn needs.
pub(super) struct Ready {
    pub(super) berth: Berth,
    pub(super) session: String,
    pub(super) opening: Opening,
    pub(super) prompt: String,
    pub(super) policy: Policy,
    pub(super) grounds: Grounds,
    /// For the agent to end a cancelled turn.
    pub(super) patience: Duration,
}

/// Drives a claimed run to its end, or gives it back. What is to be begun in its place, for whoever has room for it.
pub(super) async fn drive(
    tools: &Parts,
    claimed: Claimed,
    ties: Ties,
    claimer: Option<Claimer>,
) -> Next {
    let stop = ties.stop.clone();
    let mut attempt = Attempt::new(tools, &claimed, stop.clone());
    let unrenewed = unrenewed(ties.renewed, tools.pace);
    let stopped = stopped(
        stop.clone(),
        attempt.left(),
        attempt.pause.clone(),
        unrenewed,
    );
    tokio::pin!(stopped);
    let mut end = attempt.begin(stopped.as_mut()).await;
    loop {
        let record = attempt.record(end).await;
        let store = &tools.store;
        match ending::write(store, claimed.lease, record, claimer, stop.clone()).await {
            Written::Over(next) => {
                attempt.trail();
                return next;
            }
            Written::Lost => return Next::Unknown,
            Written::Refused(finish) => end = attempt.further(*finish, stopped.as_mut()).await,
        }
    }
}

impl<'a> Attempt<'a> {
    fn new(tools: &'a Parts, claimed: &'a Claimed, stop: watch::Receiver<Option<Stop>>) -> Self {
        Self {
            tools,
            claimed,
            stop,
            pause: Pause::default(),
            pump: Pump::new(Arc::clone(&tools.store.redactor)),
            warnings: Vec::new(),
            stderr_tail: None,
            report: None,
            witness: Witness::default(),
            peak: None,
            late: None,
            reused: false,
            heard: false,
            touched: Vec::new(),
            approved: false,
            course: Course::default(),
        }
    }

    /// What comes before any work: what the attempt before left, and whether more may be spent.
    async fn begin(&mut self, mut stopped: Pin<&mut impl Future<Output = Stop>>) -> End {
        if let Some(end) = self.resume(stopped.as_mut()).await {
            return end;
        }
        if let Some(fault) = self.claimed.budget.bars(&self.spent_before()) {
            return End::fault(fault);
        }
        self.work(stopped).await
    }

    /// Everything until the end of the last turn.
    pub(super) async fn work(&mut self, mut stopped: Pin<&mut impl Future<Output = Stop>>) -> End {
        let end = self.once(stopped.as_mut()).await;
        // An agent may die unseen while it is idle. Nobody has worked yet then, and the pool starts it anew.
        let unlucky =
            matches!(&end, End::Fault { fault, .. } if fault.kind == ErrorKind::AgentDied);
        if unlucky && self.reused && !self.heard {
            tracing::info!(run.id = %self.claimed.lease.run, "its agent was dead; once more with a new one");
            self.stderr_tail = None;
            return self.once(stopped).await;
        }
        end
    }

    /// What the attempts before this one used up.
    pub(super) fn spent_before(&self) -> Spent {
        let left = self.claimed.left.as_ref();
        left.map(|left| left.spent).unwrap_or_default()
    }

    /// What is left of the run's time.
    fn left(&self) -> Option<Duration> {
        let begun = self.claimed.run.created_at.0;
        Some(left(self.claimed.timeout_ms?, begun, clock::now_ms()))
    }

    /// Until there is a session whatever is under way is dropped when the attempt is stopped; the berth cleans up after it.
    async fn once(&mut self, mut stopped: Pin<&mut impl Future<Output = Stop>>) -> End {
        let ready = tokio::select! {
            biased;
            why = stopped.as_mut() => return End::Stopped { why, usage: None },
            ready = self.ready() => ready,
        };
        match ready {
            Ok(ready) => self.turns(ready, stopped).await,
            Err(fault) => End::fault(fault),
        }
    }

    async fn ready(&mut self) -> Result<Ready, Fault> {
        let tools = self.tools;
        if self.claimed.run.worktree.is_some() {
            self.pump.step("preparing its worktree");
        }
        let brief = self.tended(tools.supply.brief(self.claimed)).await?;
        self.warnings.clone_from(&brief.warnings);
        if let Some(ready) = brief.worktree.clone()
            && Some(&ready) != self.claimed.run.worktree.as_ref()
        {
            self.pump.worktree(ready);
        }
        let cwd = PathBuf::from(&self.claimed.session.cwd);
        let grounds = Grounds {
            cwd: cwd.clone(),
            workspace: brief.workspace.clone(),
        };
        let changes_nothing = self.claimed.run.agent == EMBEDDED;
        self.witness.begin(grounds.clone(), changes_nothing);
        let mut berth = self.berth(&brief).await?;
        berth.works_for(self.claimed.lease.session);
        self.reused = berth.is_reused();
        self.course.by_turn = brief.launch.definition.by_turn().is_some();
        self.peak = Some(berth.contact().peak_memory());
        let (warm, pid) = (self.reused, berth.contact().pid());
        self.pump.note(|note| {
            note.warm = Some(warm);
            note.pid = pid;
        });
        let opening = Opening {
            cwd,
            persona: brief.persona,
            model: brief.model,
            reporting: brief.reporting,
        };
        let opened = self.session(&mut berth, &opening).await;
        let (session, preamble) = opened.inspect_err(|_| self.keep_last_words(&berth))?;
        self.witness.ready().await;
        self.pump.begin();
        self.pump.step("has its prompt");
        let lead =
            preamble + &briefing(brief.briefing.as_deref()) + &note(self.claimed.left.as_ref());
        let prompt = self.first_words(lead).await?;
        let close = Duration::from_millis(brief.launch.definition.limits.close_ms);
        Ok(Ready {
            berth,
            session,
            opening,
            prompt,
            policy: brief.policy,
            grounds,
            patience: close + PATIENCE,
        })
    }

    async fn berth(&mut self, brief: &Brief) -> Result<Berth, Fault> {
        let (pool, launch) = (self.tools.pool.clone(), brief.launch.clone());
        let crowded = self.claimed.overflow.map(crowded);
        let reason = match (
            self.claimed.run.mode,
            brief.cold.as_ref().or(crowded.as_ref()),
        ) {
            (Mode::Warm, Some(why)) => return Err(why.clone()),
            (Mode::Cold, _) => "a cold agent was asked for".to_owned(),
            (Mode::Auto, Some(why)) => why.to_string(),
            (mode @ (Mode::Auto | Mode::Warm), None) => {
                self.pump.step("finding its agent");
                match self.tended(pool.checkout(launch.clone())).await {
                    // Another process was quicker to serve this project.
                    Err(why) if why.kind == ErrorKind::ExternalInstance && mode == Mode::Auto => {
                        why.to_string()
                    }
                    berth => return berth,
                }
            }
        };
        self.pump.note(|note| note.reason = Some(reason));
        self.pump.step("starting its agent");
        self.tended(Box::pin(pool.cold(launch))).await
    }

    /// The recovery ladder: live, resume, load, and else a new conversation that is told the last conclusion. Answers what must stand
    /// before the prompt.
    async fn session(
        &mut self,
        berth: &mut Berth,
        opening: &Opening,
    ) -> Result<(String, String), Fault> {
        let claimed = self.claimed;
        let own = self.course.conversation.clone();
        let kept = claimed.session.agent_session.clone();
        if let Some(earlier) = own.or(kept.filter(|_| !self.course.lost)) {
            match self.tended(berth.reopen(&earlier, opening)).await {
                Ok((continuity, opened)) => {
                    return Ok(self.opened(berth, opened, continuity, opening));
                }
                Err(fault) if fault.kind == ErrorKind::NotFound => {
                    tracing::info!(run.id = %claimed.lease.run, %fault, "the conversation could not be reopened");
                }
                Err(fault) => return Err(fault),
            }
        }
        let opened = self.tended(berth.open(opening)).await?;
        let recalled = claimed.session.agent_session.is_some() && claimed.last_conclusion.is_some();
        let continuity = if recalled {
            Continuity::Recalled
        } else {
            Continuity::New
        };
        Ok(self.opened(berth, opened, continuity, opening))
    }

    fn opened(
        &mut self,
        berth: &Berth,
        opened: Opened,
        continuity: Continuity,
        opening: &Opening,
    ) -> (String, String) {
        let route = opened.route;
        // Some are named only in their first turn.
        let session = Some(opened.session.clone()).filter(|session| !session.is_empty());
        self.course.conversation.clone_from(&session);
        self.course.continuity = Some(continuity);
        self.pump.note(|note| {
            note.persona_route = route;
            note.continuity = Some(continuity);
            note.agent_session = session;
        });
        self.warnings.extend(opened.warnings);
        let last = self.claimed.last_conclusion.as_ref();
        let mut preamble = preamble::preamble(continuity, route, opening.persona.as_deref(), last);
        let persona = opening.persona.as_deref();
        self.course.lead = preamble::preamble(Continuity::Live, route, persona, None);
        if self.claimed.run.agent != EMBEDDED {
            let by_tool = berth.contact().has_tools(&opened.session);
            preamble += &concluding(continuity, by_tool);
            self.course.lead += &concluding(Continuity::Live, by_tool);
        }
        preamble += &own_tools(opened.tools.as_deref());
        (opened.session, preamble)
    }

    /// A conversation goes on after what went wrong in one turn, unless it owes us the end of that turn or is not known any more.
    pub(super) fn failed(&mut self, berth: Berth, fault: &Fault) {
        self.keep_last_words(&berth);
        let of_no_use = matches!(
            fault.kind,
            ErrorKind::Stalled | ErrorKind::TimedOut | ErrorKind::TooLarge | ErrorKind::NotFound
        );
        if of_no_use {
            berth.forsake();
        }
    }

    pub(super) fn keep_last_words(&mut self, berth: &Berth) {
        let tail = berth.contact().stderr_tail();
        self.stderr_tail = Some(tail).filter(|tail| !tail.is_empty());
    }

    /// Waits for `work`, and meanwhile writes what is due: a start may take long, and a reader wants to know.
    async fn tended<T>(
        &mut self,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = until(self.pump.due()) => self.flush().await?,
            }
        }
    }

    /// A database that cannot be written to now does not end the work: what is to be written waits.
    pub(super) async fn flush(&mut self) -> Result<(), Fault> {
        let Some(progress) = self.pump.take_ripe() else {
            return Ok(());
        };
        let lease = self.claimed.lease;
        let written = self.tools.store.runs.append(lease, progress.clone());
        match written.await {
            Ok(()) => Ok(()),
            Err(lost @ StoreError::LeaseLost(_)) => Err(lost.into()),
            Err(error) => {
                tracing::warn!(run.id = %lease.run, %error, "progress was not written");
                self.pump.put_back(progress);
                Ok(())
            }
        }
    }
}

/// It was leased beyond the slots of its class, which the warm agent's turns are counted by.
fn crowded(many: u32) -> Fault {
    let detail = format!("more than {many} runs wait for a warm slot");
    Fault::new(ErrorKind::WarmCapReached, detail)
}

/// Why the attempt must stop, once it must.
async fn stopped(
    mut asked: watch::Receiver<Option<Stop>>,
    left: Option<Duration>,
    pause: Pause,
    unrenewed: impl Future<Output = ()>,
) -> Stop {
    let timed_out = async {
        match left {
            Some(left) => pause.sleep(left).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = timed_out => Stop::TimedOut,
        () = unrenewed => Stop::Unrenewed,
        asked = asked.wait_for(Option::is_some) => asked.ok().and_then(|stop| *stop).unwrap_or(Stop::HubEnds),
    }
}

/// A run that was begun in the future, as the clock was set back since, has no more time than it was given.
fn left(timeout_ms: i64, begun: i64, now: i64) -> Duration {
    let gone = now.saturating_sub(begun).max(0);
    let left = timeout_ms.saturating_sub(gone);
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}

pub(super) async fn until(moment: Option<Instant>) {
    match moment {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::left;
    use std::time::Duration;

    #[test]
    fn a_run_has_what_is_left_of_its_time_whatever_the_clock_does() {
        let of = |now| left(1_000, 50_000, now);
        assert_eq!(of(50_000), Duration::from_secs(1));
        assert_eq!(of(50_400), Duration::from_millis(600));
        assert_eq!(of(90_000), Duration::ZERO);
        assert_eq!(of(0), Duration::from_secs(1));
        assert_eq!(left(i64::MAX, i64::MIN, i64::MAX), Duration::ZERO);
    }
}
