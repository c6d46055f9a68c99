//! Prolonging leases.

use crate::{
    domain::ids::{HubId, RunId, SessionId},
    store::{
        Lease, Renewed, StoreError,
        sql::{connection::Readers, tx::Tx, value::values, writer::Write},
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// By the end of the lease rather than its holder: else PostgreSQL, while it takes few sessions to be leased, looks at all that are.
pub(in crate::store::sql) const RENEW: &str = "UPDATE session SET lease_until=$4 WHERE id=$1 AND fence=$2 AND head_run=$3 AND lease_until>0 \
 RETURNING (SELECT cancel_requested FROM run WHERE run.id=$3)";

pub(in crate::store::sql) const OVERDUE: &str = "SELECT s.id AS session, s.fence, r.id AS run, r.attempt FROM session s INDEXED BY session_active \
 CROSS JOIN run r ON r.id=s.head_run WHERE s.lease_holder IS NOT NULL AND s.lease_holder=$1 AND s.lease_until<CAST(unixepoch('subsec')*1000 AS INTEGER)";

#[derive(Deserialize, FromRow)]
struct Overdue {
    session: Uuid,
    fence: i64,
    run: Uuid,
    #[sqlx(try_from = "i64")]
    attempt: u32,
}

/// Those of a holder whose time is over.
pub(super) async fn overdue(readers: &Readers, holder: HubId) -> Result<Vec<Lease>, StoreError> {
    let found: Vec<Overdue> = readers.all(OVERDUE, values![holder.0]).await?;
    let lease = |one: Overdue| Lease {
        run: RunId(one.run),
        session: SessionId(one.session),
        fence: one.fence,
        attempt: one.attempt,
    };
    Ok(found.into_iter().map(lease).collect())
}

/// Leases that go on.
#[derive(Debug)]
pub(super) struct Renew {
    pub(super) leases: Vec<Lease>,
    pub(super) lease_ms: i64,
}

#[async_trait]
impl Write for Renew {
    type Answer = Vec<Renewed>;
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Vec<Renewed>, StoreError> {
        let mut renewed = Vec::with_capacity(self.leases.len());
        for lease in &self.leases {
            let cancel: Option<bool> = tx
                .optional_scalar(
                    RENEW,
                    values![
                        lease.session.0,
                        lease.fence,
                        lease.run.0,
                        tx.now.saturating_add(self.lease_ms)
                    ],
                )
                .await?;
            renewed.push(Renewed {
                lease: *lease,
                held: cancel.is_some(),
                cancel_requested: cancel.unwrap_or(false),
            });
        }
        Ok(renewed)
    }
}
