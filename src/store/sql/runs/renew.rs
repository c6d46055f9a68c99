//! Prolonging leases.

use crate::store::{
    Lease, Renewed, StoreError,
    sql::{tx::Tx, value::values, writer::Write},
};
use async_trait::async_trait;

/// By the end of the lease rather than its holder: else PostgreSQL, while it takes few sessions to be leased, looks at all that are.
pub(in crate::store::sql) const RENEW: &str = "UPDATE session SET lease_until=$4 WHERE id=$1 AND fence=$2 AND head_run=$3 AND lease_until>0 \
 RETURNING (SELECT cancel_requested FROM run WHERE run.id=$3)";

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
