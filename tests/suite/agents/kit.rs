//! What the tests of this floor share.

use eyas::{
    agents::{
        acp::{Link, Opening, Permit, TurnEnd, TurnEvent},
        process::{Command, Launcher, Process},
    },
    domain::{
        agent::Limits,
        fault::Fault,
        policy::{Grounds, Policy, Security},
    },
    stdx::Pause,
};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

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
        let launcher = Launcher::new(
            EYAS.into(),
            folder.path().join("identities"),
            folder.path().join("logs"),
            redact,
        );
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
            env: std::env::vars()
                .filter(|(name, _)| name == "PATH")
                .collect(),
            cwd: self.path().to_owned(),
        }
    }

    pub(super) async fn launch(&self, program: &str, args: &[&str]) -> Process {
        self.launcher
            .launch(self.command(program, args))
            .await
            .unwrap()
    }
}

pub(super) const LIMITS: Limits = Limits {
    initialize_ms: 10_000,
    session_ms: 10_000,
    prompt_ms: 60_000,
    close_ms: 5_000,
};

/// A fake agent and a link to it.
pub(super) struct Linked {
    pub(super) bench: Bench,
    pub(super) link: Link,
}

impl Linked {
    pub(super) async fn new(args: &[&str]) -> Self {
        let (bench, link) = connect(args, LIMITS).await;
        Self {
            bench,
            link: link.unwrap(),
        }
    }

    pub(super) async fn limited(limits: Limits) -> Self {
        let (bench, link) = connect(&[], limits).await;
        Self {
            bench,
            link: link.unwrap(),
        }
    }

    pub(super) fn opening(&self) -> Opening {
        Opening {
            cwd: self.bench.path().to_owned(),
            persona: None,
            model: None,
            reporting: None,
        }
    }

    pub(super) async fn session(&self) -> String {
        self.link.open(self.opening()).await.unwrap().session
    }

    pub(super) fn permit(&self, security: Security) -> Permit {
        Permit {
            policy: Policy {
                security,
                ..Policy::default()
            },
            petitions: None,
            touches: None,
            pause: Pause::default(),
            grounds: Grounds {
                cwd: self.bench.path().to_owned(),
                workspace: None,
            },
        }
    }

    pub(super) async fn prompt(&self, session: &str, text: &str) -> Result<TurnEnd, Fault> {
        self.watched(session, text, Security::Allowlist).await.0
    }

    /// What the agent says to a prompt.
    pub(super) async fn say(&self, session: &str, text: &str) -> String {
        self.prompt(session, text).await.unwrap().text
    }

    pub(super) async fn watched(
        &self,
        session: &str,
        text: &str,
        security: Security,
    ) -> (Result<TurnEnd, Fault>, Vec<TurnEvent>) {
        let (send, mut events) = mpsc::unbounded_channel();
        let end = self
            .link
            .prompt(session, text.to_owned(), self.permit(security), send)
            .await;
        let mut seen = Vec::new();
        // All of them are in before the end is: nothing is waited for.
        while let Ok(event) = events.try_recv() {
            seen.push(event);
        }
        (end, seen)
    }
}

/// Launches the fake agent and says hello.
pub(super) async fn connect(args: &[&str], limits: Limits) -> (Bench, Result<Link, Fault>) {
    let bench = Bench::new();
    let process = bench.launch(FAKE, args).await;
    let link = Link::connect(process, limits, "fake").await;
    (bench, link)
}

/// A process with this number runs, and is no zombie.
pub(super) fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .and_then(|rest| rest.split_whitespace().next())
        .is_some_and(|state| state != "Z")
}

/// Waits until `what` holds, or fails after `limit`.
pub(super) async fn until(limit: Duration, what: impl Fn() -> bool) {
    let deadline = Instant::now() + limit;
    while !what() {
        assert!(
            Instant::now() < deadline,
            "it did not come true within {limit:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The whole number that a shell wrote into `file`, once it is there.
pub(super) async fn number_in(file: &Path) -> u32 {
    let read = || {
        std::fs::read_to_string(file)
            .ok()
            .filter(|text| text.ends_with('\n'))
    };
    until(Duration::from_secs(10), || read().is_some()).await;
    read().unwrap().trim().parse().unwrap()
}
