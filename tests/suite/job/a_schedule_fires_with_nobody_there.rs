use super::kit::{Job, alive};
use crate::hub::nest::until;
use eyas::{
    domain::{schedule::Schedule, time::Timestamp},
    stdx::clock,
    store::sql::{self, Settings},
};
use serde_json::{Value, json};

const SOON: (&str, &str) = ("EYAS_HUB_IDLE_EXIT_MS", "1000");

/// Changes a schedule while no hub is there.
fn by_hand(job: &Job, name: &str, change: impl FnOnce(Schedule) -> Schedule) {
    let path = job.nest.settings().database;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = sql::open_sqlite(&path, Settings::default()).await.unwrap();
        let found = store.schedules.by_name(name).await.unwrap();
        store.schedules.update(change(found)).await.unwrap();
        store.closer.close().await;
    });
}

#[test]
fn and_its_hub_stays_for_the_next_time() {
    let job = Job::with(&[SOON]);
    let mark = job.nest.root().join("fired");
    let mut rpc = job.rpc();
    let made = rpc.result(
        "schedule.create",
        &json!({
            "name": "yearly",
            "cron": "0 0 1 jan *",
            "zone": "Europe/Berlin",
            "prompt": format!("!write {}", mark.display()),
        }),
    );
    assert_eq!(made["next_times"].as_array().unwrap().len(), 5, "{made}");
    assert_eq!(made["next_times"][0], made["next_at"]);
    assert_eq!(made["active"], true);
    rpc.close();
    job.kill_hub();
    let soon = Timestamp(clock::now_ms() + 4_000);
    by_hand(&job, "yearly", |schedule| Schedule {
        next_at: Some(soon),
        ..schedule
    });
    job.nest.info();
    let hub = job.hub();
    until("what it was to do", || mark.exists().then_some(()));
    assert!(clock::now_ms() >= soon.0, "not before its time");
    assert!(alive(hub));
    let mut rpc = job.rpc();
    let after = rpc.result("schedule.get", &json!({"schedule": "yearly"}));
    assert_eq!(after["next_at"], made["next_at"], "{after}");
    assert_eq!(after["last_at"], json!(soon));
    let runs = rpc.result("run.list", &json!({"label": "yearly"}));
    let runs = runs["items"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["id"], after["last_run"]);
    assert_eq!(job.hub(), hub, "no other hub was needed");
    // And without it the hub goes.
    rpc.result("schedule.delete", &json!({"schedule": "yearly"}));
    rpc.close();
    until("the end of the hub", || (!alive(hub)).then_some(()));
}

#[test]
fn and_what_cannot_be_begun_is_said_and_not_tried_again() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let named = json!({"schedule": "gone"});
    let folder = job.folder("elsewhere");
    rpc.result(
        "schedule.create",
        &json!({"name": "gone", "cron": "@yearly", "prompt": "!say x", "project": folder}),
    );
    rpc.close();
    job.kill_hub();
    std::fs::remove_dir(&folder).unwrap();
    let past = Timestamp(clock::now_ms() - 10_000);
    by_hand(&job, "gone", |schedule| Schedule {
        next_at: Some(past),
        ..schedule
    });
    let mut rpc = job.rpc();
    let after = until("the tick", || {
        let found = rpc.result("schedule.get", &named);
        found["last_error"].is_string().then_some(found)
    });
    assert!(after["next_at"].as_str().unwrap() > json!(past).as_str().unwrap());
    assert_eq!(after["active"], true);
    assert!(after.get("last_run").is_none());
    let run = rpc.refusal("schedule.fire", &named);
    assert_eq!(run["kind"], "not_found", "{run}");
}

