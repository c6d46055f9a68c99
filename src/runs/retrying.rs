//! What becomes of a run whose attempt did not do its work: tried again, parked, asked about, or ended.

use super::{
    attempt::Attempt,
    ending::{Record, bare, conclude_with},
};
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        policy::Asking,
        retry::{Case, Left, Verdict, decide, is_confined, unknown},
        run::{AttemptOutcome, RunState},
        time::Timestamp,
        usage::Usage,
    },
    stdx::{clock, mint},
    store::{Back, Claimed},
};

/// Calls that are named over all attempts.
const NAMED: usize = 16;

impl Attempt<'_> {
    /// It ended by `fault`; `usage` is what it used up.
    pub(super) fn judged(
        &mut self,
        fault: Fault,
        outcome: AttemptOutcome,
        usage: Option<Usage>,
    ) -> Record {
        if let Some(left) = self.unsettled() {
            // It came no further than to ask what becomes of the attempt before.
            tracing::warn!(attempt = left.attempt, %fault, "it could not be asked whether a run is tried again");
            return self.unchanged(outcome, fault.detail);
        }
        let verdict = decide(&self.case(&fault, true));
        self.carry_out(verdict, fault, outcome, usage, true)
    }

    /// The hub ends in order: that uses no attempt.
    pub(super) fn interrupted(&mut self, usage: Option<Usage>) -> Record {
        let detail = "the hub that ran it ended";
        if self.unsettled().is_some() || !self.pump.tally().has_begun() {
            return self.unchanged(AttemptOutcome::Interrupted, detail.to_owned());
        }
        let fault = Fault::new(ErrorKind::HubLost, detail);
        let verdict = decide(&self.case(&fault, false));
        self.carry_out(verdict, fault, AttemptOutcome::Interrupted, usage, false)
    }

    /// What an attempt before left was let be the end.
    pub(super) fn given(&mut self, left: Left) -> Record {
        let mut finish = bare(RunState::Failed, AttemptOutcome::Failed, Some(left.error));
        finish.warnings.push(unknown());
        finish.usage = Some(left.spent.usage).filter(|usage| !usage.is_empty());
        finish.progress = self.pump.take();
        if let Some(conclusion) = left.conclusion {
            conclude_with(&mut finish, conclusion);
        }
        Record::Finish(Box::new(finish))
    }

    fn case(&self, fault: &Fault, counts: bool) -> Case {
        let Claimed { run, left, .. } = self.claimed;
        Case {
            retry: self.claimed.retry,
            attempt: self.claimed.lease.attempt,
            kind: fault.kind,
            retry_at: fault.retry_at,
            parks: left.as_ref().map_or(0, |left| left.parks),
            touched: !self.touched.is_empty(),
            confined: is_confined(run.isolation, &run.agent),
            may_ask: run.policy.ask != Asking::Off,
            counts,
            now: Timestamp(clock::now_ms()),
            roll: mint().as_u64_pair().1,
        }
    }

    fn carry_out(
        &mut self,
        verdict: Verdict,
        fault: Fault,
        outcome: AttemptOutcome,
        usage: Option<Usage>,
        counts: bool,
    ) -> Record {
        let (delay_ms, asks, parks) = match verdict {
            Verdict::Fail { warning } => {
                self.warnings.extend(warning);
                return self.finish(RunState::Failed, outcome, Some(fault), usage);
            }
            Verdict::Again { delay_ms } => (delay_ms, false, 0),
            Verdict::Park { delay_ms } => {
                let before = self.claimed.left.as_ref().map_or(0, |left| left.parks);
                (delay_ms, false, before.saturating_add(1))
            }
            Verdict::Ask => (0, true, 0),
        };
        let left = Left {
            attempt: self.claimed.lease.attempt,
            outcome,
            at: Timestamp(clock::now_ms()),
            prompted: self.pump.tally().has_begun(),
            touched: self.touched_by_all(),
            asks,
            parks,
            spent: self.spent(usage),
            conclusion: None,
            error: fault,
        };
        Record::Back(Box::new(Back {
            outcome,
            reason: left.error.to_string(),
            counts: counts && parks == 0,
            delay_ms: i64::try_from(delay_ms).unwrap_or(i64::MAX),
            stderr_tail: self.stderr_tail.take(),
            progress: self.pump.take(),
            left: Some(left),
        }))
    }

    /// The next attempt finds what this one found.
    fn unchanged(&mut self, outcome: AttemptOutcome, reason: String) -> Record {
        Record::Back(Box::new(Back {
            outcome,
            reason,
            left: None,
            counts: false,
            delay_ms: if outcome == AttemptOutcome::Interrupted {
                0
            } else {
                1_000
            },
            stderr_tail: None,
            progress: self.pump.take(),
        }))
    }

    fn touched_by_all(&self) -> Vec<String> {
        let before = self.claimed.left.iter().flat_map(|left| &left.touched);
        let mut all: Vec<String> = Vec::new();
        for one in before.chain(&self.touched) {
            if all.len() < NAMED && !all.contains(one) {
                all.push(one.clone());
            }
        }
        all
    }
}
