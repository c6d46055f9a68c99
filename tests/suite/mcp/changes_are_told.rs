//! `subscriptions/listen` (2026-07-28): a client is told of changes by a request that stays open.

use super::{
    fake,
    pipe::{Pipe, meta},
    waits_end_and_tell::until,
};
use eyas::domain::{event::EventKind, ids::RunId, run::RunState};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
const GONE: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn takes_tasks() -> Value {
    json!({"extensions": {"io.modelcontextprotocol/tasks": {}}, "elicitation": {"form": {}}})
}

/// Listens, and reads what of it is honoured.
async fn listen(pipe: &mut Pipe, notifications: Value) -> (i64, Value) {
    let params = json!({"notifications": notifications});
    let id = pipe
        .send_as(&takes_tasks(), "subscriptions/listen", params)
        .await;
    let first = pipe.hear().await;
    assert_eq!(
        first["method"], "notifications/subscriptions/acknowledged",
        "{first}"
    );
    assert_eq!(first["params"]["_meta"][SUBSCRIPTION], id, "{first}");
    (id, first["params"]["notifications"].clone())
}

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

/// Everything that is told until the run's resource says that it has ended.
async fn updates_to_the_end(pipe: &mut Pipe, run: RunId) -> usize {
    let mut told = 0;
    loop {
        let update = pipe.told("notifications/resources/updated").await;
        assert_eq!(update["uri"], uri(run));
        told += 1;
        let read = pipe
            .ask_modern("resources/read", json!({"uri": uri(run)}))
            .await;
        let text = read["result"]["contents"][0]["text"].as_str().unwrap();
        if text.contains("\"state\": \"succeeded\"") {
            return told;
        }
    }
}

#[tokio::test]
async fn a_task_is_told_as_it_is_and_whenever_it_changes_to_its_end() {
    let mut pipe = Pipe::new().await;
    let run = running(&pipe);
    let (id, honoured) = listen(&mut pipe, json!({"taskIds": [run, GONE, "nope"]})).await;
    assert_eq!(honoured, json!({"taskIds": [run]}));
    // It may have changed before anybody listened, so it is told at once.
    let now = pipe.told("notifications/tasks").await;
    assert_eq!(now["_meta"][SUBSCRIPTION], id);
    assert_eq!(now["taskId"], json!(run));
    assert_eq!(now["status"], "working");
    assert!(now.get("resultType").is_none());
    pipe.hub
        .change(run, |run| fake::asks(run, vec![fake::permission("r1")]));
    let asks = pipe.told("notifications/tasks").await;
    assert_eq!(asks["status"], "input_required", "{asks}");
    assert!(asks["inputRequests"]["r1"].is_object());
    pipe.hub.change(run, |run| {
        run.requests.clear();
        fake::conclude(run, "All good.");
    });
    let done = pipe.told("notifications/tasks").await;
    assert_eq!(done["status"], "completed", "{done}");
    let got = pipe
        .ask_as(&takes_tasks(), "tasks/get", json!({"taskId": run}))
        .await;
    for name in [
        "result",
        "createdAt",
        "lastUpdatedAt",
        "ttlMs",
        "statusMessage",
    ] {
        assert_eq!(done[name], got["result"][name], "as tasks/get has it");
    }
    // It is final: its run is followed no longer.
    let hub = pipe.hub.clone();
    until(|| hub.log.watchers() == 0).await;
}

#[tokio::test]
async fn what_a_run_below_asks_is_told() {
    let mut pipe = Pipe::new().await;
    let run = running(&pipe);
    listen(&mut pipe, json!({"taskIds": [run]})).await;
    let now = pipe.told("notifications/tasks").await;
    assert_eq!(now["status"], "working");
    let child = running(&pipe);
    pipe.hub
        .change(child, |run| fake::asks(run, vec![fake::permission("r1")]));
    let below = fake::stands_above(&pipe.hub, child);
    pipe.hub.change(run, |run| run.asks_below.push(below));
    let asks = pipe.told("notifications/tasks").await;
    assert_eq!(asks["status"], "input_required", "{asks}");
}

#[tokio::test]
async fn tasks_are_not_told_to_who_does_not_know_them() {
    let mut pipe = Pipe::new().await;
    let params = json!({"notifications": {"taskIds": [GONE]}});
    let answer = pipe.ask_modern("subscriptions/listen", params).await;
    assert_eq!(answer["error"]["code"], -32021, "{answer}");
    let needed = &answer["error"]["data"]["requiredCapabilities"]["extensions"];
    assert_eq!(*needed, json!({"io.modelcontextprotocol/tasks": {}}));
    assert_eq!(pipe.hub.log.watchers(), 0);
}

