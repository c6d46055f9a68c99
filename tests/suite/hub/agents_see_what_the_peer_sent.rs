use super::nest::{FakeWork, Nest};
use jsonrpsee::Methods;

#[tokio::test(flavor = "multi_thread")]
async fn a_face_sends_the_names_that_are_asked_for_and_no_others() {
    let nest = Nest::new();
    let work = FakeWork {
        env_names: vec!["NEST_*".to_owned()],
        ..FakeWork::default()
    };
    let hub = nest.hatch(work, Methods::new()).await;
    let nest = nest.with("NEST_KEY", "egg").with("SECRET", "yolk");
    let connection = nest.connection();
    let client = connection.client().await.unwrap();
    let peer = hub.ground.peers.list()[0].id;
    let values = hub.ground.vault.values_for(Some(peer));
    assert_eq!(values.get("NEST_KEY").map(String::as_str), Some("egg"));
    assert!(!values.contains_key("SECRET"));
    drop((client, connection));
    hub.end().await;
}
