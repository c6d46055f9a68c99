//! A session that shook hands is told of what it subscribed to, and of the list once it has read it.

use super::{fake, pipe::Pipe, waits_end_and_tell::until};
use eyas::domain::{ids::RunId, run::RunState};
use serde_json::{Value, json};
use std::time::Duration;

const UPDATED: &str = "notifications/resources/updated";
const LISTED: &str = "notifications/resources/list_changed";

fn running(pipe: &Pipe) -> RunId {
    let mut run = fake::run("long");
    run.state = RunState::Running;
    let id = run.id;
    pipe.hub.put(run);
    id
}

fn uri(run: RunId) -> String {
    format!("eyas://runs/{run}")
}

async fn subscribe(pipe: &mut Pipe, uri: &str) -> Value {
    pipe.ask("resources/subscribe", json!({"uri": uri})).await
}

#[tokio::test]
async fn both_are_offered() {
    let mut pipe = Pipe::new().await;
    let greeting = pipe.greet().await;
    let resources = &greeting["capabilities"]["resources"];
    assert_eq!(*resources, json!({"subscribe": true, "listChanged": true}));
    assert!(
        greeting["capabilities"]["tools"]
            .get("listChanged")
            .is_none()
    );
}

#[tokio::test]
async fn a_run_is_told_until_it_is_no_longer_subscribed_to() {
    let mut pipe = Pipe::greeted().await;
    let (run, other) = (running(&pipe), running(&pipe));
    let taken = subscribe(&mut pipe, &uri(run)).await;
    assert_eq!(taken["result"], json!({}), "{taken}");
    let again = subscribe(&mut pipe, &uri(run)).await;
    assert_eq!(again["result"], json!({}));
    let hub = pipe.hub.clone();
    assert_eq!(hub.log.watchers(), 2, "twice is once");
    hub.change(other, |run| fake::conclude(run, "Not this one."));
    hub.change(run, |run| run.step = Some("writing".to_owned()));
    let told = pipe.told(UPDATED).await;
    assert_eq!(told, json!({"uri": uri(run)}));
    let left = pipe
        .ask("resources/unsubscribe", json!({"uri": uri(run)}))
        .await;
    assert_eq!(left["result"], json!({}), "{left}");
    until(|| hub.log.watchers() == 0).await;
    hub.change(run, |run| fake::conclude(run, "Done."));
    let ping = pipe.send("ping", json!({})).await;
    assert_eq!(pipe.hear().await["id"], ping, "nothing more is told");
    let unknown = json!({"uri": "eyas://runs/nope"});
    let left = pipe.ask("resources/unsubscribe", unknown).await;
    assert_eq!(left["result"], json!({}));
}

#[tokio::test]
async fn a_chatty_run_is_told_now_and_then_and_its_end_is_told() {
    let mut pipe = Pipe::greeted().await;
    let run = running(&pipe);
    subscribe(&mut pipe, &uri(run)).await;
    for n in 0..500 {
        pipe.hub
            .change(run, |run| run.step = Some(format!("step {n}")));
    }
    pipe.told(UPDATED).await;
    pipe.hub.change(run, |run| fake::conclude(run, "Done."));
    pipe.told(UPDATED).await;
    let mut more = 0;
    loop {
        let read = pipe.ask("resources/read", json!({"uri": uri(run)})).await;
        let text = read["result"]["contents"][0]["text"].as_str().unwrap();
        if text.contains("\"state\": \"succeeded\"") {
            break;
        }
        pipe.told(UPDATED).await;
        more += 1;
    }
    assert!(more <= 2, "{more} more");
}

#[tokio::test]
async fn the_list_is_told_to_who_has_read_it() {
    let mut pipe = Pipe::greeted().await;
    let hub = pipe.hub.clone();
    running(&pipe);
    pipe.call("run_list", json!({})).await;
    assert_eq!(
        hub.count("events.watch"),
        0,
        "nobody has asked for resources"
    );
    pipe.ask("resources/list", json!({})).await;
    until(|| hub.log.watchers() == 1).await;
    running(&pipe);
    let told = pipe.hear().await;
    assert_eq!(told["method"], LISTED, "{told}");
    assert!(told.get("params").is_none_or(|params| *params == json!({})));
    pipe.ask("resources/list", json!({})).await;
    assert_eq!(hub.count("events.watch"), 1);
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_said() {
    let mut pipe = Pipe::greeted().await;
    for (uri, code) in [
        ("eyas://runs/nope", -32002),
        ("eyas://runs/01890a5d-ac96-774b-bcce-b302099a8057", -32002),
        (
            "eyas://runs/01890a5d-ac96-774b-bcce-b302099a8057/diff",
            -32002,
        ),
        ("eyas://personas/nobody", -32002),
        ("file:///etc/passwd", -32002),
        ("eyas://personas/reviewer", -32602),
        ("eyas://instances/alice/SOUL.md", -32602),
    ] {
        let answer = subscribe(&mut pipe, uri).await;
        assert_eq!(answer["error"]["code"], code, "{uri}: {answer}");
    }
    let hub = pipe.hub.clone();
    until(|| hub.log.watchers() == 0).await;
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        let params = json!({"uri": "eyas://runs/nope"});
        let modern = pipe.ask_modern(method, params).await;
        assert_eq!(modern["error"]["code"], -32601, "{method}: it listens");
    }
}

#[tokio::test]
async fn there_is_an_end_to_subscriptions() {
    let mut pipe = Pipe::greeted().await;
    let mut taken = 0;
    let refused = loop {
        let run = running(&pipe);
        let answer = subscribe(&mut pipe, &uri(run)).await;
        if answer.get("error").is_some() {
            break answer;
        }
        taken += 1;
        assert!(taken < 200);
    };
    assert_eq!(taken, 64);
    assert_eq!(refused["error"]["code"], -32602);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("too many subscriptions"), "{message}");
}

#[tokio::test]
async fn the_end_of_the_input_is_the_end_of_them_all() {
    let mut pipe = Pipe::greeted().await;
    pipe.ask("resources/list", json!({})).await;
    for _ in 0..10 {
        let run = running(&pipe);
        subscribe(&mut pipe, &uri(run)).await;
    }
    let hub = pipe.hub.clone();
    assert_eq!(hub.log.watchers(), 11);
    pipe.close().await;
    let (took, well) = pipe.end().await;
    assert!(well && took < Duration::from_millis(250), "{took:?}");
    until(|| hub.log.watchers() == 0).await;
}
