//! Where the store under test lies: a file in a folder of its own.

use eyas::store::{
    Store,
    sql::{self, Settings},
};
use std::path::PathBuf;
use tempfile::TempDir;

#[derive(Debug)]
pub(super) struct Place(TempDir);

#[allow(
    clippy::unused_async,
    reason = "the place on a server waits for it, and has the same face"
)]
impl Place {
    pub(super) async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) async fn open(&self, settings: Settings) -> Store {
        sql::open_sqlite(&self.path(), settings).await.unwrap()
    }

    /// Every file of it, the write-ahead log included.
    pub(super) async fn written(&self) -> Vec<(String, Vec<u8>)> {
        let files = self.0.path().read_dir().unwrap();
        files
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
            .collect()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("eyas.db")
    }
}
