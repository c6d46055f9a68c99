use super::{fake, pipe::Pipe};
use serde_json::{Value, json};

#[tokio::test]
async fn every_persona_is_a_prompt() {
    let mut pipe = Pipe::greeted().await;
    let listed = pipe.ask("prompts/list", json!({})).await;
    let prompts = listed["result"]["prompts"].as_array().unwrap();
    let names: Vec<&str> = prompts
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["architect", "reviewer", "researcher"]);
    assert_eq!(prompts[0]["arguments"][0]["name"], "task");
    let got = pipe
        .ask(
            "prompts/get",
            json!({"name": "reviewer", "arguments": {"task": "look at main.rs"}}),
        )
        .await;
    let message = &got["result"]["messages"][0];
    assert_eq!(message["role"], "user");
    let text = message["content"]["text"].as_str().unwrap();
    for word in [
        "delegate",
        "persona \"reviewer\"",
        "look at main.rs",
        "run_get",
    ] {
        assert!(text.contains(word), "{text}");
    }
    let asked = pipe.ask("prompts/get", json!({"name": "reviewer"})).await;
    assert!(
        asked["result"]["messages"][0]["content"]["text"]
            .as_str()
            .unwrap()
            .contains("Ask me")
    );
    let missing = pipe.ask("prompts/get", json!({"name": "reviewr"})).await;
    assert_eq!(missing["error"]["code"], -32602);
    assert!(
        missing["error"]["message"]
            .as_str()
            .unwrap()
            .contains("\"reviewer\"")
    );
}

async fn completed(pipe: &mut Pipe, of: Value, name: &str, value: &str, context: Value) -> Value {
    let mut params = json!({"ref": of, "argument": {"name": name, "value": value}});
    if !context.is_null() {
        params["context"] = json!({"arguments": context});
    }
    pipe.ask("completion/complete", params).await
}

#[tokio::test]
async fn names_and_ids_are_completed_by_their_beginning() {
    let mut pipe = Pipe::greeted().await;
    let run = fake::run("x");
    let id = run.id.to_string();
    pipe.hub.put(run);
    let template = |uri: &str| json!({"type": "ref/resource", "uri": uri});
    for (of, name, value, context, wanted) in [
        (
            template("eyas://personas/{id}"),
            "id",
            "re",
            Value::Null,
            json!(["reviewer", "researcher"]),
        ),
        (
            template("eyas://personas/{id}"),
            "id",
            "REV",
            Value::Null,
            json!(["reviewer"]),
        ),
        (
            template("eyas://personas/{id}"),
            "id",
            "zz",
            Value::Null,
            json!([]),
        ),
        (
            template("eyas://instances/{name}/{file}"),
            "name",
            "a",
            Value::Null,
            json!(["alice"]),
        ),
        (
            template("eyas://instances/{name}/{file}"),
            "file",
            "S",
            json!({"name": "alice"}),
            json!(["SOUL.md"]),
        ),
        (
            template("eyas://instances/{name}/{file}"),
            "file",
            "",
            json!({"name": "nobody"}),
            json!([]),
        ),
        (
            template("eyas://instances/{name}/{file}"),
            "file",
            "",
            Value::Null,
            json!([]),
        ),
        (
            template("eyas://runs/{id}"),
            "id",
            &id[..8],
            Value::Null,
            json!([id.clone()]),
        ),
        (
            template("eyas://runs/{id}/transcript"),
            "id",
            "",
            Value::Null,
            json!([id.clone()]),
        ),
        (
            json!({"type": "ref/prompt", "name": "reviewer"}),
            "instance",
            "b",
            Value::Null,
            json!(["bob"]),
        ),
        (
            json!({"type": "ref/prompt", "name": "reviewer"}),
            "task",
            "b",
            Value::Null,
            json!([]),
        ),
    ] {
        let answer = completed(&mut pipe, of.clone(), name, value, context).await;
        assert_eq!(
            answer["result"]["completion"]["values"], wanted,
            "{of} {name} {value}: {answer}"
        );
    }
    let answer = completed(&mut pipe, template("eyas://no/{x}"), "x", "", Value::Null).await;
    assert_eq!(answer["error"]["code"], -32602);
}

#[tokio::test]
async fn never_more_than_a_hundred_values() {
    let mut pipe = Pipe::greeted().await;
    for _ in 0..150 {
        pipe.hub.put(fake::run("x"));
    }
    let of = json!({"type": "ref/resource", "uri": "eyas://runs/{id}"});
    let answer = completed(&mut pipe, of, "id", "", Value::Null).await;
    let completion = &answer["result"]["completion"];
    assert_eq!(completion["values"].as_array().unwrap().len(), 100);
    assert_eq!(completion["hasMore"], true);
}
