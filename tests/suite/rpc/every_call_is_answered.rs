use crate::hub::nest::{FakeWork, INFO, Nest, answers, feed, until};
use jsonrpsee::{Methods, RpcModule};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

fn by_id<'a>(answers: &'a [Value], id: &Value) -> &'a Value {
    let found = answers.iter().find(|answer| &answer["id"] == id);
    found.unwrap_or_else(|| panic!("{id} in {answers:?}"))
}

#[test]
fn printf_into_rpc_prints_every_answer_with_a_cold_hub() {
    let nest = Nest::new();
    let lines: String = (0..200)
        .map(|id| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"hub.info\"}}\n"))
        .collect();
    let answers = nest.rpc(&lines);
    assert_eq!(answers.len(), 200);
    for id in 0..200 {
        assert!(by_id(&answers, &json!(id))["result"]["id"].is_string());
    }
}

#[test]
fn the_last_line_needs_no_end() {
    assert_eq!(Nest::new().rpc(INFO.trim_end()).len(), 1);
}

#[test]
fn ids_come_back_as_they_were_sent() {
    let nest = Nest::new();
    for id in ["-1", "1.50", "\"x\\u0041\"", "null", "18446744073709551615"] {
        let line = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"hub.info\"}}");
        let output = nest.say(&["rpc"], &line);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(&format!("\"id\":{id},\"result\"")), "{said}");
    }
}

#[test]
fn garbage_is_answered_and_does_no_harm() {
    let nest = Nest::new();
    let answers = nest.rpc(&format!("{{oops\n\n\u{0}\n[]\n7\n{{\"id\":8}}\n{INFO}"));
    let codes: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer["error"]["code"].as_i64())
        .collect();
    assert_eq!(codes, [-32700, -32700, -32600, -32600, -32600]);
    assert!(by_id(&answers, &json!(1))["result"].is_object());
    assert!(by_id(&answers, &json!(8))["error"].is_object());
}

#[test]
fn a_batch_is_one_line_and_a_notification_none() {
    let nest = Nest::new();
    let call = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "hub.info"});
    let note = json!({"jsonrpc": "2.0", "method": "hub.info"});
    let lines = format!(
        "{}\n{note}\n{}\n",
        json!([call(1), note, 3, call(2)]),
        json!([note])
    );
    let answers = nest.rpc(&lines);
    assert_eq!(answers.len(), 1, "{answers:?}");
    let batch = answers[0].as_array().unwrap();
    assert_eq!(batch.len(), 3);
    assert!(by_id(batch, &json!(1))["result"].is_object());
    assert!(by_id(batch, &json!(2))["result"].is_object());
    assert_eq!(by_id(batch, &Value::Null)["error"]["code"], -32600);
}

#[test]
fn unknown_methods_and_fields_and_wrong_parameters_are_named() {
    let nest = Nest::new();
    let lines = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "hub.imfo"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "hub.info", "params": {"deep": true}}),
        json!({"jsonrpc": "2.0", "id": 3, "method": "hub.shutdown", "params": {"now": "yes"}}),
        json!({"jsonrpc": "2.0", "id": 4, "method": "hub.info", "params": [{}]}),
        json!({"jsonrpc": "2.0", "id": 5, "method": "hub.info", "params": []}),
        json!({"jsonrpc": "2.0", "id": 6, "method": "rpc.discover"}),
    ];
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let answers = nest.rpc(&lines);
    let error = |id: u32| &by_id(&answers, &json!(id))["error"];
    assert_eq!(error(1)["code"], -32601);
    assert!(
        error(1)["data"]["hint"]
            .as_str()
            .unwrap()
            .contains("hub.info")
    );
    assert_eq!(error(2)["code"], -32602);
    assert_eq!(error(2)["data"]["kind"], "invalid_params");
    assert_eq!(error(2)["data"]["field"], "deep");
    assert_eq!(error(3)["data"]["kind"], "invalid_params");
    assert!(by_id(&answers, &json!(4))["result"].is_object());
    assert!(by_id(&answers, &json!(5))["result"].is_object());
    let document = &by_id(&answers, &json!(6))["result"];
    assert!(
        document["methods"]
            .as_array()
            .is_some_and(|methods| methods.len() > 30)
    );
}

#[test]
fn in_process_answers_the_same_and_leaves_nothing_running() {
    let nest = Nest::new();
    let answers = answers(&nest.say(&["rpc", "--in-process"], &INFO.repeat(3)));
    assert_eq!(answers.len(), 3);
    assert!(answers[0]["result"]["endpoint"].is_null());
    assert!(nest.endpoint().is_none());
}

#[test]
fn a_large_message_goes_through() {
    let nest = Nest::new();
    let cwd = "x".repeat(20 << 20);
    let lines = json!({"jsonrpc": "2.0", "id": 1, "method": "hub.join", "params": {"cwd": cwd}});
    assert!(nest.rpc(&lines.to_string())[0]["result"].is_object());
}

/// Methods that take their time, or for ever; `asked` tells that the latter was called.
fn slow(asked: Arc<AtomicBool>) -> Methods {
    let mut module = RpcModule::new(asked);
    module
        .register_async_method("test.slow", |_, _, _| async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            "slow"
        })
        .unwrap();
    module
        .register_async_method("test.never", |_, asked, _| async move {
            asked.store(true, Ordering::Relaxed);
            std::future::pending::<&str>().await
        })
        .unwrap();
    module.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_do_not_wait_for_each_other() {
    let nest = Nest::new();
    let hub = nest.hatch(FakeWork::default(), slow(Arc::default())).await;
    let lines = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"method\":\"test.slow\"}}\n{INFO}");
    let (nest, answers) = tokio::task::spawn_blocking(move || {
        let answers = nest.rpc(&lines);
        (nest, answers)
    })
    .await
    .unwrap();
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].clone()).collect();
    assert_eq!(ids, [json!(1), json!("s")]);
    hub.end().await;
    drop(nest);
}

#[test]
fn a_hub_that_goes_away_answers_with_hub_lost() {
    let nest = Nest::new();
    // The end of the runtime is to this hub what the end of its process is to another.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let asked = Arc::new(AtomicBool::new(false));
    let hub = runtime.block_on(nest.hatch(FakeWork::default(), slow(asked.clone())));
    let mut face = nest.eyas(&["rpc"]).spawn().unwrap();
    feed(
        &mut face,
        "{\"jsonrpc\":\"2.0\",\"id\":\"n\",\"method\":\"test.never\"}\n",
    );
    until("the call", || asked.load(Ordering::Relaxed).then_some(()));
    drop(hub);
    runtime.shutdown_background();
    let answers = answers(&face.wait_with_output().unwrap());
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["id"], "n");
    assert_eq!(answers[0]["error"]["data"]["kind"], "hub_lost");
}
