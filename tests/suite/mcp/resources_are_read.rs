use super::{fake, pipe::Pipe};
use serde_json::{Value, json};

async fn read(pipe: &mut Pipe, uri: &str) -> Value {
    pipe.ask("resources/read", json!({"uri": uri})).await
}

#[tokio::test]
async fn everything_listed_can_be_read() {
    let mut pipe = Pipe::greeted().await;
    let mut run = fake::run("first line\nsecond");
    fake::conclude(&mut run, "done");
    let id = run.id;
    pipe.hub.put(run);
    let listed = pipe.ask("resources/list", json!({})).await;
    let listed = listed["result"]["resources"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 1 + 4 + 3);
    assert_eq!(listed[0]["uri"], format!("eyas://runs/{id}"));
    assert_eq!(listed[0]["title"], "first line");
    for resource in listed {
        let uri = resource["uri"].as_str().unwrap();
        let answer = read(&mut pipe, uri).await;
        let content = &answer["result"]["contents"][0];
        assert_eq!(content["uri"], uri, "{answer}");
        assert_eq!(content["mimeType"], resource["mimeType"]);
        assert!(!content["text"].as_str().unwrap().is_empty());
    }
    let soul = read(&mut pipe, "eyas://instances/alice/SOUL.md").await;
    assert_eq!(
        soul["result"]["contents"][0]["text"],
        "# SOUL.md of alice\n"
    );
    let transcript = read(&mut pipe, &format!("eyas://runs/{id}/transcript")).await;
    let text = transcript["result"]["contents"][0]["text"]
        .as_str()
        .unwrap();
    assert!(text.contains("first line") && text.contains("part 2. ") && text.contains("part 29. "));
}

#[tokio::test]
async fn what_is_not_there_is_said_in_each_eras_code() {
    let mut pipe = Pipe::greeted().await;
    for uri in [
        "eyas://runs/nope",
        "eyas://runs/01890a5d-ac96-774b-bcce-b302099a8057",
        "eyas://runs/01890a5d-ac96-774b-bcce-b302099a8057/transcript",
        "eyas://runs/01890a5d-ac96-774b-bcce-b302099a8057/diff",
        "eyas://personas/nobody",
        "eyas://personas/",
        "eyas://instances/alice/../../etc/passwd",
        "eyas://instances/alice/passwd",
        "eyas://instances/alice",
        "eyas://instances/nobody/SOUL.md",
        "file:///etc/passwd",
        "",
    ] {
        let old = read(&mut pipe, uri).await;
        assert_eq!(old["error"]["code"], -32002, "{uri}: {old}");
        let modern = pipe.ask_modern("resources/read", json!({"uri": uri})).await;
        assert_eq!(modern["error"]["code"], -32602, "{uri}: {modern}");
    }
}

#[tokio::test]
async fn a_cursor_that_was_never_given_is_refused() {
    let mut pipe = Pipe::greeted().await;
    for method in ["tools/list", "resources/list", "resources/templates/list"] {
        let answer = pipe.ask(method, json!({"cursor": "made up"})).await;
        assert_eq!(answer["error"]["code"], -32602, "{method}: {answer}");
    }
}

#[tokio::test]
async fn templates_are_listed() {
    let mut pipe = Pipe::greeted().await;
    let answer = pipe.ask("resources/templates/list", json!({})).await;
    let templates: Vec<&str> = answer["result"]["resourceTemplates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["uriTemplate"].as_str().unwrap())
        .collect();
    assert_eq!(
        templates,
        [
            "eyas://runs/{id}",
            "eyas://runs/{id}/transcript",
            "eyas://personas/{id}",
            "eyas://instances/{name}/{file}"
        ]
    );
}
