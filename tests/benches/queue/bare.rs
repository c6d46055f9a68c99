//! Single rows of the same size with the same durability, each in a transaction of its own: what the disk and the database take for that.

use crate::database::{Database, Kind};
use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::str::FromStr as _;

/// A table with nothing to it.
#[derive(Clone)]
pub(crate) enum Bare {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

const TABLE: &str = "CREATE TABLE bare(text TEXT)";
const ROW: &str = "INSERT INTO bare VALUES ($1)";

impl Bare {
    /// SQLite has one that writes, as it allows no more; a server has one for each client.
    pub(crate) async fn new(kind: Kind, database: &Database, clients: u32) -> Self {
        match kind {
            Kind::Sqlite => {
                let url = format!("sqlite://{}.bare", database.file().display());
                let options = SqliteConnectOptions::from_str(&url)
                    .unwrap()
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full);
                let pool = SqlitePoolOptions::new().max_connections(1);
                let pool = pool.connect_with(options).await.unwrap();
                sqlx::query(TABLE).execute(&pool).await.unwrap();
                Self::Sqlite(pool)
            }
            Kind::Postgres => {
                let pool = PgPoolOptions::new().max_connections(clients);
                let pool = pool.connect(&database.url()).await.unwrap();
                sqlx::query(TABLE).execute(&pool).await.unwrap();
                Self::Postgres(pool)
            }
        }
    }

    pub(crate) async fn insert(&self, text: &str) {
        match self {
            Self::Sqlite(pool) => drop(sqlx::query(ROW).bind(text).execute(pool).await.unwrap()),
            Self::Postgres(pool) => drop(sqlx::query(ROW).bind(text).execute(pool).await.unwrap()),
        }
    }
}
