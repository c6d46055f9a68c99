//! The database and the files beside it are their owner's alone.

use super::kit::{Home, run};
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn every_file_has_mode_0600() {
    let home = Home::new().await;
    home.accept(run()).await;
    let mut names = Vec::new();
    for entry in home.place.path().parent().unwrap().read_dir().unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
        names.push(entry.file_name());
    }
    names.sort();
    assert_eq!(names, ["eyas.db", "eyas.db-shm", "eyas.db-wal"]);
}
