//! Where the store under test lies: a database of its own.

use super::server::server;
use eyas::store::{
    Store,
    sql::{self, Settings},
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, postgres::PgConnectOptions};
use std::str::FromStr as _;

#[derive(Debug)]
pub(super) struct Place {
    database: String,
}

impl Place {
    pub(super) async fn new() -> Self {
        Self {
            database: server().create().await,
        }
    }

    pub(super) fn url(&self) -> String {
        server().address(&self.database)
    }

    pub(super) async fn open(&self, settings: Settings) -> Store {
        sql::open_postgres(&self.url(), settings).await.unwrap()
    }

    /// Every table of it.
    pub(super) async fn written(&self) -> Vec<(String, Vec<u8>)> {
        let options = PgConnectOptions::from_str(&self.url()).unwrap();
        let mut connection = options.connect().await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema='public'",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        assert!(tables.contains(&"run".to_owned()));
        let mut written = Vec::new();
        for table in tables {
            let sql =
                format!("SELECT coalesce(string_agg(CAST(t AS TEXT), ' '), '') FROM {table} t");
            let text: String = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&mut connection)
                .await
                .unwrap();
            written.push((table, text.into_bytes()));
        }
        written
    }

    /// Ends every connection to it, as an operator or a broken network would.
    pub(super) async fn cut(&self) {
        server()
            .run(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname='{}'",
                self.database
            ))
            .await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let database = self.database.clone();
        // The runtime of the test may be ending.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(server().forget(&database));
        })
        .join();
        assert!(
            dropped.is_ok() || std::thread::panicking(),
            "a database stays"
        );
    }
}
