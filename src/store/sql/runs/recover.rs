//! Ending what a dead hub left, and giving back what only waited for a person.

use super::release::GiveBack;
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        ids::{HubId, RunId, SessionId},
        run::{AttemptOutcome, RunState},
    },
    store::{
        Lease, Release, StoreError,
        sql::{
            settle::{Settlement, settle},
            tx::Tx,
            value::values,
            words::state,
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

/// O(leases): no more than the caps allow.
pub(in crate::store::sql) const HELD: &str = "SELECT s.lease_holder AS holder, s.fence, s.id AS session, r.id AS run, r.state, r.attempt, r.cancel_requested \
 FROM session s INDEXED BY session_active JOIN run r ON r.id=s.head_run WHERE s.lease_holder IS NOT NULL";

/// Whatever is held by none of these.
#[derive(Debug)]
pub(super) struct Recover {
    pub(super) alive: Vec<HubId>,
}

#[derive(FromRow)]
struct Held {
    holder: Uuid,
    fence: i64,
    session: Uuid,
    run: Uuid,
    state: String,
    #[sqlx(try_from = "i64")]
    attempt: u32,
    cancel_requested: bool,
}

impl Held {
    /// Its agent was waiting, not working: the run goes back to the queue, and what it asks stays open.
    async fn give_back(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let lease = Lease {
            run: RunId(self.run),
            session: SessionId(self.session),
            fence: self.fence,
            attempt: self.attempt,
        };
        let release = Release {
            waiting: None,
            delay_ms: 0,
            reason: "the hub that ran it died while it waited for an answer".to_owned(),
        };
        GiveBack { lease, release }
            .back(tx, AttemptOutcome::Lost)
            .await
    }
}

#[async_trait]
impl Write for Recover {
    type Answer = Vec<RunId>;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Vec<RunId>, StoreError> {
        let held: Vec<Held> = tx.all(HELD, values![]).await?;
        let fault = Fault::new(ErrorKind::HubLost, "the hub that ran it died")
            .hint("look at what it left, then delegate again with this run as `previous`");
        let mut ended = Vec::new();
        for lost in held {
            if self.alive.contains(&HubId(lost.holder)) {
                continue;
            }
            if state(&lost.state)? == RunState::InputRequired && !lost.cancel_requested {
                lost.give_back(tx).await?;
                continue;
            }
            let (state, error) = if lost.cancel_requested {
                (RunState::Cancelled, None)
            } else {
                (RunState::Failed, Some(&fault))
            };
            let settlement = Settlement {
                outcome: Some(AttemptOutcome::Lost),
                reason: Some(&fault.detail),
                error,
                ..Settlement::new(lost.run, Some(lost.fence), state)
            };
            if settle(tx, &settlement).await? {
                ended.push(RunId(lost.run));
            }
        }
        Ok(ended)
    }
}
