//! What a newer binary has migrated is left alone, and what cannot hold our texts is refused.

use super::{kit::Home, server::server};
use eyas::store::{
    StoreError,
    sql::{self, Settings},
};
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
use std::str::FromStr as _;
use uuid::Uuid;

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let home = Home::new().await;
    home.store.closer.close().await;
    let url = home.place.url();
    let mut connection = PgConnectOptions::from_str(&url)
        .unwrap()
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql("INSERT INTO _sqlx_migrations(version,description,success,checksum,execution_time) VALUES(9999,'later',TRUE,'',1)")
        .execute(&mut connection)
        .await
        .unwrap();
    let refused = sql::open_postgres(&url, Settings::default()).await;
    assert!(
        matches!(refused, Err(StoreError::TooNew { found: 9999, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let name = format!("eyas_test_{}", Uuid::now_v7().simple());
    let server = server();
    server
        .run(&format!(
            "CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        ))
        .await;
    let refused = sql::open_postgres(&server.address(&name), Settings::default()).await;
    server.forget(&name).await;
    let error = refused.unwrap_err().to_string();
    assert!(
        error.contains("LATIN1") && error.contains("UTF8"),
        "{error}"
    );
}

#[tokio::test]
async fn hubs_that_start_at_once_on_an_empty_database_take_turns() {
    let name = format!("eyas_test_{}", Uuid::now_v7().simple());
    let server = server();
    server
        .run(&format!(
            "CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"
        ))
        .await;
    let url = server.address(&name);
    let (one, other) = tokio::join!(
        sql::open_postgres(&url, Settings::default()),
        sql::open_postgres(&url, Settings::default())
    );
    for store in [one.unwrap(), other.unwrap()] {
        store.closer.close().await;
    }
    server.forget(&name).await;
}
