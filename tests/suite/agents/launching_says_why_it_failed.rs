use super::kit::Bench;
use eyas::domain::fault::ErrorKind;

#[tokio::test]
async fn a_missing_program_and_a_missing_directory_are_refused() {
    let bench = Bench::new();
    let fault = bench
        .launcher
        .launch(bench.command("/nowhere/agent", &[]))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, ErrorKind::AgentSpawn);
    assert!(fault.detail.contains("/nowhere/agent"), "{fault}");
    let mut command = bench.command("cat", &[]);
    command.cwd = bench.path().join("nowhere");
    let fault = bench.launcher.launch(command).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::AgentSpawn);
}

#[tokio::test]
async fn a_program_that_cannot_be_run_tells_through_the_shim() {
    let bench = Bench::new();
    let process = bench.launch("no-such-program-anywhere", &[]).await;
    process.handle.exited().await;
    assert!(process.handle.never_started());
    assert!(
        process
            .handle
            .stderr_tail()
            .contains("no-such-program-anywhere")
    );
}

#[tokio::test]
async fn only_the_given_environment_is_seen() {
    let bench = Bench::new();
    let mut command = bench.command("sh", &["-c", "env >&2"]);
    command.env.insert("GIVEN".to_owned(), "yes".to_owned());
    let process = bench.launcher.launch(command).await.unwrap();
    process.handle.exited().await;
    let seen = process.handle.stderr_tail();
    assert!(
        seen.contains("GIVEN=yes") && !seen.contains("CARGO"),
        "{seen}"
    );
}
