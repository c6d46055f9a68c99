//! Where the store under test lies: a database of its own.

use super::server::{Server, in_a_runtime, server};
use eyas::store::{
    Store,
    sql::{self, Settings},
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, postgres::PgConnectOptions};
use std::str::FromStr as _;

#[derive(Debug)]
pub(crate) struct Place {
    server: &'static Server,
    database: String,
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self::on(server()).await
    }

    pub(crate) async fn on(server: &'static Server) -> Self {
        Self {
            server,
            database: server.create().await,
        }
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    pub(crate) fn url(&self) -> String {
        self.server.address(&self.database)
    }

    pub(crate) async fn open(&self, settings: Settings) -> Store {
        sql::open_postgres(&self.url(), settings).await.unwrap()
    }

    /// Every table of it.
    pub(crate) async fn written(&self) -> Vec<(String, Vec<u8>)> {
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
    pub(crate) async fn cut(&self) {
        self.server
            .run(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname='{}'",
                self.database
            ))
            .await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (server, database) = (self.server, self.database.clone());
        // The runtime of the test may be ending.
        let dropped = std::thread::spawn(move || in_a_runtime(server.forget(&database))).join();
        assert!(
            dropped.is_ok() || std::thread::panicking(),
            "a database stays"
        );
    }
}
