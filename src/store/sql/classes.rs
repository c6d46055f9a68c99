//! How classes of work stand: what failed is written down, what succeeded makes it good, and the class is judged by what is left.

use super::{
    Base,
    runs::claim::classes_with_ready,
    tx::Tx,
    value::values,
    words::{unword, word},
};
use crate::{
    domain::{
        breaker::{
            ClassFailure, ClassView, FORGOTTEN_MS, HealthWord, REMEMBERED, judge,
            tells_of_its_class,
        },
        fault::ErrorKind,
        ids::RunId,
        run::RunState,
        time::Timestamp,
    },
    store::StoreError,
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// As many as anybody reads.
const SHOWN: u32 = 200;

/// A process that died has failed once, however many it served.
pub(super) const BLAME: &str = "INSERT INTO failure(class_key,run,attempt,at,kind,pid) \
 SELECT r.class_key, r.id, $2, $3, $4, CASE WHEN $5 THEN a.pid END FROM run r LEFT JOIN attempt a ON a.run=r.id AND a.n=$2 WHERE r.id=$1 \
 ON CONFLICT DO NOTHING RETURNING class_key";
pub(super) const CLASS_OF: &str = "SELECT class_key FROM run WHERE id=$1";
/// What is old, and what is more than anybody looks at.
pub(super) const FORGET: &str = "DELETE FROM failure WHERE class_key=$1 AND (at<$2 OR (run,attempt) NOT IN \
 (SELECT y.run, y.attempt FROM failure y WHERE y.class_key=$1 ORDER BY y.at DESC LIMIT $3+0))";
/// The older half; of one, that one.
pub(super) const MAKE_GOOD: &str = "DELETE FROM failure WHERE class_key=$1 AND (run,attempt) IN \
 (SELECT y.run, y.attempt FROM failure y WHERE y.class_key=$1 ORDER BY y.at, y.run, y.attempt \
 LIMIT (SELECT (count(*)+1)/2 FROM failure WHERE class_key=$1))";
pub(super) const AGAINST: &str = "SELECT at FROM failure WHERE class_key=$1";
pub(super) const JUDGED: &str = "UPDATE class SET allowed=$2, judge_at=$3 WHERE class_key=$1 \
 AND (allowed IS DISTINCT FROM $2 OR judge_at IS DISTINCT FROM $3)";
/// One who waits: whoever hears of it looks whether there is more to claim.
pub(super) const WAITS: &str = "SELECT head_run FROM session INDEXED BY session_ready WHERE class_key=$1 AND ready_rank IS NOT NULL LIMIT 1";
pub(super) const DUE: &str = "SELECT class_key FROM class INDEXED BY class_judged WHERE judge_at IS NOT NULL AND judge_at<=$1";
pub(super) const LIST: &str = concat!(
    "WITH RECURSIVE ",
    classes_with_ready!(),
    ", l(key) AS (SELECT key FROM k WHERE key IS NOT NULL UNION SELECT class_key FROM session INDEXED BY session_active WHERE lease_holder IS NOT NULL \
     UNION SELECT class_key FROM class INDEXED BY class_judged WHERE judge_at IS NOT NULL) \
     SELECT c.class_key, c.place, c.agent, c.lane, CASE WHEN NOT c.cold THEN c.max_concurrent END AS cap, c.allowed, c.judge_at, \
     (SELECT count(*) FROM session a INDEXED BY session_active WHERE a.class_key=c.class_key AND a.lease_holder IS NOT NULL) AS working, \
     (SELECT count(*) FROM session z INDEXED BY session_ready WHERE z.class_key=c.class_key AND z.ready_rank IS NOT NULL) AS ready, \
     (SELECT count(*) FROM failure y WHERE y.class_key=c.class_key) AS failures, \
     (SELECT y.kind FROM failure y WHERE y.class_key=c.class_key ORDER BY y.at DESC LIMIT 1) AS kind, \
     (SELECT max(y.at) FROM failure y WHERE y.class_key=c.class_key) AS failed_at \
     FROM l CROSS JOIN class c ON c.class_key=l.key WHERE c.place=$2 ORDER BY c.class_key LIMIT $1+0"
);

/// An attempt of a run ended by a failure of this kind.
pub(super) async fn blame(
    tx: &mut Tx<'_>,
    run: Uuid,
    attempt: u32,
    kind: ErrorKind,
) -> Result<(), StoreError> {
    if !tells_of_its_class(kind) {
        return Ok(());
    }
    let died = kind == ErrorKind::AgentDied;
    let blamed: Option<(String,)> = tx
        .optional(BLAME, values![run, attempt, tx.now, word(&kind)?, died])
        .await?;
    let Some((class,)) = blamed else {
        return Ok(());
    };
    let old = tx.now.saturating_sub(FORGOTTEN_MS);
    tx.execute(FORGET, values![&class, old, REMEMBERED]).await?;
    judged(tx, &class).await
}

/// A run of a class against which something stands has succeeded.
pub(super) async fn make_good(tx: &mut Tx<'_>, run: Uuid) -> Result<(), StoreError> {
    let (class,): (String,) = tx.one(CLASS_OF, values![run]).await?;
    tx.execute(MAKE_GOOD, values![&class]).await?;
    judged(tx, &class).await
}

/// Time has passed for some.
pub(super) async fn sweep(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let due: Vec<(String,)> = tx.all(DUE, values![tx.now]).await?;
    for (class,) in due {
        judged(tx, &class).await?;
    }
    Ok(())
}

async fn judged(tx: &mut Tx<'_>, class: &str) -> Result<(), StoreError> {
    let failures: Vec<(i64,)> = tx.all(AGAINST, values![class]).await?;
    let failures: Vec<Timestamp> = failures.into_iter().map(|(at,)| Timestamp(at)).collect();
    let health = judge(&failures, Timestamp(tx.now));
    let until = health.until().map(|at| at.0);
    let moved = tx
        .execute(JUDGED, values![class, health.allowed(), until])
        .await?;
    if moved == 0 {
        return Ok(());
    }
    tracing::info!(
        class,
        ?health,
        failures = failures.len(),
        "a class was judged"
    );
    let waits: Option<(Uuid,)> = tx.optional(WAITS, values![class]).await?;
    if let Some((run,)) = waits {
        // Its reason to wait is another one now.
        tx.changed(RunId(run), RunState::Queued);
    }
    Ok(())
}

#[derive(FromRow, Deserialize)]
struct Row {
    place: String,
    agent: String,
    lane: String,
    cap: Option<i64>,
    allowed: Option<i64>,
    judge_at: Option<i64>,
    #[sqlx(try_from = "i64")]
    working: u32,
    #[sqlx(try_from = "i64")]
    ready: u32,
    #[sqlx(try_from = "i64")]
    failures: u32,
    kind: Option<String>,
    failed_at: Option<i64>,
}

/// Classes of this host that have something to do, or that something stands against.
pub(super) async fn list(base: &Base) -> Result<Vec<ClassView>, StoreError> {
    let rows: Vec<Row> = base
        .readers
        .all(LIST, values![SHOWN, base.place.get()])
        .await?;
    rows.into_iter().map(shown).collect()
}

fn shown(row: Row) -> Result<ClassView, StoreError> {
    let kind = row.kind.map(unword).transpose()?;
    let last_failure = kind.zip(row.failed_at).map(|(kind, at)| ClassFailure {
        kind,
        at: Timestamp(at),
    });
    Ok(ClassView {
        place: row.place,
        agent: row.agent,
        lane: row.lane,
        cap: row.cap.map(|cap| u32::try_from(cap).unwrap_or(u32::MAX)),
        working: row.working,
        ready: row.ready,
        state: match row.allowed {
            None => HealthWord::Healthy,
            Some(0) => HealthWord::Resting,
            Some(_) => HealthWord::Degraded,
        },
        until: row.judge_at.map(Timestamp),
        failures: row.failures,
        last_failure,
    })
}
