//! What the shim costs beside a bare spawn, and how long many agents take to end beside one.

use crate::{
    home::resident_mb,
    table::{ms, p50, ratio, row},
};
use eyas::agents::process::{Command, Launcher, Process, ProcessHandle};
use futures::future::join_all;
use std::{
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;

const LAUNCHES: usize = 100;
const MANY: usize = 100;

/// Says that it is there, and ends with its stdin.
const WILLING: &str = "echo up; exec cat >/dev/null";
/// Ends for nothing but SIGKILL.
const DEAF: &str = "trap '' TERM; echo up; while :; do sleep 1; done";

pub(crate) fn bench() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(all());
}

async fn all() {
    let bench = Bench::new();
    let mut bare = Vec::new();
    let mut ours = Vec::new();
    // By turns, so that what else the machine does is in both.
    for _ in 0..LAUNCHES {
        let begun = Instant::now();
        let mut child = bench.bare();
        let mut up = [0; 3];
        let mut out = child.stdout.take().expect("piped");
        out.read_exact(&mut up).await.expect("it is up");
        bare.push(begun.elapsed());
        drop(child.stdin.take());
        child.wait().await.expect("its end");
        let begun = Instant::now();
        let handle = bench.up(WILLING).await;
        ours.push(begun.elapsed());
        handle.close().await;
    }
    let (bare, ours) = (p50(&mut bare), p50(&mut ours));
    row("bare spawn to its first word p50", ms(bare), "");
    let more = ours.saturating_sub(bare);
    row(
        "the same through the shim p50",
        format!("{} = {} more", ms(ours), ms(more)),
        "<= 3 ms more",
    );
    let handle = bench.up(WILLING).await;
    row(
        "a shim, resident",
        format!(
            "{:.1} MB, {:.1} MB of its own",
            resident_mb(handle.pid()),
            own_mb(handle.pid())
        ),
        "<= 2.5 MB",
    );
    handle.close().await;

    let willing = bench.closing(WILLING, MANY).await;
    row("100 agents that end at once, closed", ms(willing), "<= 1 s");
    let one = bench.closing(DEAF, 1).await;
    row("one agent that ignores SIGTERM, closed", ms(one), "");
    let many = bench.closing(DEAF, MANY).await;
    row(
        "100 agents that ignore SIGTERM, closed",
        format!("{} = {:.2} x one", ms(many), ratio(many, one)),
        "<= 1.2 x",
    );
}

struct Bench {
    folder: TempDir,
    launcher: Launcher,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let built = std::env::var_os("EYAS_BIN");
        let launcher = Launcher::new(
            built.map_or_else(|| env!("CARGO_BIN_EXE_eyas").into(), Into::into),
            folder.path().join("identities"),
            folder.path().join("logs"),
            Arc::new(str::to_owned),
        );
        Self { folder, launcher }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn bare(&self) -> tokio::process::Child {
        tokio::process::Command::new("sh")
            .args(["-c", WILLING])
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts")
    }

    /// An agent, once it has said that it is there.
    async fn up(&self, script: &str) -> ProcessHandle {
        let command = Command {
            agent: "bench".to_owned(),
            program: "sh".into(),
            args: vec!["-c".to_owned(), script.to_owned()],
            env: std::env::vars()
                .filter(|(name, _)| name == "PATH")
                .collect(),
            cwd: self.path().to_owned(),
        };
        let launched = self.launcher.launch(command).await;
        let Process {
            mut stdout, handle, ..
        } = launched.expect("it starts");
        let mut up = [0; 3];
        stdout.read_exact(&mut up).await.expect("it is up");
        handle
    }

    /// How long so many take to end, all at the same time.
    async fn closing(&self, script: &str, many: usize) -> Duration {
        let mut handles = Vec::new();
        for _ in 0..many {
            handles.push(self.up(script).await);
        }
        let begun = Instant::now();
        join_all(handles.iter().map(ProcessHandle::close)).await;
        let taken = begun.elapsed();
        assert!(handles.iter().all(|one| one.exit().is_some()));
        taken
    }
}

/// What no other process has.
fn own_mb(pid: u32) -> f64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
    let rollup = rollup.expect("a live process");
    let private = rollup.lines().filter(|line| line.starts_with("Private_"));
    let kb: f64 = private
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
        .sum();
    kb / 1024.0
}
