use super::nest::{FakeWork, Nest};
use eyas::{
    domain::{caller::Caller, ids::SessionId},
    stdx::mint,
};
use jsonrpsee::Methods;
use serde_json::Value;

const ASK: &str = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hub.peers\"}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hub.shutdown\",\"params\":{\"now\":true}}\n";

/// What a child of the test is told when the hub takes the test for an agent of this caller's.
async fn answers(caller: Option<Caller>) -> Vec<Value> {
    let nest = Nest::new();
    let children = caller.map(|caller| (std::process::id(), caller));
    let work = FakeWork {
        children: children.into_iter().collect(),
        ..FakeWork::default()
    };
    let hub = nest.hatch(work, Methods::new()).await;
    let (nest, mut answers) = tokio::task::spawn_blocking(move || {
        let answers = nest.rpc(ASK);
        (nest, answers)
    })
    .await
    .unwrap();
    answers.sort_by_key(|answer| answer["id"].as_u64());
    hub.end().await;
    drop(nest);
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_of_nobody_is_a_person_and_may_end_the_hub() {
    let answers = answers(None).await;
    assert_eq!(answers[0]["result"]["items"][0]["caller"], "person");
    assert!(answers[1]["result"].is_object(), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_of_an_agent_is_its_session_and_may_not() {
    let answers = answers(Some(Caller::Session(SessionId(mint())))).await;
    assert_eq!(answers[0]["result"]["items"][0]["caller"], "session");
    assert_eq!(answers[1]["error"]["data"]["kind"], "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stray_may_only_read() {
    let answers = answers(Some(Caller::Stray)).await;
    assert_eq!(answers[0]["result"]["items"][0]["caller"], "stray");
    assert_eq!(answers[1]["error"]["data"]["kind"], "forbidden");
}
