//! How connections are made, and how a transaction that writes begins.

use crate::store::StoreError;
use sqlx::{
    ConnectOptions as _, Connection as _, Error, PgConnection, PgPool, Row as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr as _, time::Duration};

/// Connections that read.
pub(in crate::store::sql) const READERS: u32 = 8;
/// A reader that was at rest for no longer is taken to be connected still.
const TRUSTED: Duration = Duration::from_millis(500);

/// Lock, then clock: what is read of it must not lie before the wait. The lock is in the space of two numbers; the migrator's is in the other.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT CAST(pg_advisory_xact_lock(1702453619, 1) AS TEXT); \
 SELECT CAST(extract(epoch FROM clock_timestamp())*1000 AS BIGINT)";
/// What is answered must outlive a crash, whatever this server is set to.
const DURABLE: &str = "SELECT CASE WHEN current_setting('synchronous_commit')='off' THEN set_config('synchronous_commit','local',FALSE) END";

/// Reads an address such as `postgres://me:secret@host/eyas`. The message of a refusal says nothing of what is in it.
pub(in crate::store::sql) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|error| {
        StoreError::Unavailable(format!("the address of the database: {error}"))
    })?;
    Ok(options
        .application_name("eyas")
        .statement_cache_capacity(200)
        // None of our statements gains by it, and it may cost more than all else.
        .options([("jit", "off")]))
}

/// A hub that stops in the middle of a transaction holds up the others for no longer than these.
fn bounded(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options([
        ("statement_timeout", "15s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "5s"),
    ])
}

/// Every write finds its rows by keys: nothing is gained by planning it for the values of the moment.
const PLANNED_ONCE: (&str, &str) = ("plan_cache_mode", "force_generic_plan");
/// A hint need not outlive a crash, and a commit that waits for the disk holds up those that must.
const UNSYNCED: (&str, &str) = ("synchronous_commit", "off");

/// The one that writes.
pub(in crate::store::sql) async fn writer(
    options: &PgConnectOptions,
) -> Result<PgConnection, Error> {
    let mut connection = bounded(options).options([PLANNED_ONCE]).connect().await?;
    sqlx::raw_sql(DURABLE).execute(&mut connection).await?;
    Ok(connection)
}

/// Those that read, opened when first needed.
pub(in crate::store::sql) fn readers(options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_secs(20))
        // One that was used a moment ago is there: whether it is would be a journey more for every read.
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for >= TRUSTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(bounded(options).options([("default_transaction_read_only", "on")]))
}

/// Those that tell and are told.
pub(in crate::store::sql) fn callers(options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(3)
        .acquire_timeout(Duration::from_secs(20))
        .connect_lazy_with(options.clone().options([UNSYNCED]))
}

/// Waits until no other hub writes; in one round trip.
pub(in crate::store::sql) async fn begin(connection: &mut PgConnection) -> Result<i64, Error> {
    let rows = sqlx::raw_sql(BEGIN).fetch_all(connection).await?;
    rows.last().ok_or(Error::RowNotFound)?.try_get(0)
}
