use super::{
    fake,
    pipe::{Pipe, text},
};
use eyas::domain::conclusion::{Changes, FileChange, FileStatus};
use serde_json::{Value, json};

/// Every fact of a value, as a reader would look for it.
fn facts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(object) => object.values().for_each(|one| facts(one, into)),
        Value::Array(items) => items.iter().for_each(|one| facts(one, into)),
        Value::String(text) => into.push(text.clone()),
        Value::Number(number) => into.push(number.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}

#[tokio::test]
async fn text_and_structure_tell_the_same() {
    let mut pipe = Pipe::greeted().await;
    for (tool, arguments) in [
        ("delegate", json!({"prompt": "succeed"})),
        ("delegate", json!({"prompt": "fail"})),
        ("delegate", json!({"prompt": "long", "wait_ms": 0})),
        ("delegate", json!({"prompt": "ask"})),
        ("delegate", json!({"prompt": "busy", "wait_ms": 0})),
        ("run_list", json!({})),
        ("persona_list", json!({})),
        ("persona_create", json!({"id": "new-one", "role": "x"})),
        ("instance_list", json!({})),
        ("instance_create", json!({"name": "carol", "dry_run": true})),
        (
            "instance_control",
            json!({"name": "bob", "action": "render"}),
        ),
        ("project", json!({"action": "list"})),
        ("project", json!({"action": "stop", "project": "shop"})),
    ] {
        let result = pipe.call(tool, arguments).await;
        let text = text(&result);
        let mut all = Vec::new();
        facts(&result["structuredContent"], &mut all);
        assert!(!all.is_empty());
        for fact in all {
            let quoted = Value::from(fact.clone()).to_string();
            let inside = &quoted[1..quoted.len() - 1];
            assert!(
                text.contains(&fact) || text.contains(inside),
                "{tool}: {fact:?} is missing in {text}"
            );
        }
    }
}

/// As much of JSON Schema as our own schemas use.
fn fits(value: &Value, schema: &Value, at: &str) {
    if let Some(kind) = schema["type"].as_str() {
        let right = match kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            other => panic!("{at}: type {other}"),
        };
        assert!(right, "{at}: {value} is no {kind}");
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is none of {words:?}");
    }
    if let Some(properties) = schema["properties"].as_object() {
        for (name, schema) in properties {
            if let Some(value) = value.get(name) {
                fits(value, schema, &format!("{at}.{name}"));
            }
        }
    }
    for item in value.as_array().into_iter().flatten() {
        fits(item, &schema["items"], &format!("{at}[]"));
    }
    let has = |choice: &Value| {
        let names = choice["required"].as_array().unwrap();
        names
            .iter()
            .all(|name| value.get(name.as_str().unwrap()).is_some())
    };
    if let Some(choices) = schema["anyOf"].as_array() {
        assert!(
            choices.iter().any(has),
            "{at}: {value} lacks what is required"
        );
    } else if schema["required"].is_array() {
        assert!(has(schema), "{at}: {value} lacks what is required");
    }
}

