//! Where the store under test lies: a file in a folder of its own.

use eyas::store::{
    Store,
    sql::{self, Settings},
};
use std::path::PathBuf;
use tempfile::TempDir;

#[derive(Debug)]
pub(super) struct Place(TempDir);

impl Place {
    pub(super) async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) async fn open(&self, settings: Settings) -> Store {
        sql::open_sqlite(&self.path(), settings).await.unwrap()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("eyas.db")
    }
}
