use super::kit::{Bench, is_alive, number_in};
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;

#[tokio::test]
async fn a_flood_stops_nobody_and_its_tail_is_kept() {
    let bench = Bench::new();
    let script =
        "yes 'a line of noise' | head -c 20000000 >&2; printf 'last words: s3cret é' >&2; exit 4";
    let process = bench.launch("sh", &["-c", script]).await;
    let exit = tokio::time::timeout(Duration::from_secs(30), process.handle.exited())
        .await
        .unwrap();
    assert_eq!(exit.code, Some(4));
    let tail = process.handle.stderr_tail();
    assert!(
        tail.len() <= 64 * 1024 && tail.ends_with("last words: [redacted] é\n"),
        "{}",
        &tail[tail.len() - 80..]
    );
    let log = std::fs::read_to_string(bench.path().join("logs/agent-fake.log")).unwrap();
    assert!(log.ends_with("last words: [redacted] é\n") && log.len() < 10_000_000);
}

#[tokio::test]
async fn a_pipe_held_by_one_who_escaped_blocks_nobody() {
    let bench = Bench::new();
    let process = bench
        .launch(
            "sh",
            &["-c", "setsid sleep 300 & echo $! >pid; echo held >&2; cat"],
        )
        .await;
    let grandchild = number_in(&bench.path().join("pid")).await;
    // Only the death of the shim itself sets anybody free.
    kill_process(
        Pid::from_raw(process.handle.pid().cast_signed()).unwrap(),
        Signal::KILL,
    )
    .unwrap();
    let exit = tokio::time::timeout(Duration::from_secs(2), process.handle.exited())
        .await
        .unwrap();
    assert_eq!(exit.signal, Some(9));
    assert!(process.handle.stderr_tail().contains("held"));
    process.handle.close().await;
    assert!(is_alive(grandchild));
    kill_process(
        Pid::from_raw(grandchild.cast_signed()).unwrap(),
        Signal::KILL,
    )
    .unwrap();
}
