//! Claiming sessions.

use super::{
    caps::{room, turns_in_project},
    overflow,
};
use crate::{
    domain::{
        event::EventKind,
        ids::HubId,
        run::{Run, RunState},
    },
    store::{
        Claimed, Lease, SessionRow, StoreError,
        sql::{
            connection::{Readers, Told},
            log::gone,
            place::Place,
            row::{RunRow, run_columns},
            statement::Either,
            tx::Tx,
            value::values,
            words::unjson_of,
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// `k`: the classes of place $2 with something ready, unless its host is draining; by leaps from class to class in the index, so that classes with nothing ready, as old lanes are,
/// cost nothing.
macro_rules! classes_with_ready {
    () => {
        "k(key) AS ( \
          SELECT * FROM (SELECT class_key FROM session INDEXED BY session_ready WHERE ready_rank IS NOT NULL \
           AND class_key>=$2||'/' AND class_key<$2||'0' AND NOT EXISTS(SELECT 1 FROM host h WHERE h.place=$2 AND h.draining) ORDER BY class_key LIMIT 1) AS one \
          UNION ALL SELECT (SELECT n.class_key FROM session n INDEXED BY session_ready WHERE n.ready_rank IS NOT NULL \
           AND n.class_key>k.key AND n.class_key<$2||'0' \
           ORDER BY n.class_key LIMIT 1) FROM k WHERE k.key IS NOT NULL)"
    };
}
pub(in crate::store::sql) use classes_with_ready;

/// Of session `z`.
macro_rules! tree_is_free {
    () => {
        "NOT EXISTS(SELECT 1 FROM session b WHERE b.tree=z.tree AND b.lease_holder IS NOT NULL)"
    };
}
pub(super) use tree_is_free;

/// Up to $1 sessions of place $2, the n-th of each class before the n+1-th of any. A session whose tree is held is passed over within the index, so that
/// it takes no other's place. `+0`: SQLite would plan it anew for every value of a bare limit.
macro_rules! pick {
    ($picked:expr) => {
        concat!(
            "WITH RECURSIVE ",
            classes_with_ready!(),
            ", f AS MATERIALIZED (SELECT c.class_key AS key, ",
            room!(),
            " AS free FROM k CROSS JOIN class c ON c.class_key=k.key), \
             picked AS (SELECT s.id, s.ready_rank, f.free, row_number() OVER (PARTITION BY f.key ORDER BY s.ready_rank, s.id) AS turn ",
            $picked,
            ") SELECT id FROM picked WHERE turn<=free ORDER BY turn, ready_rank, id LIMIT $1+0"
        )
    };
}
/// SQLite has no LATERAL; PostgreSQL would look at every session for every class without.
pub(in crate::store::sql) const PICK: Either = Either {
    sqlite: pick!(concat!(
        "FROM f CROSS JOIN session s ON f.free>0 AND s.id IN ( \
          SELECT z.id FROM session z INDEXED BY session_ready WHERE z.class_key=f.key AND z.ready_rank IS NOT NULL AND ",
        tree_is_free!(),
        " ORDER BY z.ready_rank LIMIT $1+0)"
    )),
    postgres: pick!(concat!(
        "FROM f JOIN LATERAL ( \
          SELECT z.id, z.ready_rank FROM session z WHERE z.class_key=f.key AND z.ready_rank IS NOT NULL AND ",
        tree_is_free!(),
        " ORDER BY z.ready_rank LIMIT $1) s ON f.free>0"
    )),
};
/// What came before it in the same pick may have taken its tree, or the last turn of its project.
macro_rules! lease {
    ($overflow:literal, $room:expr) => {
        concat!(
            "UPDATE session SET fence=fence+1, lease_holder=$2, lease_until=$3, ready_rank=NULL, waiting=NULL, overflow=",
            $overflow,
            " WHERE id=$1 AND ready_rank IS NOT NULL \
             AND NOT EXISTS(SELECT 1 FROM session b WHERE b.tree=session.tree AND b.lease_holder IS NOT NULL) \
             AND (SELECT ",
            $room,
            " FROM class c WHERE c.class_key=session.class_key)>0 RETURNING "
        )
    };
}
/// A run is under way: the next attempt, with nothing left of the one before.
macro_rules! begin {
    ($fence:literal, $now:literal) => {
        concat!(
            "UPDATE run SET state='running', fence=",
            $fence,
            ", attempt=attempt+1, event_seq=event_seq+1, started_at=coalesce(started_at,",
            $now,
            "), warm=FALSE, step=NULL, tool=NULL, said=NULL, continuity=NULL"
        )
    };
}
/// A number given back by a release is used again.
macro_rules! used_again {
    () => {
        "ON CONFLICT(run,n) DO UPDATE SET fence=excluded.fence, holder=excluded.holder, started_at=excluded.started_at, \
         outcome=NULL, reason=NULL, warm=FALSE, persona_route=NULL, pid=NULL, ended_at=NULL, touched=NULL, stderr_tail=NULL"
    };
}
/// All that is to be known of run `r` in session `s`.
macro_rules! all_of_it {
    () => {
        // A run that is under way waits for no class.
        concat!(
            "SELECT ",
            run_columns!("NULL"),
            ", s.fence, s.cwd, s.agent_session, r.timeout_ms+r.waited_ms AS timeout_ms, r.retry, r.budget, r.leftover, \
             (SELECT p.conclusion FROM run p WHERE p.session=r.session AND p.seq<r.seq AND p.conclusion IS NOT NULL \
             ORDER BY p.seq DESC LIMIT 1) AS last, r.prompted, s.extra_system_prompt AS more"
        )
    };
}
/// Its head is begun in the same statement where each is a journey; what there then is of it is what the parts say that they have written.
macro_rules! lease_and_begin {
    ($overflow:literal, $room:expr) => {
        concat!(
            "WITH s AS (",
            lease!($overflow, $room),
            "*), r AS (",
            begin!("s.fence", "$4"),
            " FROM s WHERE run.id=s.head_run AND run.state='queued' RETURNING run.*), \
             a AS (INSERT INTO attempt(run,n,fence,holder,started_at) SELECT id,attempt,fence,$2,$4 FROM r ",
            used_again!(),
            "), e AS (INSERT INTO event(at,run,run_seq,project,instance,kind,data) \
             SELECT $4,id,event_seq,project,instance,$5,'{\"attempt\":'||attempt||',\"fence\":'||fence||'}' FROM r) ",
            all_of_it!(),
            " FROM s LEFT JOIN r ON TRUE"
        )
    };
}
pub(in crate::store::sql) const LEASE: Either = Either {
    sqlite: concat!(lease!("FALSE", room!()), "head_run, fence"),
    postgres: lease_and_begin!("FALSE", room!()),
};
/// Beyond the slots of its class.
pub(in crate::store::sql) const LEASE_BEYOND: Either = Either {
    sqlite: concat!(lease!("TRUE", turns_in_project!()), "head_run, fence"),
    postgres: lease_and_begin!("TRUE", turns_in_project!()),
};
/// What a leased session's head needs to be worked on, in a file: it runs, with an attempt and its event. Then all that is to be known of it.
pub(in crate::store::sql) const START: &str = concat!(
    begin!("$2", "$3"),
    " WHERE id=$1 AND state='queued'; \
     INSERT INTO attempt(run,n,fence,holder,started_at) SELECT id,attempt,$2,$4,$3 FROM run WHERE id=$1 ",
    used_again!(),
    "; INSERT INTO event(at,run,run_seq,project,instance,kind,data) \
     SELECT $3,id,event_seq,project,instance,$5,'{\"attempt\":'||attempt||',\"fence\":'||fence||'}' FROM run WHERE id=$1; ",
    all_of_it!(),
    " FROM run r JOIN session s ON s.id=r.session WHERE r.id=$1 AND r.fence=$2"
);

/// Whether a claim would find something.
pub(super) async fn any(
    readers: &Readers,
    place: &str,
    overflow: Option<u32>,
) -> Result<bool, StoreError> {
    let found: Option<Uuid> = readers.optional_scalar(PICK, values![1, place]).await?;
    match (found, overflow) {
        (Some(_), _) => Ok(true),
        (None, Some(depth)) => overflow::any(readers, place, depth).await,
        (None, None) => Ok(false),
    }
}

/// Leases ready sessions.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) holder: HubId,
    pub(super) place: Place,
    pub(super) limit: u32,
    pub(super) lease_ms: i64,
    /// Where more than so many wait for a slot of a class, some are leased beyond its slots.
    pub(super) overflow: Option<u32>,
}

#[async_trait]
impl Write for Claim {
    type Answer = Vec<Claimed>;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Vec<Claimed>, StoreError> {
        let mut claimed = self.within(tx).await?;
        if let Some(depth) = self.overflow {
            self.beyond(tx, depth, &mut claimed).await?;
        }
        Ok(claimed)
    }
}

impl Claim {
    /// What there are slots for.
    async fn within(&self, tx: &mut Tx<'_>) -> Result<Vec<Claimed>, StoreError> {
        let mut claimed = Vec::new();
        while let left @ 1.. = self.left(&claimed) {
            let picked: Vec<Uuid> = tx.scalars(PICK, values![left, self.place.get()]).await?;
            // The first of a pick can always be leased, so every round but the last gets further. Others may find that one before them
            // in the same pick took their tree, or the last turn of their project: only then is there more to pick.
            let (before, wanted) = (claimed.len(), picked.len());
            for session in picked {
                claimed.extend(self.lease(tx, session, LEASE, None).await?);
            }
            let leased = claimed.len() - before;
            if leased == 0 || leased == wanted {
                break;
            }
        }
        Ok(claimed)
    }

    /// What may go cold, as too many wait.
    async fn beyond(
        &self,
        tx: &mut Tx<'_>,
        depth: u32,
        claimed: &mut Vec<Claimed>,
    ) -> Result<(), StoreError> {
        let left = self.left(claimed);
        for session in overflow::pick(tx, self.place.get(), depth, left).await? {
            claimed.extend(self.lease(tx, session, LEASE_BEYOND, Some(depth)).await?);
        }
        Ok(())
    }

    fn left(&self, claimed: &[Claimed]) -> u32 {
        let taken = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        self.limit.saturating_sub(taken)
    }

    async fn lease(
        &self,
        tx: &mut Tx<'_>,
        session: Uuid,
        sql: Either,
        overflow: Option<u32>,
    ) -> Result<Option<Claimed>, StoreError> {
        let (holder, now) = (self.holder.0, tx.now);
        let until = now.saturating_add(self.lease_ms);
        let kind = EventKind::Started.as_str();
        let claimed = if tx.connection.is_server() {
            let values = values![session, holder, until, now, kind];
            read(&tx.script(sql, values).await?, overflow)?
        } else {
            let leased: Option<(Uuid, i64)> =
                tx.optional(sql, values![session, holder, until]).await?;
            let Some((run, fence)) = leased else {
                return Ok(None);
            };
            let values = values![run, fence, now, holder, kind];
            let begun = read(&tx.script(START, values).await?, overflow)?;
            Some(begun.ok_or_else(|| gone(run))?)
        };
        if let Some(claimed) = &claimed {
            tx.changed(claimed.lease.run, RunState::Running);
        }
        Ok(claimed)
    }
}

/// What is beside the columns of a run.
#[derive(FromRow, Deserialize)]
struct Rest {
    fence: i64,
    cwd: String,
    agent_session: Option<String>,
    timeout_ms: Option<i64>,
    retry: Option<String>,
    budget: Option<String>,
    leftover: Option<String>,
    last: Option<String>,
    prompted: bool,
    /// Of the session.
    more: Option<String>,
}

/// What was leased, if it was.
fn read(told: &Told, overflow: Option<u32>) -> Result<Option<Claimed>, StoreError> {
    let (Some(row), Some(rest)) = (told.last::<RunRow>()?, told.last::<Rest>()?) else {
        return Ok(None);
    };
    let run = Run::try_from(row)?;
    Ok(Some(Claimed {
        lease: Lease {
            run: run.id,
            session: run.session,
            fence: rest.fence,
            attempt: run.attempt,
        },
        session: SessionRow {
            id: run.session,
            instance: run.instance,
            persona: run.persona.clone(),
            agent: run.agent.clone(),
            project: run.project,
            cwd: rest.cwd,
            agent_session: rest.agent_session,
        },
        run,
        timeout_ms: rest.timeout_ms,
        overflow,
        last_conclusion: unjson_of(rest.last.as_deref())?,
        retry: unjson_of(rest.retry.as_deref())?.unwrap_or_default(),
        budget: unjson_of(rest.budget.as_deref())?.unwrap_or_default(),
        left: unjson_of(rest.leftover.as_deref())?,
        extra_system_prompt: rest.more,
        prompted: rest.prompted,
    }))
}
