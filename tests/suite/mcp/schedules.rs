//! The tool `schedule`: its five actions, and what it teaches.

use super::pipe::{Pipe, text};
use serde_json::{Value, json};

async fn call(pipe: &mut Pipe, arguments: Value) -> Value {
    pipe.call("schedule", arguments).await
}

fn last(pipe: &Pipe, method: &str) -> Value {
    let asked = pipe.hub.asked();
    let (name, params) = asked.last().unwrap();
    assert_eq!(*name, method);
    params.clone()
}

#[tokio::test]
async fn a_schedule_is_created_with_what_is_said_and_shows_its_times() {
    let mut pipe = Pipe::greeted().await;
    let made = call(
        &mut pipe,
        json!({"action": "create", "name": "tests", "cron": "30 3 * * mon-fri", "zone": "Europe/Berlin",
            "prompt": "run the tests", "persona": "reviewer", "project": ".", "overlap": "queue"}),
    )
    .await;
    assert_eq!(made["isError"], false, "{made}");
    assert_eq!(made["structuredContent"]["name"], "tests");
    assert_eq!(made["structuredContent"]["prompt"], "run the tests");
    assert_eq!(
        made["structuredContent"]["next_times"][0],
        "2027-01-15T08:00:00.000Z"
    );
    assert!(
        text(&made).starts_with(
            "created · schedule tests · next at 2027-01-15T08:00:00.000Z, 30 3 * * * in Europe/Berlin"
        ),
        "{}",
        text(&made)
    );
    let asked = last(&pipe, "schedule.create");
    assert_eq!(
        asked,
        json!({"name": "tests", "cron": "30 3 * * mon-fri", "zone": "Europe/Berlin", "prompt": "run the tests",
            "persona": "reviewer", "project": std::env::temp_dir(), "overlap": "queue", "misfire": "once"})
    );
}

#[tokio::test]
async fn the_list_is_a_page_of_short_rows() {
    let mut pipe = Pipe::greeted().await;
    let listed = call(&mut pipe, json!({"action": "list"})).await;
    let row = &listed["structuredContent"]["items"][0];
    assert_eq!(row["name"], "nightly");
    assert!(row["prompt"].as_str().unwrap().len() < 300, "{row}");
    assert_eq!(row["next_times"].as_array().unwrap().len(), 1);
    assert!(text(&listed).starts_with("1 schedule"));
    assert!(text(&listed).contains("nightly"));
}

#[tokio::test]
async fn it_is_paused_fired_and_deleted_by_name() {
    let mut pipe = Pipe::greeted().await;
    let paused = json!({"action": "update", "name": "nightly", "active": false});
    let paused = call(&mut pipe, paused).await;
    assert_eq!(paused["structuredContent"]["active"], false);
    assert!(text(&paused).starts_with("changed · schedule nightly · not active"));
    let asked = last(&pipe, "schedule.update");
    assert_eq!(asked, json!({"schedule": "nightly", "active": false}));
    let fired = call(&mut pipe, json!({"action": "fire", "name": "nightly"})).await;
    assert_eq!(fired["structuredContent"]["label"], "nightly");
    let id = fired["structuredContent"]["id"].as_str().unwrap();
    assert!(
        text(&fired).contains(&format!("call run_get {{\"id\":\"{id}\"")),
        "{}",
        text(&fired)
    );
    let gone = call(&mut pipe, json!({"action": "delete", "name": "nightly"})).await;
    assert!(text(&gone).starts_with("deleted; its runs stay · schedule nightly"));
    assert_eq!(
        last(&pipe, "schedule.delete"),
        json!({"schedule": "nightly"})
    );
}

#[tokio::test]
async fn what_is_missing_or_in_vain_is_said_and_nothing_is_touched() {
    let mut pipe = Pipe::greeted().await;
    for (arguments, kind, said) in [
        (json!({}), "required_field", "`action`"),
        (json!({"action": "create"}), "required_field", "`name`"),
        (
            json!({"action": "create", "name": "x", "prompt": "y"}),
            "required_field",
            "mon-fri",
        ),
        (
            json!({"action": "create", "name": "x", "cron": "@daily", "prompt": " "}),
            "required_field",
            "`prompt`",
        ),
        (json!({"action": "update"}), "required_field", "`name`"),
        (json!({"action": "delete"}), "required_field", "`name`"),
        (
            json!({"action": "fire", "name": " "}),
            "required_field",
            "`name`",
        ),
        (
            json!({"action": "list", "name": "nightly"}),
            "invalid_params",
            "leave it out",
        ),
        (
            json!({"action": "update", "name": "nightly", "agent": "claude"}),
            "invalid_params",
            "create it anew",
        ),
        (
            json!({"action": "delete", "name": "nightly", "prompt": "x"}),
            "invalid_params",
            "`prompt`",
        ),
        (json!({"action": "remove"}), "invalid_params", "delete"),
    ] {
        let answer = call(&mut pipe, arguments.clone()).await;
        assert_eq!(answer["isError"], true, "{arguments}");
        assert_eq!(answer["structuredContent"]["kind"], kind, "{answer}");
        assert!(
            text(&answer).contains(said),
            "{arguments}: {}",
            text(&answer)
        );
    }
    assert_eq!(pipe.hub.asked(), []);
}

#[tokio::test]
async fn the_hubs_refusals_are_in_the_tools_words() {
    let mut pipe = Pipe::greeted().await;
    let answer = call(&mut pipe, json!({"action": "delete", "name": "nightli"})).await;
    assert_eq!(answer["structuredContent"]["field"], "name");
    let said = "did you mean \"nightly\"? list them with schedule {action:\"list\"}";
    assert!(text(&answer).contains(said), "{}", text(&answer));
    let answer = call(&mut pipe, json!({"action": "fire", "name": "mine"})).await;
    assert_eq!(answer["structuredContent"]["kind"], "forbidden");
}
