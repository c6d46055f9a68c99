use super::nest::{FakeWork, Nest};
use eyas::{
    api::hub::{HubApiClient as _, HubShutdown, Nothing},
    domain::fault::ErrorKind,
    hub::{
        ground::{Builder, NoWork, Served},
        join::Connection,
    },
};
use jsonrpsee::Methods;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn the_next_client_is_of_the_next_hub() {
    let nest = Nest::new();
    let connection = nest.connection();
    let first = connection.client().await.unwrap();
    let hub = first.info(Nothing {}).await.unwrap();
    assert!(connection.end_hub(HubShutdown::default()).await.unwrap());
    first.on_disconnect().await;
    let second = connection.client().await.unwrap();
    assert_ne!(second.info(Nothing {}).await.unwrap().id, hub.id);
    assert!(connection.end_hub(HubShutdown::default()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_share_one_connection_and_peek_starts_nothing() {
    let nest = Nest::new();
    let connection = nest.connection();
    assert!(connection.peek().await.unwrap().is_none());
    let hub = nest.hatch(FakeWork::default(), Methods::new()).await;
    let (one, other) = tokio::join!(connection.client(), connection.client());
    assert!(Arc::ptr_eq(&one.unwrap(), &other.unwrap()));
    let peers = hub.ground.peers.list();
    assert_eq!(peers.len(), 1);
    assert_eq!(
        (&*peers[0].face, peers[0].cwd.as_deref()),
        ("test", nest.root().to_str())
    );
    hub.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_process_is_the_same_api_and_close_gives_the_home_back() {
    let nest = Nest::new();
    let builder = Builder::new(|_| async {
        Ok(Served {
            methods: Methods::new(),
            work: Arc::new(NoWork),
        })
    });
    let new = || {
        let (settings, env) = (Arc::new(nest.settings()), Arc::new(nest.environment()));
        Connection::in_process(settings, env, "test", "0.1.0", builder.clone())
    };
    let (first, second) = (new(), new());
    let client = first.client().await.unwrap();
    let view = client.info(Nothing {}).await.unwrap();
    assert_eq!((view.endpoint, view.peers), (None, 1));
    assert_eq!(second.client().await.unwrap_err().kind, ErrorKind::Busy);
    client.shutdown(HubShutdown::default()).await.unwrap();
    client.on_disconnect().await;
    let client = first.client().await.unwrap();
    assert_ne!(client.info(Nothing {}).await.unwrap().id, view.id);
    drop(client);
    first.close().await;
    assert!(second.client().await.is_ok());
    second.close().await;
}
