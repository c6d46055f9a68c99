//! Taking runs from holders that are dead, or whose lease is over.

use super::back::{Returned, hand_back};
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        ids::{HubId, RunId, SessionId},
        policy::{Asking, Policy},
        retry::{Case, Left, Retry, Verdict, decide, is_confined},
        run::{AttemptOutcome, RunState, Waiting},
        spent::Spent,
        time::Timestamp,
    },
    store::{
        Lease, StoreError,
        sql::{
            place::Place,
            settle::{Settlement, settle},
            tx::Tx,
            value::values,
            words::{json, state, unjson_of, unword},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// O(leases): no more than the caps allow.
pub(in crate::store::sql) const HELD: &str = "SELECT s.place, s.lease_holder AS holder, s.lease_until, s.fence, s.id AS session, s.agent, r.id AS run, r.state, \
 r.attempt, r.cancel_requested, r.retry, r.policy, r.isolation, r.leftover, a.touched, a.pid, a.started_at AS begun_at \
 FROM session s INDEXED BY session_active JOIN run r ON r.id=s.head_run LEFT JOIN attempt a ON a.run=r.id AND a.n=r.attempt \
 WHERE s.lease_holder IS NOT NULL";

/// Whatever of a place is held by none of these.
#[derive(Debug)]
pub(super) struct Recover {
    pub(super) alive: Vec<HubId>,
    pub(super) place: Place,
}

#[derive(FromRow, Deserialize)]
struct Held {
    place: String,
    holder: Uuid,
    lease_until: i64,
    fence: i64,
    session: Uuid,
    agent: String,
    run: Uuid,
    state: String,
    #[sqlx(try_from = "i64")]
    attempt: u32,
    cancel_requested: bool,
    retry: Option<String>,
    policy: Option<String>,
    isolation: String,
    leftover: Option<String>,
    touched: Option<String>,
    pid: Option<i64>,
    begun_at: Option<i64>,
}

#[async_trait]
impl Write for Recover {
    type Answer = Vec<RunId>;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Vec<RunId>, StoreError> {
        let own = self.place.get();
        let dead = |held: &Held| held.place == own && !self.alive.contains(&HubId(held.holder));
        take(tx, dead, "the hub that ran it died").await
    }
}

/// Takes runs whose lease is over, but for one's own.
pub(super) async fn expire(tx: &mut Tx<'_>, own: HubId) -> Result<(), StoreError> {
    let now = tx.now;
    let over = |held: &Held| held.lease_until <= now && held.holder != own.0;
    let why = "the hub that ran it did not renew its lease";
    for run in take(tx, over, why).await? {
        tracing::warn!(run.id = %run, "taken from a hub whose lease was over");
    }
    Ok(())
}

/// Takes those of a place whose lease is over.
pub(in crate::store::sql) async fn expire_at(
    tx: &mut Tx<'_>,
    place: &str,
) -> Result<(), StoreError> {
    let now = tx.now;
    let over = |held: &Held| held.lease_until <= now && held.place == place;
    take(tx, over, "its host is gone").await.map(drop)
}

async fn take(
    tx: &mut Tx<'_>,
    is_lost: impl Fn(&Held) -> bool + Send,
    why: &str,
) -> Result<Vec<RunId>, StoreError> {
    let held: Vec<Held> = tx.all(HELD, values![]).await?;
    let mut taken = Vec::new();
    for lost in held.iter().filter(|held| is_lost(held)) {
        lost.take(tx, why).await?;
        taken.push(RunId(lost.run));
    }
    Ok(taken)
}

impl Held {
    fn lease(&self) -> Lease {
        Lease {
            run: RunId(self.run),
            session: SessionId(self.session),
            fence: self.fence,
            attempt: self.attempt,
        }
    }

    /// Gives it back to be tried again, asked about or not; or ends it.
    async fn take(&self, tx: &mut Tx<'_>, why: &str) -> Result<(), StoreError> {
        if self.cancel_requested {
            return self.end(tx, RunState::Cancelled, why, None, None).await;
        }
        let before: Option<Left> = unjson_of(self.leftover.as_deref())?;
        let again = Returned::new(self.lease(), AttemptOutcome::Lost, why);
        if before.as_ref().is_some_and(|left| left.asks) {
            // It came no further than to ask what becomes of the attempt before.
            return hand_back(tx, &again).await;
        }
        let touched: Vec<String> = unjson_of(self.touched.as_deref())?.unwrap_or_default();
        let waits = state(&self.state)? == RunState::InputRequired;
        // An agent that waited, and had changed nothing, was not at work.
        let counts = !waits || !touched.is_empty();
        let case = self.case(tx.now, !touched.is_empty(), counts)?;
        let error = Fault::new(ErrorKind::HubLost, why)
            .hint("look at what it left, then delegate again with this run as `previous`");
        let (delay_ms, asks) = match decide(&case) {
            Verdict::Fail { warning } => {
                let warnings = warning.map(|warning| json(&[warning])).transpose()?;
                let failed = Some((&error, warnings.as_deref()));
                return self.end(tx, RunState::Failed, why, failed, before).await;
            }
            Verdict::Ask => (0, true),
            Verdict::Again { delay_ms } | Verdict::Park { delay_ms } => (delay_ms, false),
        };
        let delay_ms = i64::try_from(delay_ms).unwrap_or(i64::MAX);
        let back = Returned {
            counts,
            waiting: (delay_ms > 0).then_some(Waiting::Retry),
            delay_ms,
            left: Some(self.left(tx.now, error, touched, asks, before)),
            ..again
        };
        hand_back(tx, &back).await
    }

    fn case(&self, now: i64, touched: bool, counts: bool) -> Result<Case, StoreError> {
        let retry: Option<Retry> = unjson_of(self.retry.as_deref())?;
        let policy: Option<Policy> = unjson_of(self.policy.as_deref())?;
        Ok(Case {
            retry: retry.unwrap_or_default(),
            attempt: self.attempt,
            kind: ErrorKind::HubLost,
            retry_at: None,
            parks: 0,
            touched,
            confined: is_confined(unword(self.isolation.clone())?, &self.agent),
            may_ask: policy.unwrap_or_default().ask != Asking::Off,
            counts,
            now: Timestamp(now),
            roll: self.run.as_u64_pair().1,
        })
    }

    /// For the next attempt.
    fn left(
        &self,
        now: i64,
        error: Fault,
        touched: Vec<String>,
        asks: bool,
        before: Option<Left>,
    ) -> Left {
        let prompted = self.pid.is_some() || !touched.is_empty();
        let worked_ms = self.begun_at.map_or(0, |begun| now.saturating_sub(begun));
        let spent = Spent {
            turns: u32::from(prompted),
            wall_ms: u64::try_from(worked_ms).unwrap_or(0),
            ..Spent::default()
        };
        let (spent_before, mut all) =
            before.map_or_else(Default::default, |left| (left.spent, left.touched));
        all.extend(touched);
        all.truncate(16);
        Left {
            attempt: self.attempt,
            outcome: AttemptOutcome::Lost,
            error,
            at: Timestamp(now),
            prompted,
            touched: all,
            asks,
            parks: 0,
            spent: spent_before.plus(spent),
            conclusion: None,
        }
    }

    async fn end(
        &self,
        tx: &mut Tx<'_>,
        state: RunState,
        why: &str,
        failed: Option<(&Fault, Option<&str>)>,
        before: Option<Left>,
    ) -> Result<(), StoreError> {
        let conclusion = before.and_then(|left| left.conclusion);
        let conclusion = conclusion.as_ref().map(json).transpose()?;
        let settlement = Settlement {
            outcome: Some(AttemptOutcome::Lost),
            reason: Some(why),
            error: failed.map(|(error, _)| error),
            warnings: failed.and_then(|(_, warnings)| warnings),
            conclusion: conclusion.as_deref(),
            ..Settlement::new(self.run, Some(self.fence), state)
        };
        if settle(tx, &settlement).await? {
            Ok(())
        } else {
            Err(StoreError::LeaseLost(RunId(self.run)))
        }
    }
}
