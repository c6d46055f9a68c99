use crate::hub::nest::{FakeWork, Nest, feed};
use eyas::{
    api::events::{EventsApiServer, Watch},
    domain::{
        event::{Event, EventKind},
        time::Timestamp,
    },
};
use jsonrpsee::{PendingSubscriptionSink, RpcModule, core::SubscriptionResult, core::async_trait};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};

struct Three;

#[async_trait]
impl EventsApiServer for Three {
    async fn watch(&self, pending: PendingSubscriptionSink, _: Watch) -> SubscriptionResult {
        let sink = pending.accept().await?;
        for cursor in 0..3 {
            let event = Event {
                cursor: cursor.to_string(),
                run: None,
                run_seq: None,
                project: None,
                instance: None,
                kind: EventKind::Message,
                at: Timestamp(0),
                data: Value::Null,
            };
            sink.send(serde_json::value::to_raw_value(&event)?).await?;
        }
        sink.closed().await;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_as_notifications_and_end_with_stdin() {
    let nest = Nest::new();
    let module: RpcModule<Three> = Three.into_rpc();
    let hub = nest.hatch(FakeWork::default(), module.into()).await;
    let nest = tokio::task::spawn_blocking(move || {
        watch(&nest);
        nest
    })
    .await
    .unwrap();
    hub.end().await;
    drop(nest);
}

fn watch(nest: &Nest) {
    let mut face = nest.eyas(&["rpc"]).spawn().unwrap();
    let mut lines = BufReader::new(face.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    feed(
        &mut face,
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"events.watch\",\"params\":{\"wrong\":1}}\n",
    );
    assert_eq!(next()["error"]["data"]["field"], "wrong");
    feed(
        &mut face,
        "{\"jsonrpc\":\"2.0\",\"id\":\"w\",\"method\":\"events.watch\"}\n",
    );
    let answer = next();
    assert_eq!(answer["id"], "w");
    for cursor in 0..3 {
        let event = next();
        assert_eq!(event["params"]["subscription"], answer["result"]);
        assert_eq!(event["params"]["result"]["cursor"], cursor.to_string());
    }
    drop(face.stdin.take());
    assert!(face.wait().unwrap().success());
}
