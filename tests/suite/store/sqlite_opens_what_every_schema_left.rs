//! Databases as older binaries left them, row by row, are kept in `tests/fixtures/schemas`; `make` there adds one for a new schema.

use eyas::{
    domain::{ids::RunId, run::RunState},
    stdx::mint,
    store::{
        PageAt, RunFilter,
        sql::{self, Settings},
    },
};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Numbers of the files in a folder of the sources.
fn numbers(path: &str) -> BTreeSet<i64> {
    let entries = fs::read_dir(folder(path)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| name.get(..4)?.parse().ok())
        .collect()
}

async fn dumped(schema: i64, path: &Path) {
    let dump = folder(&format!("tests/fixtures/schemas/{schema:04}.sql"));
    let options = SqliteConnectOptions::new().filename(path);
    // Tables are in the order they were made, not in that of their references.
    let options = options.create_if_missing(true).foreign_keys(false);
    let mut connection = options.connect().await.unwrap();
    let dump = fs::read_to_string(dump).unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(dump))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[test]
fn every_schema_that_was_has_a_database() {
    let mut schemas = numbers("src/store/sql/sqlite/migrations");
    schemas.pop_last();
    let kept = numbers("tests/fixtures/schemas");
    let missing: Vec<_> = schemas.difference(&kept).collect();
    assert!(
        missing.is_empty(),
        "{missing:?}: run tests/fixtures/schemas/make"
    );
}

#[tokio::test]
async fn what_an_earlier_binary_left_is_worked_on() {
    for schema in numbers("tests/fixtures/schemas") {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("eyas.db");
        dumped(schema, &path).await;
        let store = sql::open_sqlite(&path, Settings::default()).await.unwrap();
        let found = sql::check_sqlite(&path).await.unwrap();
        assert!(found.faults.is_empty(), "{schema}: {:?}", found.faults);
        assert_eq!((found.runs, found.open, found.events), (3, 2, 6));

        store.runs.recover(Vec::new()).await.unwrap();
        let all = RunFilter::default();
        let runs = store.runs.list(all, PageAt::default()).await.unwrap().items;
        let prompts: Vec<_> = runs.iter().map(|run| run.prompt.as_str()).collect();
        assert_eq!(prompts, ["waits", "held", "old"], "{schema}");
        assert_eq!(runs[2].conclusion.as_ref().unwrap().summary, "it is done");
        assert_eq!(runs[0].label.as_deref(), Some("later"));
        assert!(runs.iter().all(|run| run.state != RunState::Running));
        for run in &runs {
            let attempts = store.runs.attempts(run.id).await.unwrap();
            assert!(attempts.iter().all(|attempt| attempt.outcome.is_some()));
        }
        let unknown = store.runs.get(RunId(mint())).await;
        assert!(unknown.is_err());
        store.closer.close().await;
        let found = sql::check_sqlite(&path).await.unwrap();
        assert!(found.faults.is_empty(), "{schema}: {:?}", found.faults);
    }
}
