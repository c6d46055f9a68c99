//! A connection that is lost loses nothing that was acknowledged, and comes back by itself.

use super::kit::{Home, run};

#[tokio::test]
async fn after_its_connections_were_cut_a_store_goes_on() {
    let home = Home::new().await;
    let before = home.accept(run()).await;
    home.place.cut().await;
    let after = home.accept(run()).await;
    assert_eq!(home.claim(10).await.len(), 2);
    home.place.cut().await;
    for id in [before, after] {
        assert!(home.store.runs.get(id).await.unwrap().state.is_held());
    }
}

#[tokio::test]
async fn while_connections_are_cut_each_write_is_there_once_or_reported() {
    let home = Home::new().await;
    let runs = &home.store.runs;
    let writing = async {
        let mut acknowledged = Vec::new();
        for _ in 0..200 {
            let new = run();
            let id = new.id;
            if runs.accept(new).await.is_ok() {
                acknowledged.push(id);
            }
        }
        acknowledged
    };
    let cutting = async {
        for _ in 0..10 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            home.place.cut().await;
        }
    };
    let (acknowledged, ()) = tokio::join!(writing, cutting);
    assert!(acknowledged.len() > 100, "{} of 200", acknowledged.len());
    for id in acknowledged {
        runs.get(id).await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_address_is_said_at_once_and_without_the_password() {
    let url = "postgres://me:topsecret@127.0.0.1:1/none";
    let error = eyas::store::sql::open_postgres(url, eyas::store::sql::Settings::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("unavailable"), "{error}");
    assert!(!error.contains("topsecret"), "{error}");
}
