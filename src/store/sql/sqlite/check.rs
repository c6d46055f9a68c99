//! Looking at a whole database: is it sound, and does it keep the rules that no constraint can say?

use super::{connect, schema};
use crate::store::StoreError;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use std::path::Path;

/// What was found in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Its newest migration.
    pub schema: i64,
    pub runs: i64,
    /// Those that have not ended.
    pub open: i64,
    pub events: i64,
    /// Of the file, without its log.
    pub bytes: i64,
    /// What is not as it must be; empty: all is well.
    pub faults: Vec<String>,
}

/// What must not be there, and how much of it is.
const RULES: [(&str, &str); 8] = [
    (
        "runs whose log has a gap",
        "SELECT count(*) FROM run r LEFT JOIN (SELECT run, count(*) AS n, min(run_seq) AS first, max(run_seq) AS last \
         FROM event WHERE run IS NOT NULL GROUP BY run) e ON e.run=r.id \
         WHERE r.event_seq<>coalesce(e.n,0) OR coalesce(e.last,0)<>r.event_seq OR coalesce(e.first,1)<>1",
    ),
    (
        "runs that did not end exactly once",
        "SELECT count(*) FROM run r LEFT JOIN (SELECT run, count(*) AS n FROM event WHERE kind='finished' GROUP BY run) e ON e.run=r.id \
         WHERE coalesce(e.n,0)<>(r.ended_at IS NOT NULL)",
    ),
    (
        "events of runs that are not there",
        "SELECT count(*) FROM event e WHERE e.run IS NOT NULL AND NOT EXISTS(SELECT 1 FROM run WHERE id=e.run)",
    ),
    (
        "held runs without their attempt",
        "SELECT count(*) FROM run r WHERE r.fence IS NOT NULL \
         AND NOT EXISTS(SELECT 1 FROM attempt a WHERE a.run=r.id AND a.n=r.attempt AND a.fence=r.fence AND a.outcome IS NULL)",
    ),
    (
        "attempts that are live although nobody may work",
        "SELECT count(*) FROM attempt a JOIN run r ON r.id=a.run WHERE a.outcome IS NULL AND (r.fence IS NULL OR r.fence<>a.fence)",
    ),
    (
        "attempts that came with an older fence than the one before",
        "SELECT count(*) FROM attempt a JOIN attempt b ON b.run=a.run AND b.n>a.n AND b.fence<=a.fence",
    ),
    (
        "sessions that do not know their oldest open run",
        "SELECT count(*) FROM session s WHERE s.head_run IS NOT \
         (SELECT r.id FROM run r WHERE r.session=s.id AND r.ended_at IS NULL ORDER BY r.seq LIMIT 1)",
    ),
    (
        "leases without a held run, or the other way round",
        "SELECT count(*) FROM session s JOIN run r ON r.id=s.head_run \
         WHERE (s.lease_holder IS NULL)<>(r.fence IS NULL) OR (r.fence IS NOT NULL AND r.fence<>s.fence)",
    ),
];

/// Looks at the database at `path` as it is at one moment, in use or not, and changes nothing in it.
///
/// # Errors
/// `NotFound` without a database; `Unavailable` when it cannot be read at all.
pub async fn check(path: &Path) -> Result<Findings, StoreError> {
    if !path.is_file() {
        return Err(StoreError::NotFound {
            noun: "database",
            name: path.display().to_string(),
        });
    }
    look(path).await
}

/// As [`check`], of a file that is there.
pub(super) async fn look(path: &Path) -> Result<Findings, StoreError> {
    let mut connection = connect::plain(path).read_only(true).connect().await?;
    let found = findings(&mut connection).await;
    let closed = connection.close().await;
    let found = found?;
    closed?;
    Ok(found)
}

async fn findings(connection: &mut SqliteConnection) -> Result<Findings, StoreError> {
    // All of it at one moment, whatever is written meanwhile.
    let mut tx = connection.begin().await?;
    let mut faults: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)")
        .fetch_all(&mut *tx)
        .await?;
    faults.retain(|fault| fault != "ok");
    let mut found = Findings {
        schema: schema::found(&mut tx).await?,
        runs: 0,
        open: 0,
        events: 0,
        bytes: count(
            &mut tx,
            "SELECT page_count*page_size FROM pragma_page_count, pragma_page_size",
        )
        .await?,
        faults,
    };
    if found.schema == 0 {
        found.faults.push("it is none of ours".to_owned());
    }
    // What is damaged may not be readable, and another schema has other rules: those of its own binary.
    if !found.faults.is_empty() || found.schema != schema::known() {
        return Ok(found);
    }
    found.runs = count(&mut tx, "SELECT count(*) FROM run").await?;
    found.open = count(&mut tx, "SELECT count(*) FROM run WHERE ended_at IS NULL").await?;
    found.events = count(&mut tx, "SELECT count(*) FROM event").await?;
    let dangling = count(&mut tx, "SELECT count(*) FROM pragma_foreign_key_check").await?;
    let dangling = [(dangling, "rows that refer to nothing")];
    let mut broken = Vec::from(dangling);
    for (what, sql) in RULES {
        broken.push((count(&mut tx, sql).await?, what));
    }
    broken.retain(|(many, _)| *many > 0);
    let words = broken
        .into_iter()
        .map(|(many, what)| format!("{many} {what}"));
    found.faults.extend(words);
    Ok(found)
}

async fn count(connection: &mut SqliteConnection, sql: &'static str) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(sql).fetch_one(connection).await?)
}