#[tokio::test]
async fn a_runs_resources_are_told_and_a_chatty_run_only_now_and_then() {
    let mut pipe = Pipe::new().await;
    let run = running(&pipe);
    let asked = [
        uri(run),
        uri(GONE.parse().unwrap()),
        "eyas://personas/reviewer".to_owned(),
    ];
    let (id, honoured) = listen(&mut pipe, json!({"resourceSubscriptions": asked})).await;
    assert_eq!(honoured, json!({"resourceSubscriptions": [uri(run)]}));
    let begun = Instant::now();
    for n in 0..500 {
        pipe.hub
            .change(run, |run| run.step = Some(format!("step {n}")));
    }
    let first = pipe.told("notifications/resources/updated").await;
    assert_eq!(first["uri"], uri(run));
    assert_eq!(first["_meta"][SUBSCRIPTION], id);
    pipe.hub.change(run, |run| fake::conclude(run, "Done."));
    let more = updates_to_the_end(&mut pipe, run).await;
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!(more <= 2 + seconds, "{more} updates in {seconds} s");
}

#[tokio::test]
async fn what_reads_the_same_is_not_told() {
    let mut pipe = Pipe::new().await;
    let run = running(&pipe);
    listen(&mut pipe, json!({"resourceSubscriptions": [uri(run)]})).await;
    // A request of another run may stand below this one, and does not.
    let other = running(&pipe);
    let hub = pipe.hub.clone();
    let looks = hub.count("run.get");
    hub.change(other, |run| fake::asks(run, vec![fake::permission("r1")]));
    until(|| hub.count("run.get") > looks).await;
    pipe.hub.change(run, |run| fake::conclude(run, "Done."));
    assert_eq!(updates_to_the_end(&mut pipe, run).await, 1);
}

#[tokio::test]
async fn what_was_missed_is_looked_for() {
    let mut pipe = Pipe::new().await;
    let run = running(&pipe);
    let wanted = json!({"resourceSubscriptions": [uri(run)], "taskIds": [run]});
    listen(&mut pipe, wanted).await;
    pipe.told("notifications/tasks").await;
    pipe.hub
        .change_unsaid(run, |run| fake::conclude(run, "Done."));
    pipe.hub.log.tell(Some(run), EventKind::Lagged);
    let update = pipe.told("notifications/resources/updated").await;
    assert_eq!(update["uri"], uri(run));
    let done = pipe.told("notifications/tasks").await;
    assert_eq!(done["status"], "completed", "{done}");
}

#[tokio::test]
async fn a_transcript_and_a_diff_are_told_of_their_own() {
    let mut pipe = Pipe::new().await;
    let run = running(&pipe);
    let parts = ["transcript", "diff"].map(|part| format!("{}/{part}", uri(run)));
    listen(&mut pipe, json!({"resourceSubscriptions": parts})).await;
    pipe.hub.log.tell(Some(run), EventKind::Usage);
    pipe.hub.log.tell(Some(run), EventKind::Message);
    let said = pipe.told("notifications/resources/updated").await;
    assert_eq!(said["uri"], parts[0]);
    pipe.hub.log.tell(Some(run), EventKind::WorktreeChanged);
    let mut told = Vec::new();
    for _ in 0..2 {
        let update = pipe.told("notifications/resources/updated").await;
        told.push(update["uri"].as_str().unwrap().to_owned());
    }
    told.sort();
    assert_eq!(told, [parts[1].clone(), parts[0].clone()]);
}

#[tokio::test]
async fn a_new_run_changes_the_list_and_fifty_change_it_a_few_times() {
    let mut pipe = Pipe::new().await;
    let wanted =
        json!({"resourcesListChanged": true, "toolsListChanged": true, "promptsListChanged": true});
    let (id, honoured) = listen(&mut pipe, wanted).await;
    assert_eq!(honoured, json!({"resourcesListChanged": true}));
    let begun = Instant::now();
    for _ in 0..50 {
        running(&pipe);
    }
    let changed = pipe.told("notifications/resources/list_changed").await;
    assert_eq!(changed["_meta"][SUBSCRIPTION], id);
    // What is listened to by another request comes in between, and says that all fifty were heard of.
    let run = running(&pipe);
    pipe.hub.change(run, |run| fake::conclude(run, "Done."));
    let params = json!({"notifications": {"taskIds": [run]}});
    pipe.send_as(&takes_tasks(), "subscriptions/listen", params)
        .await;
    let mut more = 0;
    loop {
        let message = pipe.hear().await;
        match message["method"].as_str() {
            Some("notifications/tasks") => break,
            Some("notifications/resources/list_changed") => more += 1,
            _ => {}
        }
    }
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!(more <= 1 + seconds, "{more} more in {seconds} s");
}

