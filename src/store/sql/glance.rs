//! What goes on in a database, at a glance and without opening it as a hub does: nothing is written, and no schema is brought up to date.

use super::{connection::Connection, postgres, sqlite, value::values};
use crate::store::StoreError;
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::Path;

/// What was seen. Of another schema only its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// Its newest migration, and that of this binary.
    pub schema: i64,
    pub known: i64,
    /// Runs that have not ended.
    pub open: i64,
    /// Those that an attempt holds.
    pub held: i64,
    /// Leases that are over, by the database's clock.
    pub expired: i64,
    /// Open requests.
    pub asking: i64,
    /// Attempts that were lost within a day.
    pub lost: i64,
    pub outbox: i64,
    /// Classes against which too much stands: `place/agent/lane`.
    pub degraded: Vec<String>,
}

const NOW: &str = "SELECT CAST(unixepoch('subsec')*1000 AS INTEGER)";
const OPEN: &str = "SELECT count(*) FROM run WHERE ended_at IS NULL";
const HELD: &str = "SELECT count(*) FROM session WHERE lease_holder IS NOT NULL";
const EXPIRED: &str =
    "SELECT count(*) FROM session WHERE lease_holder IS NOT NULL AND lease_until<$1";
const ASKING: &str = "SELECT count(*) FROM request WHERE decided_by IS NULL";
const LOST: &str = "SELECT count(*) FROM attempt WHERE outcome='lost' AND ended_at>$1";
const OUTBOX: &str = "SELECT count(*) FROM outbox";
const DEGRADED: &str = "SELECT class_key FROM class WHERE judge_at IS NOT NULL ORDER BY class_key";
const DAY_MS: i64 = 24 * 3_600_000;

/// Looks at the `SQLite` database at `path`.
///
/// # Errors
/// `Unavailable` when it cannot be read.
pub async fn glance_sqlite(path: &Path) -> Result<Glance, StoreError> {
    let mut one = sqlite::connect::plain(path)
        .read_only(true)
        .connect()
        .await?;
    let schema = sqlite::schema::found(&mut one).await;
    one.close().await?;
    let schema = schema?;
    let glance = Glance {
        schema,
        known: sqlite::schema::known(),
        ..Glance::default()
    };
    look(Connection::Sqlite(sqlite::connect::reader(path)?), glance).await
}

/// Looks at the database at `url`.
///
/// # Errors
/// `Unavailable` when it cannot be reached, is too old, or has another encoding than UTF8.
pub async fn glance_postgres(url: &str) -> Result<Glance, StoreError> {
    let options = postgres::connect::options(url)?;
    let mut one = options.connect().await?;
    let (schema, known) = postgres::schema::seen(&mut one).await?;
    let glance = Glance {
        schema,
        known,
        ..Glance::default()
    };
    look(Connection::Postgres(one), glance).await
}

async fn look(mut one: Connection, glance: Glance) -> Result<Glance, StoreError> {
    let seen = if glance.schema == glance.known {
        counted(&mut one, glance).await
    } else {
        Ok(glance)
    };
    let closed = one.close().await;
    let seen = seen?;
    closed?;
    Ok(seen)
}

async fn counted(one: &mut Connection, mut glance: Glance) -> Result<Glance, StoreError> {
    let (now,): (i64,) = one.one(NOW, values![]).await?;
    (glance.open,) = one.one(OPEN, values![]).await?;
    (glance.held,) = one.one(HELD, values![]).await?;
    (glance.expired,) = one.one(EXPIRED, values![now]).await?;
    (glance.asking,) = one.one(ASKING, values![]).await?;
    (glance.lost,) = one.one(LOST, values![now.saturating_sub(DAY_MS)]).await?;
    (glance.outbox,) = one.one(OUTBOX, values![]).await?;
    let degraded: Vec<(String,)> = one.all(DEGRADED, values![]).await?;
    glance.degraded = degraded.into_iter().map(|(class,)| class).collect();
    Ok(glance)
}