#[test]
fn a_person_fires_it_by_key_and_an_error_teaches() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let asked =
        json!({"name": "hourly", "cron": "@hourly", "prompt": "!say x", "overlap": "parallel"});
    rpc.result("schedule.create", &asked);
    let fire = json!({"schedule": "hourly", "idempotency_key": "k"});
    let run = rpc.result("schedule.fire", &fire);
    let again = rpc.result("schedule.fire", &fire);
    assert_eq!(
        (&run["id"], &again["duplicate"]),
        (&again["id"], &json!(true))
    );
    for (more, kind, field) in [
        (json!({}), "name_exists", None),
        (
            json!({"name": "b", "cron": "0 0 30 2 *"}),
            "invalid_params",
            Some("cron"),
        ),
        (
            json!({"name": "b", "cron": "0 0 8 * * *"}),
            "invalid_params",
            Some("cron"),
        ),
        (
            json!({"name": "b", "zone": "Europe/Berln"}),
            "invalid_params",
            Some("zone"),
        ),
        (json!({"name": "b", "persona": "nobody"}), "not_found", None),
        (
            json!({"name": "b", "prompt": " "}),
            "required_field",
            Some("prompt"),
        ),
        (
            json!({"name": "b", "misfire_max": 0}),
            "invalid_params",
            Some("misfire_max"),
        ),
    ] {
        let mut asked = asked.clone();
        for (key, value) in more.as_object().unwrap() {
            asked[key] = value.clone();
        }
        let refused = rpc.refusal("schedule.create", &asked);
        assert_eq!(refused["kind"], kind, "{more}: {refused}");
        if let Some(field) = field {
            assert_eq!(refused["field"], field, "{more}: {refused}");
        }
    }
    let off = rpc.result(
        "schedule.update",
        &json!({"schedule": "hourly", "active": false}),
    );
    assert!(
        off["active"] == false && off.get("next_at").is_none(),
        "{off}"
    );
    let on = rpc.result(
        "schedule.update",
        &json!({"schedule": "hourly", "active": true}),
    );
    assert_eq!(on["next_times"].as_array().unwrap().len(), 5);
    let shown = job.nest.say(&["schedule", "get", "hourly"], "");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(shown.matches(":00 UTC").count(), 5, "{shown}");
}

#[test]
fn its_runs_have_its_budget_and_none_begins_beyond_its_allowance() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let asked = json!({
        "name": "dear", "cron": "@yearly", "prompt": "!say x",
        "budget": {"turns": 7}, "allowance": {"per": "month", "runs": 1},
    });
    let wrong = json!({"budget": {"turns": 0}});
    let refused = rpc.refusal("schedule.create", &merged(&asked, &wrong));
    assert_eq!(refused["field"], "budget.turns", "{refused}");
    let wrong = json!({"allowance": {"cost_usd": -1}});
    let refused = rpc.refusal("schedule.create", &merged(&asked, &wrong));
    assert_eq!(refused["field"], "allowance.cost_usd", "{refused}");
    let made = rpc.result("schedule.create", &asked);
    assert_eq!(made["budget"]["turns"], 7, "{made}");

    let named = json!({"schedule": "dear"});
    let run = rpc.result("schedule.fire", &named);
    until("the end of its run", || {
        let found = rpc.result("run.get", &json!({"id": run["id"]}));
        (found["state"] == "succeeded").then_some(())
    });
    let refused = rpc.refusal("schedule.fire", &named);
    assert_eq!(refused["kind"], "budget_reached", "{refused}");
    let shown = rpc.result("schedule.get", &named);
    assert_eq!(shown["used"]["runs"], 1, "{shown}");
    rpc.close();
    job.kill_hub();
    // A tick says so, and is not made up for.
    let past = Timestamp(clock::now_ms() - 10_000);
    by_hand(&job, "dear", |schedule| Schedule {
        next_at: Some(past),
        ..schedule
    });
    let mut rpc = job.rpc();
    let after = until("the tick", || {
        let found = rpc.result("schedule.get", &named);
        found["last_error"].is_string().then_some(found)
    });
    let said = after["last_error"].as_str().unwrap();
    assert!(said.contains("1 of 1 runs"), "{said}");
    assert_eq!(
        (&after["active"], &after["last_run"]),
        (&json!(true), &run["id"])
    );
    // One without any bound is none.
    let free = json!({"schedule": "dear", "allowance": {}, "budget": {}});
    let free = rpc.result("schedule.update", &free);
    assert!(
        free.get("allowance").is_none() && free.get("budget").is_none(),
        "{free}"
    );
    rpc.result("schedule.fire", &named);
}

fn merged(one: &Value, more: &Value) -> Value {
    let mut one = one.clone();
    for (key, value) in more.as_object().unwrap() {
        one[key] = value.clone();
    }
    one
}
