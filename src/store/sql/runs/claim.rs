//! Claiming sessions.

use crate::{
    domain::{
        event::EventKind,
        ids::{HubId, RunId, SessionId},
        run::RunState,
    },
    store::{
        Claimed, Lease, StoreError,
        sql::{
            connection::Readers,
            log::{Subject, append, event, gone},
            row::{RunRow, SESSION, Session, run_columns},
            tx::Tx,
            value::values,
            words::unjson_of,
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde_json::json as data;
use sqlx::FromRow;
use uuid::Uuid;

/// Up to $1 sessions, the n-th of each class before the n+1-th of any. `k` leaps from class to class in the index, so that classes with
/// nothing ready, as old lanes are, cost nothing. A session whose tree is held is passed over within the index, so that it takes no
/// other's place.
pub(in crate::store::sql) const PICK: &str = "WITH RECURSIVE k(key) AS ( \
  SELECT * FROM (SELECT class_key FROM session INDEXED BY session_ready WHERE ready_rank IS NOT NULL ORDER BY class_key LIMIT 1) \
  UNION ALL SELECT (SELECT n.class_key FROM session n INDEXED BY session_ready WHERE n.ready_rank IS NOT NULL AND n.class_key>k.key \
   ORDER BY n.class_key LIMIT 1) FROM k WHERE k.key IS NOT NULL), \
 f AS MATERIALIZED (SELECT c.class_key key, \
  c.max_concurrent-(SELECT count(*) FROM session a WHERE a.class_key=c.class_key AND a.lease_holder IS NOT NULL) free \
  FROM k CROSS JOIN class c ON c.class_key=k.key), \
 picked AS (SELECT s.id, s.ready_rank, f.free, row_number() OVER (PARTITION BY f.key ORDER BY s.ready_rank, s.id) turn \
  FROM f CROSS JOIN session s WHERE f.free>0 AND s.id IN ( \
   SELECT z.id FROM session z INDEXED BY session_ready WHERE z.class_key=f.key AND z.ready_rank IS NOT NULL \
   AND NOT EXISTS(SELECT 1 FROM session b WHERE b.tree=z.tree AND b.lease_holder IS NOT NULL) \
   ORDER BY z.ready_rank LIMIT $1)) \
 SELECT id FROM picked WHERE turn<=free ORDER BY turn, ready_rank, id LIMIT $1";
pub(in crate::store::sql) const LEASE: &str = "UPDATE session SET fence=fence+1, lease_holder=$2, lease_until=$3, ready_rank=NULL, waiting=NULL \
 WHERE id=$1 AND ready_rank IS NOT NULL \
 AND NOT EXISTS(SELECT 1 FROM session b WHERE b.tree=session.tree AND b.lease_holder IS NOT NULL) \
 RETURNING head_run, fence";
pub(in crate::store::sql) const START: &str = "UPDATE run SET state='running', fence=$2, attempt=attempt+1, event_seq=event_seq+1, \
 started_at=coalesce(started_at,$3), warm=FALSE, step=NULL, tool=NULL, said=NULL, continuity=NULL \
 WHERE id=$1 AND state='queued' RETURNING attempt, event_seq, project, instance";
/// A number given back by a release is used again.
pub(in crate::store::sql) const ATTEMPT: &str = "INSERT INTO attempt(run,n,fence,holder,started_at) VALUES($1,$2,$3,$4,$5) \
 ON CONFLICT(run,n) DO UPDATE SET fence=excluded.fence, holder=excluded.holder, started_at=excluded.started_at, \
 outcome=NULL, reason=NULL, warm=FALSE, persona_route=NULL, pid=NULL, ended_at=NULL, stderr_tail=NULL";
const RUN: &str = concat!(
    "SELECT ",
    run_columns!(),
    " FROM run r JOIN session s ON s.id=r.session WHERE r.id=$1"
);
pub(in crate::store::sql) const REST: &str = "SELECT r.timeout_ms+r.waited_ms AS timeout_ms, (SELECT p.conclusion FROM run p WHERE p.session=r.session AND p.seq<r.seq \
 AND p.conclusion IS NOT NULL ORDER BY p.seq DESC LIMIT 1) AS last FROM run r WHERE r.id=$1";

/// Whether a claim would find something.
pub(super) async fn any(readers: &Readers) -> Result<bool, StoreError> {
    let found: Option<Uuid> = readers.optional_scalar(PICK, values![1]).await?;
    Ok(found.is_some())
}

/// Leases ready sessions.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) holder: HubId,
    pub(super) limit: u32,
    pub(super) lease_ms: i64,
}

#[derive(FromRow)]
struct Started {
    attempt: u32,
    event_seq: i64,
    project: Option<Uuid>,
    instance: Option<Uuid>,
}

#[async_trait]
impl Write for Claim {
    type Answer = Vec<Claimed>;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Vec<Claimed>, StoreError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut claimed = Vec::new();
        while claimed.len() < limit {
            let left = i64::try_from(limit - claimed.len()).unwrap_or(i64::MAX);
            let picked: Vec<Uuid> = tx.scalars(PICK, values![left]).await?;
            // The first of a pick can always be leased, so every round but the last gets further. Others may find that one before them
            // in the same pick took their tree.
            let before = claimed.len();
            for session in picked {
                if let Some(lease) = self.lease(tx, session).await? {
                    claimed.push(read(tx, lease).await?);
                }
            }
            if claimed.len() == before {
                break;
            }
        }
        Ok(claimed)
    }
}

impl Claim {
    async fn lease(&self, tx: &mut Tx<'_>, session: Uuid) -> Result<Option<Lease>, StoreError> {
        let leased: Option<(Uuid, i64)> = tx
            .optional(
                LEASE,
                values![session, self.holder.0, tx.now.saturating_add(self.lease_ms)],
            )
            .await?;
        let Some((run, fence)) = leased else {
            return Ok(None);
        };
        let started: Started = tx
            .optional(START, values![run, fence, tx.now])
            .await?
            .ok_or_else(|| gone(run))?;
        tx.execute(
            ATTEMPT,
            values![run, started.attempt, fence, self.holder.0, tx.now],
        )
        .await?;
        let subject = Subject {
            run,
            project: started.project,
            instance: started.instance,
        };
        let told = event(
            EventKind::Started,
            data!({"attempt": started.attempt, "fence": fence}),
        );
        append(tx, subject, started.event_seq, &told).await?;
        tx.changed(RunId(run), RunState::Running);
        Ok(Some(Lease {
            run: RunId(run),
            session: SessionId(session),
            fence,
            attempt: started.attempt,
        }))
    }
}

async fn read(tx: &mut Tx<'_>, lease: Lease) -> Result<Claimed, StoreError> {
    let run: RunRow = tx.one(RUN, values![lease.run.0]).await?;
    let session: Session = tx.one(SESSION, values![lease.session.0]).await?;
    let (timeout_ms, last): (Option<i64>, Option<String>) =
        tx.one(REST, values![lease.run.0]).await?;
    Ok(Claimed {
        lease,
        run: run.try_into()?,
        session: session.into(),
        timeout_ms,
        last_conclusion: unjson_of(last.as_deref())?,
    })
}
