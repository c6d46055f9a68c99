use super::nest::{FakeWork, INFO, Nest, feed};
use eyas::{domain::ids::RunId, stdx::mint};
use jsonrpsee::Methods;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};

fn version(mut nest: Nest, version: &str, revision: &str) -> Nest {
    nest.vars.retain(|(name, _)| !name.starts_with("EYAS_TEST"));
    nest.with("EYAS_TEST_VERSION", version)
        .with("EYAS_TEST_REVISION", revision)
}

#[test]
fn a_newer_hub_is_used_and_an_older_one_replaced() {
    let nest = version(Nest::new(), "1.0.0", "1");
    let first = nest.info();
    let nest = version(nest, "0.9.0", "1");
    assert_eq!(nest.info()["id"], first["id"]);
    let nest = version(nest, "1.0.1", "1");
    let second = nest.info();
    assert_ne!(second["id"], first["id"]);
    assert_eq!(second["version"], "1.0.1");
}

#[test]
fn an_older_hub_is_used_while_another_peer_is_there() {
    let nest = version(Nest::new(), "1.0.0", "1");
    let mut peer = nest.eyas(&["rpc"]).spawn().unwrap();
    feed(&mut peer, INFO);
    let mut said = BufReader::new(peer.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&said.next().unwrap().unwrap()).unwrap();
    let nest = version(nest, "1.0.1", "1");
    assert_eq!(nest.info()["id"], first["result"]["id"]);
    drop(peer.stdin.take());
    assert!(peer.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_hub_is_used_while_it_has_a_run() {
    let nest = version(Nest::new(), "1.0.0", "1");
    let hub = nest
        .hatch(FakeWork::with(RunId(mint())), Methods::new())
        .await;
    let nest = version(nest, "1.0.1", "1");
    let nest = ask(nest, |info| assert_eq!(info["result"]["version"], "1.0.0")).await;
    hub.end().await;
    drop(nest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_of_another_revision_is_busy_with_its_runs_by_name() {
    let run = RunId(mint());
    let nest = version(Nest::new(), "1.0.0", "1");
    let hub = nest.hatch(FakeWork::with(run), Methods::new()).await;
    let nest = version(nest, "2.0.0", "2");
    let nest = ask(nest, |answer| {
        let fault = &answer["error"]["data"];
        assert_eq!(fault["kind"], "busy");
        assert!(fault["detail"].as_str().unwrap().contains(&run.to_string()));
        assert!(fault["hint"].as_str().unwrap().contains("eyas hub restart"));
    })
    .await;
    hub.end().await;
    drop(nest);
}

#[test]
fn a_hub_of_another_revision_with_nothing_in_flight_is_replaced() {
    let nest = version(Nest::new(), "2.0.0", "2");
    let first = nest.info();
    let nest = version(nest, "1.0.0", "1");
    let second = nest.info();
    assert_ne!(first["id"], second["id"]);
    assert_eq!(second["revision"], 1);
}

/// The face blocks: away from the threads on which the hub runs.
async fn ask(nest: Nest, check: impl FnOnce(&Value)) -> Nest {
    let (nest, answers) = tokio::task::spawn_blocking(move || {
        let answers = nest.rpc(INFO);
        (nest, answers)
    })
    .await
    .unwrap();
    check(&answers[0]);
    nest
}
