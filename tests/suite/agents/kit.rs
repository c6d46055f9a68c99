//! What the tests of this floor share.

use eyas::agents::process::{Command, Launcher, Process};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub(super) const EYAS: &str = env!("CARGO_BIN_EXE_eyas");
pub(super) const FAKE: &str = env!("CARGO_BIN_EXE_fake-agent");

/// A folder, and a launcher in it.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) launcher: Launcher,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let redact = Arc::new(|text: &str| text.replace("s3cret", "[redacted]"));
        let launcher =
            Launcher::new(EYAS.into(), folder.path().join("identities"), folder.path().join("logs"), redact);
        Self { folder, launcher }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn command(&self, program: &str, args: &[&str]) -> Command {
        Command {
            agent: "fake".to_owned(),
            program: program.into(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: std::env::vars().filter(|(name, _)| name == "PATH").collect(),
            cwd: self.path().to_owned(),
        }
    }

    pub(super) async fn launch(&self, program: &str, args: &[&str]) -> Process {
        self.launcher.launch(self.command(program, args)).await.unwrap()
    }
}

/// A process with this number runs, and is no zombie.
pub(super) fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()).is_some_and(|state| state != "Z")
}

/// Waits until `what` holds, or fails after `limit`.
pub(super) async fn until(limit: Duration, what: impl Fn() -> bool) {
    let deadline = Instant::now() + limit;
    while !what() {
        assert!(Instant::now() < deadline, "it did not come true within {limit:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The whole number that a shell wrote into `file`, once it is there.
pub(super) async fn number_in(file: &Path) -> u32 {
    let read = || std::fs::read_to_string(file).ok().filter(|text| text.ends_with('\n'));
    until(Duration::from_secs(10), || read().is_some()).await;
    read().unwrap().trim().parse().unwrap()
}
