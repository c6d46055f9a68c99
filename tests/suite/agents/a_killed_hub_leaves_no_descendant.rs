use super::kit::{Bench, EYAS, FAKE, is_alive, number_in, until};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    process::{Command, Stdio},
    time::Duration,
};

/// Children of every kind: plain, ignoring SIGTERM, in a session of its own, forked twice, and as a session's leader.
const AGENT: &str = "
    sleep 300 & echo $! >plain
    sh -c \"trap '' TERM; echo \\$\\$ >deaf; while :; do sleep 300; done\" &
    setsid sleep 300 & echo $! >setsid
    (setsid sh -c 'sleep 300 & echo $! >double')
    echo $$ >agent
    wait";

async fn all_end_when_the_hub_gets(signal: Signal) {
    let bench = Bench::new();
    let mut hub = Command::new(FAKE)
        .args(["hub", EYAS])
        .arg(bench.path())
        .args(["sh", "-c", AGENT])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut pids = Vec::new();
    for file in ["plain", "deaf", "setsid", "double", "agent"] {
        pids.push(number_in(&bench.path().join(file)).await);
    }
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    kill_process(Pid::from_child(&hub), signal).unwrap();
    hub.wait().unwrap();
    until(Duration::from_secs(5), || {
        !pids.iter().any(|pid| is_alive(*pid))
    })
    .await;
    let records = || {
        std::fs::read_dir(bench.path().join("identities"))
            .unwrap()
            .count()
    };
    until(Duration::from_secs(1), || records() == 0).await;
}

#[tokio::test]
async fn by_sigkill() {
    all_end_when_the_hub_gets(Signal::KILL).await;
}

#[tokio::test]
async fn by_sigterm() {
    all_end_when_the_hub_gets(Signal::TERM).await;
}
