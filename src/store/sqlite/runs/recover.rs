//! Ending what a dead hub left.

use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        ids::{HubId, RunId},
        run::{AttemptOutcome, RunState},
    },
    store::{
        StoreError,
        sqlite::{
            settle::{Settlement, settle},
            tx::Tx,
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

/// O(leases): no more than the caps allow.
pub(in crate::store::sqlite) const HELD: &str = "SELECT s.lease_holder AS holder, s.fence, r.id AS run, r.cancel_requested \
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
    run: Uuid,
    cancel_requested: bool,
}

#[async_trait]
impl Write for Recover {
    type Answer = Vec<RunId>;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Vec<RunId>, StoreError> {
        let held: Vec<Held> = sqlx::query_as(HELD).fetch_all(&mut *tx.connection).await?;
        let fault = Fault::new(ErrorKind::HubLost, "the hub that ran it died")
            .hint("look at what it left, then delegate again with this run as `previous`");
        let mut ended = Vec::new();
        for lost in held {
            if self.alive.contains(&HubId(lost.holder)) {
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
