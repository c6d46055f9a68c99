use super::nest::{FakeWork, Nest, feed, until};
use eyas::{
    api::{
        fault::from_client,
        hub::{HubApiClient as _, HubShutdown, Nothing},
    },
    domain::{fault::ErrorKind, ids::RunId},
    stdx::mint,
};
use jsonrpsee::Methods;
use std::{
    io::{BufRead as _, BufReader},
    time::Duration,
};

fn short() -> Nest {
    Nest::new().with("EYAS_HUB_IDLE_EXIT_MS", "100")
}

#[test]
fn a_hub_with_nobody_there_and_nothing_to_do_ends() {
    let nest = short();
    let pid = nest.info()["pid"].as_u64().unwrap();
    until("the end of the hub", || {
        nest.endpoint().is_none().then_some(())
    });
    until("its last word", || {
        let log = std::fs::read_to_string(nest.home.join("logs/hub.log")).unwrap();
        log.contains("the hub has ended").then_some(())
    });
    assert_ne!(nest.info()["pid"].as_u64().unwrap(), pid);
}

#[test]
fn a_peer_keeps_the_hub() {
    let nest = short();
    let mut face = nest.eyas(&["rpc"]).spawn().unwrap();
    feed(&mut face, super::nest::INFO);
    let mut said = BufReader::new(face.stdout.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    let begun = std::time::Instant::now();
    until("many idle times", || {
        (begun.elapsed() > Duration::from_millis(500)).then_some(())
    });
    feed(&mut face, super::nest::INFO);
    let id = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["result"]["id"].clone()
    };
    assert_eq!(id(&first), id(&said.next().unwrap().unwrap()));
    drop(face.stdin.take());
    assert!(face.wait().unwrap().success());
    until("the end of the hub", || {
        nest.endpoint().is_none().then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_run_keeps_the_hub() {
    let nest = short();
    let work = FakeWork::with(RunId(mint()));
    let hub = nest.hatch(work, Methods::new()).await;
    let mut life = hub.life;
    let ended = tokio::time::timeout(Duration::from_millis(500), &mut life).await;
    assert!(ended.is_err());
    hub.ending.begin();
    life.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_hub_ends_with_its_last_run() {
    let nest = Nest::new();
    let work = FakeWork::with(RunId(mint()));
    let open = work.open.clone();
    let hub = nest.hatch(work, Methods::new()).await;
    let connection = nest.connection();
    let client = connection.client().await.unwrap();
    let refused = client.shutdown(HubShutdown::default()).await.unwrap_err();
    assert_eq!(from_client(&refused).kind, ErrorKind::Busy);
    let wait = HubShutdown {
        wait: true,
        ..HubShutdown::default()
    };
    assert!(client.shutdown(wait).await.unwrap().draining);
    assert_eq!(client.info(Nothing {}).await.unwrap().open_runs, 1);
    open.lock().unwrap().clear();
    hub.life.await.unwrap();
    assert!(nest.endpoint().is_none());
}