#[tokio::test]
async fn every_answer_fits_the_schema_of_its_tool() {
    let mut pipe = Pipe::greeted().await;
    let listed = pipe.ask("tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap().clone();
    let mut run = fake::run("x");
    fake::conclude(&mut run, "done");
    let id = run.id;
    pipe.hub.put(run);
    let mut seen = 0;
    for (name, arguments) in [
        ("delegate", json!({"prompt": "succeed"})),
        ("delegate", json!({"prompt": "fail"})),
        ("delegate", json!({})),
        (
            "run_get",
            json!({"id": id, "include": ["output", "events", "attempts", "usage"]}),
        ),
        ("run_get", json!({"ids": [id], "wait_ms": 0})),
        ("run_get", json!({"id": "nope"})),
        ("run_list", json!({})),
        ("run_cancel", json!({"id": id})),
        ("persona_list", json!({})),
        ("persona_create", json!({"id": "one"})),
        ("persona_create", json!({})),
        ("instance_list", json!({})),
        ("instance_create", json!({"name": "one"})),
        (
            "instance_control",
            json!({"name": "alice", "action": "start"}),
        ),
        (
            "instance_control",
            json!({"name": "nobody", "action": "start"}),
        ),
        ("project", json!({"action": "list"})),
        ("project", json!({"action": "register", "project": "/x"})),
        ("project", json!({"action": "stop", "project": "/x"})),
        ("project", json!({"action": "deactivate"})),
        ("project", json!({})),
        ("delegate", json!({"prompt": "busy"})),
        ("delegate", json!({"prompt": "ask"})),
        ("run_input", json!({"id": id})),
    ] {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        let result = pipe.call(name, arguments).await;
        fits(&result["structuredContent"], &tool["outputSchema"], name);
        seen += 1;
    }
    assert_eq!(seen, 23);
}

#[tokio::test]
async fn old_clients_get_no_links() {
    for (version, blocks) in [("2024-11-05", 1), ("2025-03-26", 1), ("2025-06-18", 2)] {
        let mut pipe = Pipe::new().await;
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        pipe.ask("initialize", params).await;
        let result = pipe.call("delegate", json!({"prompt": "succeed"})).await;
        assert_eq!(
            result["content"].as_array().unwrap().len(),
            blocks,
            "{version}"
        );
    }
}

#[tokio::test]
async fn a_failed_run_is_an_error_that_is_complete_in_its_text() {
    let mut pipe = Pipe::greeted().await;
    let result = pipe.call("delegate", json!({"prompt": "fail"})).await;
    assert_eq!(result["isError"], true);
    assert_eq!(result["structuredContent"]["state"], "failed");
    let text = text(&result);
    assert!(
        text.starts_with(
            "failed · agent_died: the agent died: exit 3. try again · see why with run_get"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn what_was_cancelled_is_no_error() {
    let mut pipe = Pipe::greeted().await;
    let run = pipe
        .call("delegate", json!({"prompt": "long", "wait_ms": 0}))
        .await;
    let id = &run["structuredContent"]["id"];
    let result = pipe
        .call("run_cancel", json!({"id": id, "reason": "changed my mind"}))
        .await;
    assert_eq!(result["isError"], false);
    assert_eq!(result["structuredContent"]["state"], "cancelled");
    assert_eq!(
        pipe.hub.asked().pop().unwrap().1["reason"],
        "changed my mind"
    );
}

#[tokio::test]
async fn answers_stay_small_and_link_to_the_rest() {
    let mut pipe = Pipe::greeted().await;
    let mut run = fake::run(&"p".repeat(100_000));
    fake::conclude(&mut run, &"word ".repeat(100_000));
    let id = run.id;
    pipe.hub.put(run);
    let result = pipe.call("run_get", json!({"id": id})).await;
    assert!(
        result.to_string().len() < 64 * 1024,
        "{}",
        result.to_string().len()
    );
    assert!(
        result["structuredContent"]["prompt"]
            .as_str()
            .unwrap()
            .len()
            < 2200
    );
    assert!(result["structuredContent"].get("usage").is_none());
    let link = &result["content"][1];
    assert_eq!(link["type"], "resource_link");
    assert_eq!(link["uri"], format!("eyas://runs/{id}/transcript"));
    let page = pipe.call("run_list", json!({})).await;
    assert!(page["structuredContent"].to_string().len() < 2048);
}

#[tokio::test]
async fn more_is_included_on_request_in_pages_of_16_kb() {
    let mut pipe = Pipe::greeted().await;
    let mut run = fake::run("x");
    fake::conclude(&mut run, "done");
    let id = run.id;
    pipe.hub.put(run);
    let got = pipe
        .call(
            "run_get",
            json!({"id": id, "include": ["usage", "attempts"]}),
        )
        .await;
    assert_eq!(got["structuredContent"]["usage"]["total_tokens"], 42);
    assert_eq!(got["structuredContent"]["attempts"][0]["n"], 1);
    let mut seen = 0;
    let mut said = String::new();
    let mut cursor = Value::Null;
    for _ in 0..20 {
        let arguments = json!({"id": id, "include": ["events", "output"], "cursor": cursor});
        let part = pipe.call("run_get", arguments).await;
        let part = &part["structuredContent"];
        assert!(
            part["events"].to_string().len() + part["output"].as_str().unwrap().len() <= 17 * 1024
        );
        seen += part["events"].as_array().unwrap().len();
        said += part["output"].as_str().unwrap();
        cursor = part["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, 30);
    for n in 2..30 {
        assert!(said.contains(&format!("part {n}. ")), "{n}");
    }
}

#[tokio::test]
async fn a_duplicate_is_named_so() {
    let mut pipe = Pipe::greeted().await;
    let mut run = fake::run("x");
    run.duplicate = Some(true);
    let id = run.id;
    pipe.hub.put(run);
    let got = pipe.call("run_get", json!({"id": id, "wait_ms": 0})).await;
    assert!(
        text(&got).starts_with("queued · duplicate: "),
        "{}",
        text(&got)
    );
}

#[tokio::test]
async fn a_running_run_shows_what_it_is_doing_and_under_which_terms() {
    let mut pipe = Pipe::greeted().await;
    let busy = json!({"prompt": "busy", "wait_ms": 0});
    let result = pipe.call("delegate", busy).await;
    let run = &result["structuredContent"];
    assert_eq!(run["tool"], "cargo test");
    assert_eq!(run["said"], "Half of it is done.");
    assert_eq!(run["policy"]["security"], "allowlist");
    assert_eq!(run["isolation"], "worktree");
    assert_eq!(run["worktree"]["branch"], "eyas/x");
    assert_eq!(run["tree_usage"]["runs"], 2);
    let said = text(&result);
    assert!(said.starts_with("running · step: testing · tool: cargo test · call run_get"));
    assert!(said.contains("said: Half of it is done."), "{said}");
}

#[tokio::test]
async fn changes_are_told_in_short_and_in_full_when_asked() {
    let mut pipe = Pipe::greeted().await;
    let mut run = fake::run("x");
    fake::conclude(&mut run, "done");
    let file = |n: usize| FileChange {
        path: format!("src/{n}.rs"),
        status: FileStatus::Added,
        added: Some(1),
        removed: Some(0),
    };
    run.conclusion.as_mut().unwrap().changes = Some(Changes {
        files: (0..150).map(file).collect(),
        added: 150,
        ..Changes::default()
    });
    let id = run.id;
    pipe.hub.put(run);
    let got = pipe.call("run_get", json!({"id": id})).await;
    let lead = "succeeded · conclusion: success · changes: 150 files +150 −0 · done";
    assert!(text(&got).starts_with(lead), "{}", text(&got));
    let changes = &got["structuredContent"]["conclusion"]["changes"];
    assert_eq!(changes["files"].as_array().unwrap().len(), 20);
    assert_eq!(
        (&changes["added"], &changes["truncated"]),
        (&json!(150), &json!(true))
    );
    let full = json!({"id": id, "include": ["changes"]});
    let got = pipe.call("run_get", full).await;
    let changes = &got["structuredContent"]["conclusion"]["changes"];
    assert_eq!(changes["files"].as_array().unwrap().len(), 150);
    let rows = pipe.call("run_list", json!({})).await;
    assert!(rows["structuredContent"].to_string().len() < 2048);
}
