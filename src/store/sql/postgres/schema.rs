//! Which schema the database has, and how it gets ours.

use crate::store::StoreError;
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, migrate::Migrator,
    postgres::PgConnectOptions,
};
use tokio::runtime::Handle;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/sql/postgres/migrations");

const OLDEST: u32 = 140_000;

/// Refuses a server that is too old, an encoding that cannot hold every text, and a newer schema, before any write; then migrates. Hubs that do
/// so at once take turns. On a thread of its own, as the compiler cannot prove that the migrator's future may change threads.
pub(in crate::store::sql) async fn bring_up_to_date(
    options: &PgConnectOptions,
) -> Result<(), StoreError> {
    let (options, runtime) = (options.clone(), Handle::current());
    tokio::task::spawn_blocking(move || runtime.block_on(alone(&options)))
        .await
        .unwrap_or_else(|error| Err(StoreError::Internal(error.to_string())))
}

async fn alone(options: &PgConnectOptions) -> Result<(), StoreError> {
    // A migration may take its time; waiting for another hub's may not take for ever.
    let mut connection = options
        .clone()
        .options([("lock_timeout", "120s"), ("statement_timeout", "0")])
        .connect()
        .await?;
    let outcome = migrate(&mut connection).await;
    let closed = connection.close().await;
    outcome?;
    Ok(closed?)
}

async fn migrate(connection: &mut PgConnection) -> Result<(), StoreError> {
    fit(connection).await?;
    let known = known();
    let found = found(connection).await?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    if found == known {
        return Ok(());
    }
    MIGRATIONS
        .run(connection)
        .await
        .map_err(|error| StoreError::Internal(format!("migrating from schema {found}: {error}")))
}

/// The newest migration in the database, and in the binary; refuses what [`bring_up_to_date`] would.
pub(in crate::store::sql) async fn seen(
    connection: &mut PgConnection,
) -> Result<(i64, i64), StoreError> {
    fit(connection).await?;
    Ok((found(connection).await?, known()))
}

fn known() -> i64 {
    MIGRATIONS
        .iter()
        .map(|step| step.version)
        .max()
        .unwrap_or(0)
}

async fn fit(connection: &mut PgConnection) -> Result<(), StoreError> {
    let refused = |why: String| Err(StoreError::Unavailable(why));
    let (version, name, encoding): (i32, String, String) = sqlx::query_as(
        "SELECT CAST(current_setting('server_version_num') AS INTEGER), current_setting('server_version'), current_setting('server_encoding')",
    )
    .fetch_one(connection)
    .await?;
    if u32::try_from(version).unwrap_or(0) < OLDEST {
        return refused(format!(
            "the server is PostgreSQL {name}; 14 or newer is needed"
        ));
    }
    if encoding != "UTF8" {
        return refused(format!(
            "the database has the encoding {encoding}; create one with UTF8, which holds every text"
        ));
    }
    Ok(())
}

/// The newest migration in the database; 0 without any.
async fn found(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
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
