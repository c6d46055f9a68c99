use super::pipe::{Pipe, meta};
use serde_json::{Value, json};

const INFO: &str = "io.modelcontextprotocol/serverInfo";

#[tokio::test]
async fn a_session_shakes_hands_and_gets_results_without_a_type() {
    let mut pipe = Pipe::new().await;
    let greeting = pipe.greet().await;
    assert_eq!(greeting["protocolVersion"], "2025-06-18");
    assert_eq!(greeting["serverInfo"]["name"], "eyas");
    assert_eq!(
        greeting["capabilities"],
        json!({
            "completions": {},
            "prompts": {},
            "resources": {"subscribe": true, "listChanged": true},
            "tools": {},
        })
    );
    let listed = pipe.ask("tools/list", json!({})).await;
    assert!(listed["result"].get("resultType").is_none(), "{listed}");
    let done = pipe.call("delegate", json!({"prompt": "succeed"})).await;
    assert!(done.get("resultType").is_none());
    assert!(done.get("_meta").is_none());
}

#[tokio::test]
async fn every_old_revision_is_spoken_and_an_unknown_one_gets_the_newest_of_them() {
    for (asked, answered) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let mut pipe = Pipe::new().await;
        let params = json!({
            "protocolVersion": asked,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        });
        let greeting = pipe.ask("initialize", params).await;
        assert_eq!(greeting["result"]["protocolVersion"], answered, "{asked}");
    }
}

#[tokio::test]
async fn a_request_of_2026_needs_no_handshake_and_gets_a_signed_result() {
    let mut pipe = Pipe::new().await;
    let found = pipe.ask_modern("server/discover", json!({})).await;
    let found = &found["result"];
    assert_eq!(found["resultType"], "complete");
    assert!(
        found["supportedVersions"]
            .as_array()
            .unwrap()
            .contains(&json!("2026-07-28"))
    );
    assert_eq!(found["_meta"][INFO]["name"], "eyas");
    assert!(found["instructions"].as_str().unwrap().contains("delegate"));
    for (method, params) in [
        ("tools/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/read", json!({"uri": "eyas://personas/reviewer"})),
    ] {
        let answer = pipe.ask_modern(method, params).await;
        let result = &answer["result"];
        assert_eq!(result["resultType"], "complete", "{method}: {answer}");
        assert!(
            result["ttlMs"].is_u64() && result["cacheScope"].is_string(),
            "{method}"
        );
        assert_eq!(result["_meta"][INFO]["name"], "eyas", "{method}");
    }
    let call = json!({"name": "delegate", "arguments": {"prompt": "succeed"}});
    let answer = pipe.ask_modern("tools/call", call).await;
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(answer["result"]["_meta"][INFO]["name"], "eyas");
}

#[tokio::test]
async fn both_are_spoken_at_once() {
    let mut pipe = Pipe::new().await;
    pipe.ask_modern("server/discover", json!({})).await;
    pipe.greet().await;
    let modern = pipe.ask_modern("tools/list", json!({})).await;
    let old = pipe.ask("tools/list", json!({})).await;
    assert_eq!(modern["result"]["resultType"], "complete");
    assert!(old["result"].get("resultType").is_none());
    assert_eq!(modern["result"]["tools"], old["result"]["tools"]);
}

#[tokio::test]
async fn ping_is_answered_in_both() {
    let mut pipe = Pipe::new().await;
    assert_eq!(pipe.ask("ping", json!({})).await["result"], json!({}));
    let modern = pipe.ask_modern("ping", json!({})).await;
    assert!(modern["result"].is_object(), "{modern}");
    pipe.greet().await;
    assert_eq!(pipe.ask("ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn wrong_metadata_is_refused_as_the_protocol_says() {
    let mut pipe = Pipe::new().await;
    let bare = pipe.ask("tools/list", json!({})).await;
    assert_eq!(bare["error"]["code"], -32602, "{bare}");
    let mut unknown = meta();
    unknown["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let answer = pipe.ask("tools/list", json!({"_meta": unknown})).await;
    assert_eq!(answer["error"]["code"], -32022, "{answer}");
    assert_eq!(answer["error"]["data"]["requested"], "2099-01-01");
    let mut poor = meta();
    poor.as_object_mut()
        .unwrap()
        .remove("io.modelcontextprotocol/clientCapabilities");
    let answer = pipe.ask("tools/list", json!({"_meta": poor})).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[tokio::test]
async fn a_notification_may_come_first_and_anywhere() {
    for name in [
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/odd",
        "$/lsp",
    ] {
        let mut pipe = Pipe::new().await;
        let note = json!({"jsonrpc": "2.0", "method": name, "params": {"requestId": 9}});
        pipe.say(&note).await;
        pipe.ask_modern("server/discover", json!({})).await;
        pipe.say(&note).await;
        let listed = pipe.ask_modern("tools/list", json!({})).await;
        assert_eq!(
            listed["result"]["tools"].as_array().unwrap().len(),
            12,
            "{name}"
        );
    }
}

#[tokio::test]
async fn ids_come_back_letter_by_letter() {
    let mut pipe = Pipe::new().await;
    for id in [
        "\"a\\\"b\"",
        "9007199254740993",
        "18446744073709551615",
        "123456789012345678901234567890",
        "-1",
        "1.50",
        "\"1\"",
    ] {
        pipe.write(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n").as_bytes())
            .await;
        let line = pipe.hear_line().await;
        assert!(line.contains(&format!("\"id\":{id},")), "{id}: {line}");
    }
}

#[tokio::test]
async fn two_requests_of_one_id_get_two_answers() {
    let mut pipe = Pipe::greeted().await;
    let call = |prompt: &str| json!({"jsonrpc": "2.0", "id": "same", "method": "tools/call", "params": {"name": "delegate", "arguments": {"prompt": prompt, "wait_ms": 0}}});
    pipe.say(&call("one")).await;
    pipe.say(&call("two")).await;
    let mut prompts: Vec<Value> = Vec::new();
    for _ in 0..2 {
        let answer = pipe.hear().await;
        assert_eq!(answer["id"], "same");
        prompts.push(answer["result"]["structuredContent"]["prompt"].clone());
    }
    prompts.sort_by_key(ToString::to_string);
    assert_eq!(prompts, ["one", "two"]);
}

#[tokio::test]
async fn what_is_not_offered_is_no_method() {
    let mut pipe = Pipe::greeted().await;
    for method in ["logging/setLevel", "tasks/list", "no/such"] {
        let params = json!({"_meta": meta(), "level": "info", "taskId": "x"});
        let answer = pipe.ask(method, params).await;
        assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
    }
}
