use super::nest::{INFO, Nest, answers, feed};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};

fn kind(answers: &[Value]) -> &str {
    answers[0]["error"]["data"]["kind"]
        .as_str()
        .unwrap_or_else(|| panic!("{answers:?}"))
}

#[test]
fn in_process_is_busy_where_a_hub_lives() {
    let nest = Nest::new();
    nest.info();
    let answers = answers(&nest.say(&["rpc", "--in-process"], INFO));
    assert_eq!(kind(&answers), "busy");
}

#[test]
fn faces_and_a_hub_are_busy_where_a_process_serves_itself() {
    let nest = Nest::new();
    let mut owner = nest.eyas(&["rpc", "--in-process"]).spawn().unwrap();
    feed(&mut owner, INFO);
    let mut said = BufReader::new(owner.stdout.take().unwrap()).lines();
    let answer: Value = serde_json::from_str(&said.next().unwrap().unwrap()).unwrap();
    assert!(answer["result"]["id"].is_string());
    assert_eq!(kind(&nest.rpc(INFO)), "busy");
    let hub = nest.say(&["hub", "run"], "");
    assert!(!hub.status.success());
    assert!(String::from_utf8_lossy(&hub.stderr).contains("busy"));
    drop(owner.stdin.take());
    assert!(owner.wait().unwrap().success());
    assert!(nest.endpoint().is_none());
    assert!(nest.info()["id"].is_string());
}

#[test]
fn stop_ends_the_hub_and_restart_starts_another() {
    let nest = Nest::new();
    let first = nest.info();
    let status = nest.say(&["hub", "status", "--json"], "");
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["id"], first["id"]);
    assert!(nest.say(&["hub", "restart"], "").status.success());
    let second = nest.info();
    assert_ne!(first["id"], second["id"]);
    assert!(nest.say(&["hub", "stop"], "").status.success());
    assert!(nest.endpoint().is_none());
    let status = nest.say(&["hub", "status"], "");
    assert!(String::from_utf8_lossy(&status.stdout).contains("no hub"));
    assert!(
        nest.endpoint().is_none(),
        "asking for the status started a hub"
    );
}
