//! What an agent takes of memory, how long its lines are, how often it may end: all of it is bounded, and told.

use super::kit::{Face, Job, agent_pid};
use crate::hub::nest::until;
use serde_json::{Value, json};
use std::{fs, time::Instant};

const MB: u64 = 1 << 20;

/// The most that a process ever had in memory.
fn high_water(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn a_line_of_400_mb_is_not_held() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.done("!line 419430400\n!sleep 60000", json!({}));
    assert_eq!(run["error"]["kind"], "too_large", "{run}");
    let held = high_water(job.hub());
    assert!(held < 256 * MB, "{} MB", held / MB);
    let next = face.done("!say next", json!({}));
    assert_eq!(next["state"], "succeeded", "{next}");
}

/// Its shim ends it with all below it.
fn end(pid: u64) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::USR1).unwrap();
}

fn info(rpc: &mut Face) -> Value {
    rpc.result("hub.info", &json!({}))
}

#[test]
fn its_memory_is_shown_and_concluded() {
    let job = Job::with(&[("EYAS_MEMORY_SAMPLE_MS", "100")]);
    let (mut face, mut rpc) = (job.face(), job.rpc());
    let run = face.done("!eat 64\n!sleep 1500\n!say full", json!({}));
    let peak = run["conclusion"]["peak_memory_bytes"].as_u64().unwrap();
    assert!(peak > 60 * MB && peak < 200 * MB, "{run}");
    let shown = info(&mut rpc)["agents"][0]["memory_bytes"]
        .as_u64()
        .unwrap();
    assert!(shown > 60 * MB, "{shown}");
    let status = job.nest.say(&["hub", "info"], "");
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains(" MB · "), "{status}");
}

#[test]
fn what_is_idle_ends_where_all_take_too_much() {
    let job = Job::with(&[
        ("EYAS_MEMORY_SAMPLE_MS", "100"),
        ("EYAS_MEMORY_BUDGET_BYTES", "1000"),
        // A tick of the pool is a quarter of it.
        ("EYAS_WARM_IDLE_TTL_MS", "12000"),
    ]);
    let (mut face, mut rpc) = (job.face(), job.rpc());
    let begun = Instant::now();
    let run = face.done("!say hello", json!({}));
    assert_eq!(run["state"], "succeeded", "{run}");
    until("the end of the idle agent", || {
        let none = info(&mut rpc)["agents"].as_array().unwrap().is_empty();
        none.then_some(())
    });
    assert!(begun.elapsed().as_secs() < 11, "it was idle for too long");
}

#[test]
fn one_that_ends_by_itself_again_and_again_waits_for_a_person() {
    let job = Job::new();
    let (mut face, mut rpc) = (job.face(), job.rpc());
    for n in 0..4 {
        let run = face.done("!say here", json!({}));
        assert_eq!(run["state"], "succeeded", "{n}: {run}");
        end(agent_pid(&run));
        until("its end to be known", || {
            let none = info(&mut rpc)["agents"].as_array().unwrap().is_empty();
            none.then_some(())
        });
    }
    let run = face.done("!say here", json!({}));
    assert_eq!(run["error"]["kind"], "agent_broken", "{run}");
    assert_eq!(run["attempts"].as_array().unwrap().len(), 1, "{run}");
    let broken = &info(&mut rpc)["broken"][0];
    assert_eq!(
        (&broken["agent"], &broken["times"]),
        (&json!("fake"), &json!(4)),
        "{broken}"
    );
    let status = job.nest.say(&["hub", "status"], "");
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(
        status.contains("broken") && status.contains("eyas agent reset fake"),
        "{status}"
    );

    // An agent may not do it, a person does.
    let (home, bin) = (job.nest.home.display(), env!("CARGO_BIN_EXE_eyas"));
    job.agent("other", &[], "");
    let script = format!("!run EYAS_HOME={home} {bin} agent reset fake 2>&1; echo $?");
    let said = face.said(&script, json!({"agent": "other"}));
    assert!(
        said.contains("forbidden") && said.trim_end().ends_with('1'),
        "{said}"
    );
    let reset = job.nest.say(&["agent", "reset", "fake"], "");
    assert!(reset.status.success(), "{reset:?}");
    let run = face.done("!say here", json!({}));
    assert_eq!(run["state"], "succeeded", "{run}");
    assert!(info(&mut rpc)["broken"].is_null());
    let again = job.nest.say(&["agent", "reset", "fake"], "");
    let again = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(again.contains("nothing stood against"), "{again}");
}
