//! Moving a whole database from `SQLite` to PostgreSQL: all rows of all tables in one transaction, counted and compared before it ends.
//!
//! Nobody may have the source open for writing. It stays as it is: whoever changes their mind goes on with it.

mod cells;
mod table;

use super::{
    postgres,
    sqlite::{check, connect, schema},
};
use crate::{
    domain::fault::{ErrorKind, Fault},
    store::StoreError,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use std::path::Path;
use table::Table;

/// In the order in which they refer to each other. `setting` is the target's own: a hub writes it anew when it begins.
pub(in crate::store::sql) const TABLES: [&str; 15] = [
    "class",
    "project",
    "instance",
    "instance_key",
    "session",
    "run",
    "attempt",
    "event",
    "idempotency",
    "outbox",
    "request",
    "input",
    "schedule",
    "occurrence",
    "failure",
];
/// What draws the numbers of a table: the next one there follows the last one here, also where its row is gone.
const DRAWN: [(&str, &str); 3] = [("event", "cursor"), ("outbox", "id"), ("request", "n")];

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Rows by table, those without any left out.
    pub tables: Vec<(&'static str, u64)>,
}

/// Copies the database at `path`, which this binary brings up to date before, to the empty one at `url`.
///
/// # Errors
/// `NotFound` without a database; `Unfit` (`busy`) while attempts hold runs, (`in_use`) when the target has rows; `Unavailable` when either
/// cannot be used, or the source is not sound; `Internal` when what was written is not what was read. The target is then as it was.
pub async fn transfer(path: &Path, url: &str) -> Result<Moved, StoreError> {
    let options = postgres::connect::options(url)?;
    let found = check::check(path).await?;
    if !found.faults.is_empty() {
        let why = format!("{}: {}", path.display(), found.faults.join("; "));
        return Err(StoreError::Unavailable(why));
    }
    schema::bring_up_to_date(path).await?;
    let mut from = connect::plain(path).read_only(true).connect().await?;
    in_flight(&mut from).await?;
    postgres::schema::bring_up_to_date(&options).await?;
    let mut to = options.connect().await?;
    let moved = in_one_transaction(&mut from, &mut to).await;
    from.close().await?;
    // What was not committed goes with the connection.
    let closed = to.close().await;
    let moved = moved?;
    closed?;
    Ok(moved)
}

/// What is queued waits in one database as well as in the other; what is held belongs to a hub.
async fn in_flight(from: &mut SqliteConnection) -> Result<(), StoreError> {
    let held: i64 =
        sqlx::query_scalar("SELECT count(*) FROM session WHERE lease_holder IS NOT NULL")
            .fetch_one(from)
            .await?;
    if held == 0 {
        return Ok(());
    }
    let detail = format!("{held} runs are in flight: their hub did not end in order");
    let fault = Fault::new(ErrorKind::Busy, detail).hint(
        "start a hub and end it with `eyas hub stop --wait`, or `--now`, which puts them back to the queue; then try again",
    );
    Err(StoreError::Unfit(Box::new(fault)))
}

async fn in_one_transaction(
    from: &mut SqliteConnection,
    to: &mut PgConnection,
) -> Result<Moved, StoreError> {
    // As a hub that writes does it: no other writes meanwhile.
    postgres::connect::begin(to).await?;
    let mut reading = from.begin().await?;
    let mut tables = Vec::new();
    for name in TABLES {
        empty(to, name).await?;
        let table = Table::seen(name, &mut reading, to).await?;
        let rows = table.copy(&mut reading, to).await?;
        tables.push((table, rows));
    }
    for (name, column) in DRAWN {
        draw_on(&mut reading, to, name, column).await?;
    }
    let mut moved = Vec::new();
    for (table, rows) in tables {
        table.compare(rows, &mut reading, to).await?;
        moved.push((table.name, rows));
    }
    reading.rollback().await?;
    sqlx::raw_sql("COMMIT").execute(to).await?;
    moved.retain(|(_, rows)| *rows > 0);
    Ok(Moved { tables: moved })
}

async fn empty(to: &mut PgConnection, table: &str) -> Result<(), StoreError> {
    let sql = AssertSqlSafe(format!("SELECT EXISTS(SELECT 1 FROM {table})"));
    let has_rows: bool = sqlx::query_scalar(sql).fetch_one(to).await?;
    if !has_rows {
        return Ok(());
    }
    let detail = format!("the target is not empty: there are rows in {table}");
    let fault = Fault::new(ErrorKind::InUse, detail)
        .hint("create a database for it, and nothing else in it: createdb eyas");
    Err(StoreError::Unfit(Box::new(fault)))
}

async fn draw_on(
    from: &mut SqliteConnection,
    to: &mut PgConnection,
    table: &str,
    column: &str,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT max(coalesce((SELECT max({column}) FROM {table}),0), coalesce((SELECT seq FROM sqlite_sequence WHERE name='{table}'),0))"
    );
    let last: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(from)
        .await?;
    if last == 0 {
        return Ok(());
    }
    let sql = format!("SELECT setval(pg_get_serial_sequence('{table}','{column}'), $1)");
    let set: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(last)
        .fetch_one(to)
        .await?;
    debug_assert_eq!(set, last, "the sequence stands there");
    Ok(())
}
