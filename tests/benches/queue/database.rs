//! Where a store under measure lies.

use crate::server::{self, Server};
use eyas::store::{
    Store,
    sql::{self, Settings},
};
use std::path::PathBuf;
use tempfile::TempDir;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) fn named(name: &str) -> Self {
        if name == Self::Sqlite.name() {
            Self::Sqlite
        } else {
            Self::Postgres
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// Those that can be measured on this machine.
    pub(crate) fn all() -> Vec<Self> {
        if server::found().is_some() {
            vec![Self::Sqlite, Self::Postgres]
        } else {
            println!("PostgreSQL: its programs are not on this machine");
            vec![Self::Sqlite]
        }
    }
}

/// A database of the bench's own; it goes with this.
pub(crate) enum Database {
    Sqlite(TempDir),
    Postgres {
        server: &'static Server,
        name: String,
    },
}

impl Database {
    pub(crate) async fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite(tempfile::tempdir().unwrap()),
            Kind::Postgres => {
                let server = tokio::task::spawn_blocking(server::server).await.unwrap();
                let name = server.create().await;
                Self::Postgres { server, name }
            }
        }
    }

    pub(crate) async fn open(&self) -> Store {
        let settings = Settings::default();
        match self {
            Self::Sqlite(_) => sql::open_sqlite(&self.file(), settings).await,
            Self::Postgres { .. } => sql::open_postgres(&self.url(), settings).await,
        }
        .unwrap()
    }

    /// Of the SQLite database.
    pub(crate) fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("eyas.db"),
            Self::Postgres { .. } => unreachable!("a server has no file for us"),
        }
    }

    /// Of the PostgreSQL database.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres { server, name } => server.address(name),
            Self::Sqlite(_) => unreachable!("a file has no address"),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { server, name } = self {
            let (server, name) = (*server, name.clone());
            // The runtime that dropped it may be ending.
            let dropped = std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap()
                    .block_on(server.forget(&name));
            });
            drop(dropped.join());
        }
    }
}
