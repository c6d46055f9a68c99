//! A full disk: nothing is acknowledged that is not there, and the writer goes on when there is space.

use super::kit::{Home, run};
use eyas::store::{NewRun, StoreError, sql::Settings};
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

fn large() -> NewRun {
    NewRun {
        prompt: "x".repeat(20_000),
        ..run()
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_and_the_writer_recovers() {
    let home = Home::with(Settings {
        max_pages: Some(400),
        ..Settings::default()
    })
    .await;
    let mut acknowledged = Vec::new();
    let refused = loop {
        match home.store.runs.accept(large()).await {
            Ok(accepted) => acknowledged.push(accepted.run.id),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 1000, "it never fills");
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(acknowledged.len() > 10);
    for id in &acknowledged {
        home.state(*id).await;
    }
    assert_eq!(
        home.store.runs.open(None).await.unwrap() as usize,
        acknowledged.len()
    );
    assert!(home.store.runs.accept(large()).await.is_err(), "still full");

    let mut person = SqliteConnectOptions::new()
        .filename(home.place.path())
        .connect()
        .await
        .unwrap();
    sqlx::query("UPDATE run SET prompt=''")
        .execute(&mut person)
        .await
        .unwrap();
    for _ in 0..10 {
        home.accept(large()).await;
    }
}
