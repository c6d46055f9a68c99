use super::kit::{Job, agent_pid, alive};
use crate::hub::nest::until;
use serde_json::json;

const SOON: (&str, &str) = ("EYAS_HUB_IDLE_EXIT_MS", "200");

#[test]
fn when_nobody_is_there_and_nothing_is_to_do() {
    let job = Job::with(&[SOON]);
    let mut face = job.face();
    let run = face.done("!grandchild double", json!({}));
    let (hub, agent) = (job.hub(), u32::try_from(agent_pid(&run)).unwrap());
    assert!(alive(agent));
    face.close();
    until("the end of the hub", || (!alive(hub)).then_some(()));
    assert!(!alive(agent), "it ends after its agents");
    assert!(job.processes().is_empty());
    assert!(job.nest.endpoint().is_none());
    // And the next call is served by another.
    assert_eq!(job.face().said("!say again", json!({})), "again");
}

#[test]
fn but_not_before_the_last_run_has_ended() {
    let job = Job::with(&[SOON]);
    let mut face = job.face();
    let first = face.delegate("!sleep 1500\n!say first", json!({}));
    let second = face.delegate("!sleep 300\n!say second", json!({"previous": first["id"]}));
    let hub = job.hub();
    face.close();
    until("the end of the hub", || (!alive(hub)).then_some(()));
    let mut face = job.face();
    for run in [first, second] {
        let run = face.finished(&run);
        assert_eq!(run["state"], "succeeded", "{run}");
        assert_eq!(run["attempt"], 1);
        assert_eq!(run["attempts"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn and_not_while_a_face_is_there() {
    let job = Job::with(&[SOON]);
    let mut face = job.face();
    face.done("!say a", json!({}));
    let hub = job.hub();
    // Long enough for an idle one to have ended several times.
    face.done("!sleep 1500", json!({"mode": "cold"}));
    assert_eq!(job.hub(), hub);
    assert!(alive(hub));
}

#[test]
fn an_idle_agent_ends_and_the_next_is_started() {
    let job = Job::with(&[("EYAS_WARM_IDLE_TTL_MS", "100")]);
    let mut face = job.face();
    let run = face.done("!grandchild setsid", json!({}));
    let agent = u32::try_from(agent_pid(&run)).unwrap();
    until("the end of the agent", || (!alive(agent)).then_some(()));
    let next = face.done("!say on", json!({}));
    assert_eq!(next["state"], "succeeded", "{next}");
    assert_eq!(next["warm"], false);
}

#[test]
fn unless_a_person_started_its_instance() {
    let job = Job::with(&[("EYAS_WARM_IDLE_TTL_MS", "300")]);
    let (mut face, mut rpc) = (job.face(), job.rpc());
    let elsewhere = job.folder("elsewhere");
    let made = json!({"name": "one", "project": job.project});
    face.tool("instance_create", &made);
    let start = json!({"name": "one", "action": "start"});
    assert_eq!(face.tool("instance_control", &start)["status"], "running");
    let mut agents = || {
        let info = rpc.result("hub.info", &json!({}));
        info["agents"].as_array().unwrap().clone()
    };
    let pinned = until("its agent", || agents().first().cloned());
    // One that began to be idle later ends; this one stays.
    face.done("!say x", json!({"project": elsewhere}));
    until("the end of the other", || {
        (agents().len() == 1).then_some(())
    });
    assert_eq!(agents()[0]["pid"], pinned["pid"]);
    let run = face.done("!say x", json!({"instance": "one"}));
    assert_eq!(
        (&run["warm"], agent_pid(&run)),
        (&json!(true), pinned["pid"].as_u64().unwrap())
    );
    face.tool(
        "instance_control",
        &json!({"name": "one", "action": "stop"}),
    );
    until("its end", || agents().is_empty().then_some(()));
}