#[tokio::test]
async fn cancelling_ends_it_and_nothing_more_is_told() {
    let mut pipe = Pipe::new().await;
    let run = running(&pipe);
    let (id, _) = listen(&mut pipe, json!({"resourceSubscriptions": [uri(run)]})).await;
    let hub = pipe.hub.clone();
    assert_eq!(hub.log.watchers(), 2);
    let cancel =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
    pipe.say(&cancel).await;
    until(|| hub.log.watchers() == 0).await;
    hub.change(run, |run| fake::conclude(run, "Done."));
    let ping = pipe.send("ping", json!({"_meta": meta()})).await;
    assert_eq!(pipe.hear().await["id"], ping);
    pipe.close().await;
    assert!(pipe.hear_or_end().await.is_none());
}

#[tokio::test]
async fn the_end_of_the_input_completes_it_at_once_and_leaves_nothing() {
    let mut pipe = Pipe::new().await;
    let run = running(&pipe);
    let wanted = json!({"resourcesListChanged": true, "resourceSubscriptions": [uri(run)]});
    let (id, _) = listen(&mut pipe, wanted).await;
    let hub = pipe.hub.clone();
    pipe.close().await;
    let end = pipe.hear().await;
    assert_eq!(end["id"], id);
    assert_eq!(end["result"]["resultType"], "complete");
    assert_eq!(end["result"]["_meta"][SUBSCRIPTION], id);
    let server = &end["result"]["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "eyas");
    assert!(pipe.hear_or_end().await.is_none());
    let (took, well) = pipe.end().await;
    assert!(well && took < Duration::from_millis(250), "{took:?}");
    until(|| hub.log.watchers() == 0).await;
}

#[tokio::test]
async fn several_requests_to_listen_are_told_apart_by_their_ids_letter_by_letter() {
    let mut pipe = Pipe::new().await;
    let run = running(&pipe);
    let ids = ["123456789012345678901234567890", "\"listen:0\"", "-7"];
    for id in ids {
        let mut params = json!({"notifications": {"resourceSubscriptions": [uri(run)]}});
        params["_meta"] = meta();
        let line = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"subscriptions/listen\",\"params\":{params}}}\n"
        );
        pipe.write(line.as_bytes()).await;
        let first = pipe.hear_line().await;
        let marked = format!("\"{SUBSCRIPTION}\":{id}}}");
        assert!(
            first.contains("acknowledged") && first.contains(&marked),
            "{first}"
        );
    }
    pipe.hub.change(run, |run| fake::conclude(run, "Done."));
    let mut left: Vec<_> = ids.to_vec();
    while !left.is_empty() {
        let line = pipe.hear_line().await;
        left.retain(|id| !line.contains(&format!("\"{SUBSCRIPTION}\":{id}}}")));
    }
}

#[tokio::test]
async fn there_is_an_end_to_what_one_client_may_listen_to() {
    let mut pipe = Pipe::new().await;
    let runs: Vec<_> = (0..80).map(|_| running(&pipe)).collect();
    let uris: Vec<_> = runs.iter().map(|run| uri(*run)).collect();
    let (id, honoured) = listen(&mut pipe, json!({"resourceSubscriptions": uris})).await;
    let taken = honoured["resourceSubscriptions"].as_array().unwrap();
    assert_eq!(taken.len(), 64, "and one for what is below them");
    let hub = pipe.hub.clone();
    assert_eq!(hub.log.watchers(), 65);
    let cancel =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
    pipe.say(&cancel).await;
    until(|| hub.log.watchers() == 0).await;
    let (_, honoured) = listen(&mut pipe, json!({"resourceSubscriptions": [uris[79]]})).await;
    assert_eq!(honoured["resourceSubscriptions"], json!([uris[79]]));
}

#[tokio::test]
async fn what_is_no_request_to_listen_is_refused() {
    let mut pipe = Pipe::new().await;
    for params in [
        json!({}),
        json!({"notifications": 1}),
        json!({"notifications": {"taskIds": "x"}}),
    ] {
        let answer = pipe
            .ask_as(&takes_tasks(), "subscriptions/listen", params)
            .await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    pipe.greet().await;
    let params = json!({"notifications": {"resourcesListChanged": true}});
    let answer = pipe.ask("subscriptions/listen", params).await;
    assert_eq!(answer["error"]["code"], -32601, "a session subscribes");
}
