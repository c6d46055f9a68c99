//! Where the store under test lies: a database of its own.

use super::server::server;
use eyas::store::{
    Store,
    sql::{self, Settings},
};

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
        // To drop a database takes a checkpoint of the whole server.
        if server().is_private() {
            return;
        }
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database);
        // The runtime of the test may be ending.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(server().run(&statement));
        })
        .join();
        assert!(
            dropped.is_ok() || std::thread::panicking(),
            "a database stays"
        );
    }
}
