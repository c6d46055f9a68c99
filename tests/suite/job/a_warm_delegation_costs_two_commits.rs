use super::kit::Job;
use crate::hub::nest::until;
use serde_json::json;

fn commits(job: &Job) -> usize {
    let log = std::fs::read_to_string(job.nest.home.join("logs/hub.log")).unwrap();
    log.lines()
        .filter(|line| line.contains("a batch was committed"))
        .count()
}

#[test]
fn when_its_turn_takes_no_time() {
    let job = Job::with(&[("EYAS_LOG", "eyas=debug")]);
    let (mut face, mut rpc) = (job.face(), job.rpc());
    let mut cost = || {
        until("a spare session", || {
            let agents = rpc.result("hub.info", &json!({}))["agents"].clone();
            (agents == json!([]) || agents[0]["spare"] == 1).then_some(())
        });
        let before = commits(&job);
        let run = face.done("!say done", json!({}));
        assert_eq!(run["state"], "succeeded");
        commits(&job) - before
    };
    cost();
    // A renewal of the lease may fall into one of them, or a turn that this machine made slow.
    let costs = [cost(), cost(), cost(), cost()];
    assert!(costs.iter().min() == Some(&2), "{costs:?}");
}
