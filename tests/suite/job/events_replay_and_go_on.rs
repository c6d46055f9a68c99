use super::kit::{Face, Job};
use serde_json::{Value, json};

/// The events of a subscription up to the first of this kind.
fn until_kind(rpc: &mut Face, watch: &Value, kind: &str) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let note = rpc.hear();
        assert_eq!(note["method"], "events.event", "{note}");
        assert_eq!(&note["params"]["subscription"], watch);
        events.push(note["params"]["result"].clone());
        if events.last().unwrap()["kind"] == kind {
            return events;
        }
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect()
}

#[test]
fn from_a_cursor_to_what_happens_now() {
    let job = Job::new();
    let mut face = job.face();
    let first = face.done("!say one\n!tool look read\n!say two", json!({}));
    let mut rpc = job.rpc();
    let page = rpc.result("run.events", &json!({"id": first["id"]}));
    let stored = page["items"].as_array().unwrap().clone();
    assert_eq!(stored[0]["kind"], "accepted");
    assert_eq!(stored.last().unwrap()["kind"], "finished");

    let watch = rpc.result("events.watch", &json!({"after": stored[0]["cursor"]}));
    let replayed = until_kind(&mut rpc, &watch, "finished");
    let of_run: Vec<_> = replayed
        .iter()
        .filter(|event| event["run"] == first["id"])
        .cloned()
        .collect();
    assert_eq!(of_run, stored[1..]);

    // Live from here on, another face's run too, and nothing twice or out of order.
    let second = face.done("!say three", json!({}));
    let mut live = until_kind(&mut rpc, &watch, "finished");
    let counts: Vec<_> = live
        .extract_if(.., |event| event["kind"] == "delegation_changed")
        .map(|event| event["data"]["count"].clone())
        .collect();
    assert_eq!(counts, [0, 1], "after the first, and with the second");
    assert!(
        live.iter()
            .filter(|event| event["run"].is_string())
            .all(|event| event["run"] == second["id"]),
        "{live:?}"
    );
    assert_eq!(kinds(&live)[..2], ["accepted", "started"]);
    let again = job.rpc().result("run.events", &json!({"id": second["id"]}));
    assert_eq!(&live, again["items"].as_array().unwrap());
}

#[test]
fn of_one_run_alone_while_others_go_on() {
    let job = Job::new();
    let mut face = job.face();
    let mut rpc = job.rpc();
    let run = face.delegate("!sleep 300\n!say mine", json!({}));
    let cursor = rpc.result("run.events", &json!({"id": run["id"]}))["items"][0]["cursor"].clone();
    let watch = rpc.result("events.watch", &json!({"after": cursor, "run": run["id"]}));
    for _ in 0..3 {
        face.done("!say other", json!({"concurrent": true}));
    }
    let seen = until_kind(&mut rpc, &watch, "finished");
    assert!(
        seen.iter().all(|event| event["run"] == run["id"]),
        "{seen:?}"
    );
    assert!(kinds(&seen).contains(&"message"), "{seen:?}");
}

#[test]
fn of_one_instance_and_of_one_project() {
    let job = Job::new();
    let mut face = job.face();
    let elsewhere = job.folder("elsewhere");
    for name in ["one", "two"] {
        face.tool(
            "instance_create",
            &json!({"name": name, "project": job.project}),
        );
    }
    let first = face.done("!say x", json!({"project": elsewhere}));
    let watching = |filter: Value| {
        let mut rpc = job.rpc();
        let watch = rpc.result("events.watch", &filter);
        (rpc, watch)
    };
    let mut of_one = watching(json!({"instance": "one"}));
    let mut of_place = watching(json!({"project": elsewhere}));
    face.done("!say x", json!({"instance": "two"}));
    face.done("!say x", json!({"project": elsewhere}));
    let mine = face.done("!say x", json!({"instance": "one"}));
    let seen = until_kind(&mut of_one.0, &of_one.1, "finished");
    let instance = &seen[0]["instance"];
    assert!(instance.is_string(), "{seen:?}");
    for event in &seen {
        assert_eq!(&event["instance"], instance);
        assert!(
            event["run"].is_null() || event["run"] == mine["id"],
            "{event}"
        );
    }
    let seen = until_kind(&mut of_place.0, &of_place.1, "finished");
    assert!(
        seen.iter()
            .all(|event| event["project"] == first["project"]),
        "{seen:?}"
    );
}

#[test]
fn a_cursor_of_nobody_is_refused() {
    let job = Job::new();
    let mut rpc = job.rpc();
    for cursor in ["", "x", "-1", "99999999999999999999999"] {
        let refusal = rpc.refusal("events.watch", &json!({"after": cursor}));
        assert_eq!(refusal["kind"], "invalid_params", "{cursor:?}: {refusal}");
    }
}
