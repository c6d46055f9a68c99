//! Which schema the file has, and how it gets ours.

use super::{connect, copy};
use crate::store::StoreError;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, migrate::Migrator};
use std::path::Path;
use tokio::runtime::Handle;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/sql/sqlite/migrations");

/// Refuses a newer schema before any write; backs an older one up, then migrates it. On a thread of its own, as the compiler cannot prove
/// that the migrator's future may change threads.
pub(in crate::store::sql) async fn bring_up_to_date(path: &Path) -> Result<(), StoreError> {
    let (path, runtime) = (path.to_owned(), Handle::current());
    tokio::task::spawn_blocking(move || runtime.block_on(alone(&path)))
        .await
        .unwrap_or_else(|error| Err(StoreError::Internal(error.to_string())))
}

async fn alone(path: &Path) -> Result<(), StoreError> {
    let mut connection = connect::plain(path).connect().await?;
    let outcome = migrate(&mut connection, path).await;
    let closed = connection.close().await;
    outcome?;
    Ok(closed?)
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let known = known();
    let found = found(connection).await?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        back_up(connection, path, found).await?;
    }
    MIGRATIONS
        .run(connection)
        .await
        .map_err(|error| StoreError::Internal(format!("migrating from schema {found}: {error}")))
}

/// The newest migration in the binary.
pub(in crate::store::sql) fn known() -> i64 {
    MIGRATIONS
        .iter()
        .map(|step| step.version)
        .max()
        .unwrap_or(0)
}

/// The newest migration in the file; 0 for a file without any.
pub(in crate::store::sql) async fn found(
    connection: &mut SqliteConnection,
) -> Result<i64, StoreError> {
    let there: bool = sqlx::query_scalar(
        "SELECT EXISTS(SELECT 1 FROM sqlite_schema WHERE type='table' AND name='_sqlx_migrations')",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !there {
        return Ok(0);
    }
    Ok(
        sqlx::query_scalar("SELECT coalesce(max(version),0) FROM _sqlx_migrations WHERE success")
            .fetch_one(connection)
            .await?,
    )
}

/// Writes `<path>.backup-<schema>`, whole or not at all.
async fn back_up(
    connection: &mut SqliteConnection,
    path: &Path,
    schema: i64,
) -> Result<(), StoreError> {
    let target = copy::beside(path, &format!(".backup-{schema}"));
    let partial = copy::beside(path, &format!(".backup-{schema}.partial"));
    copy::write(connection, &partial).await?;
    std::fs::rename(&partial, &target).map_err(|error| copy::failed(&target, &error))
}
