//! A home and a project of the bench's own, with the instant agent in it.

use crate::rpc::Rpc;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

pub(crate) struct Home {
    folder: TempDir,
    /// Where its hub keeps what it remembers, if not in the home.
    store: Option<String>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("home/agents")).expect("a folder");
        fs::create_dir_all(folder.path().join("project")).expect("a folder");
        let own = std::env::current_exe().expect("this binary");
        let definition = format!(
            "id = \"instant\"\nname = \"Instant\"\n[launch]\ncommand = {}\nargs = [\"--instant-agent\"]\n",
            json!(own)
        );
        fs::write(folder.path().join("home/agents/instant.toml"), definition)
            .expect("a definition");
        let definition = format!(
            "id = \"fake\"\nname = \"Fake\"\n[launch]\ncommand = {}\n",
            json!(env!("CARGO_BIN_EXE_fake-agent"))
        );
        fs::write(folder.path().join("home/agents/fake.toml"), definition).expect("a definition");
        fs::write(
            folder.path().join("home/config.toml"),
            "[warm]\nmax_concurrent = 8\n",
        )
        .expect("settings");
        Self {
            folder,
            store: None,
        }
    }

    /// One whose hub keeps what it remembers on a server.
    #[allow(dead_code, reason = "not every bench needs a server")]
    pub(crate) fn on(url: String) -> Self {
        Self {
            store: Some(url),
            ..Self::new()
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program, on this home.
    pub(crate) fn eyas(&self) -> Command {
        // As for the clients' suite: another build than the bench's own, where one is named.
        let built = std::env::var_os("EYAS_BIN");
        let mut command = Command::new(built.unwrap_or_else(|| env!("CARGO_BIN_EXE_eyas").into()));
        command
            .env("EYAS_HOME", self.path().join("home"))
            .current_dir(self.path().join("project"));
        if let Some(url) = &self.store {
            command.env("EYAS_STORE_URL", url);
        }
        command
    }

    /// The API over pipes.
    pub(crate) fn rpc(&self) -> Rpc {
        Rpc::start(self.eyas().arg("rpc").stderr(Stdio::null()))
    }

    /// One more project, plain and empty.
    pub(crate) fn project(&self, name: &str) -> PathBuf {
        let folder = self.path().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        folder.canonicalize().expect("it is there")
    }

    pub(crate) fn hub_pid(&self) -> u32 {
        let text = fs::read_to_string(self.path().join("home/hub.json")).expect("a hub");
        let hub: Value = serde_json::from_str(&text).expect("JSON");
        hub["pid"]
            .as_u64()
            .and_then(|pid| pid.try_into().ok())
            .expect("a pid")
    }

    pub(crate) fn stop(self) {
        let ended = self
            .eyas()
            .args(["hub", "stop", "--now"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(ended.is_ok(), "{ended:?}");
    }
}

/// Resident memory of a process, in MB.
pub(crate) fn resident_mb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a live process");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .expect("a resident size");
    let kb: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse().ok())
        .expect("a number");
    kb / 1024.0
}
