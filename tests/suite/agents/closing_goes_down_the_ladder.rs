use super::kit::{Bench, FAKE, is_alive, number_in, until};
use eyas::agents::process::ProcessHandle;
use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn the_end_of_stdin_is_enough_for_the_willing() {
    let bench = Bench::new();
    let process = bench.launch("cat", &[]).await;
    let begun = Instant::now();
    process.handle.close().await;
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(process.handle.exited().await.code, Some(0));
    process.handle.close().await;
}

#[tokio::test]
async fn sigterm_ends_who_does_not_read() {
    let bench = Bench::new();
    let process = bench.launch("sleep", &["300"]).await;
    let begun = Instant::now();
    process.handle.close().await;
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert_eq!(
        process.handle.exit().unwrap().to_string(),
        "exit status 143 (signal 15)"
    );
}

#[tokio::test]
async fn sigkill_ends_the_deaf_with_its_grandchildren() {
    let bench = Bench::new();
    let script = "trap '' TERM; setsid sh -c \"trap '' TERM; echo \\$\\$ >pid; sleep 300\" & while :; do sleep 1; done";
    let process = bench.launch("sh", &["-c", script]).await;
    let grandchild = number_in(&bench.path().join("pid")).await;
    let begun = Instant::now();
    // Several may close at once; none makes it shorter or longer.
    tokio::join!(process.handle.close(), process.handle.close());
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(process.handle.exit().unwrap().code, Some(137));
    assert!(!is_alive(grandchild));
}

#[tokio::test]
async fn dropping_the_last_handle_kills_at_once() {
    let bench = Bench::new();
    let script = "trap '' TERM; setsid sh -c \"trap '' TERM; echo \\$\\$ >pid; sleep 300\" & while :; do sleep 1; done";
    let process = bench.launch("sh", &["-c", script]).await;
    let grandchild = number_in(&bench.path().join("pid")).await;
    let (shim, other) = (process.handle.pid(), process.handle.clone());
    drop(process);
    assert!(is_alive(shim), "another handle is held");
    drop(other);
    until(Duration::from_secs(1), || {
        !is_alive(shim) && !is_alive(grandchild)
    })
    .await;
}

#[tokio::test]
async fn a_shim_that_is_stopped_ends_all_the_same() {
    let bench = Bench::new();
    let process = bench
        .launch(
            "sh",
            &[
                "-c",
                "trap '' TERM; echo $$ >pid; while :; do sleep 1; done",
            ],
        )
        .await;
    let agent = number_in(&bench.path().join("pid")).await;
    let shim = rustix::process::Pid::from_raw(process.handle.pid().cast_signed()).unwrap();
    rustix::process::kill_process(shim, rustix::process::Signal::STOP).unwrap();
    process.handle.close().await;
    assert!(!is_alive(agent) && !is_alive(process.handle.pid()));
}

#[tokio::test]
async fn an_agent_that_ends_by_itself_takes_its_children_along() {
    let bench = Bench::new();
    let process = bench
        .launch("sh", &["-c", "setsid sleep 300 & echo $! >pid; exit 3"])
        .await;
    assert_eq!(process.handle.exited().await.code, Some(3));
    assert!(!is_alive(number_in(&bench.path().join("pid")).await));
}

#[tokio::test]
async fn the_fake_agent_can_be_deaf() {
    let bench = Bench::new();
    let process = bench.launch(FAKE, &["--ignore-term"]).await;
    let begun = Instant::now();
    process.handle.close().await;
    assert!(begun.elapsed() > Duration::from_secs(1));
    assert!(!is_alive(process.handle.pid()));
}

#[tokio::test]
async fn many_that_are_deaf_take_hardly_longer_than_one() {
    let bench = Bench::new();
    let mut handles = Vec::new();
    for _ in 0..10 {
        let script = "trap '' TERM; echo up; while :; do sleep 1; done";
        let mut process = bench.launch("sh", &["-c", script]).await;
        let mut up = [0; 3];
        process.stdout.read_exact(&mut up).await.unwrap();
        handles.push(process.handle);
    }
    let begun = Instant::now();
    handles[0].close().await;
    let one = begun.elapsed();
    let begun = Instant::now();
    futures::future::join_all(handles[1..].iter().map(ProcessHandle::close)).await;
    assert!(
        begun.elapsed() < one + one / 2,
        "{one:?}, then {:?}",
        begun.elapsed()
    );
    assert!(handles.iter().all(|one| one.exit().is_some()));
}

#[tokio::test]
async fn a_writer_that_waits_for_room_learns_of_the_end() {
    let bench = Bench::new();
    let mut process = bench.launch("sleep", &["300"]).await;
    let much = vec![0; 1_000_000];
    let write = process.stdin.write_all(&much);
    let (written, ()) = tokio::join!(biased; write, process.handle.close());
    assert_eq!(written.unwrap_err().kind(), ErrorKind::BrokenPipe);
}
