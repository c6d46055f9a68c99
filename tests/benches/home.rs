//! A home and a project of the bench's own, with the instant agent in it.

use crate::{client::Client, rpc::Rpc};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

pub(crate) struct Home {
    folder: TempDir,
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
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn eyas(&self) -> Command {
        // As for the clients' suite: another build than the bench's own, where one is named.
        let built = std::env::var_os("EYAS_BIN");
        let mut command = Command::new(built.unwrap_or_else(|| env!("CARGO_BIN_EXE_eyas").into()));
        command
            .env("EYAS_HOME", self.path().join("home"))
            .current_dir(self.path().join("project"));
        command
    }

    /// A face, initialized.
    pub(crate) fn face(&self) -> Client {
        Client::start(self.eyas().arg("mcp").stderr(Stdio::null()))
    }

    /// The API over pipes.
    pub(crate) fn rpc(&self) -> Rpc {
        Rpc::start(self.eyas().arg("rpc").stderr(Stdio::null()))
    }

    /// The same, with nothing but this environment, which is then the hub's too.
    pub(crate) fn rpc_in(&self, env: &BTreeMap<String, String>) -> Rpc {
        let mut command = self.eyas();
        command.env_clear().envs(env);
        command.env("EYAS_HOME", self.path().join("home"));
        Rpc::start(command.arg("rpc").stderr(Stdio::null()))
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

    /// Rows of the event log so far.
    pub(crate) fn events_written(&self) -> i64 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            use sqlx::ConnectOptions as _;
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(self.path().join("home/eyas.db"))
                .read_only(true);
            let mut db = options.connect().await.expect("the database");
            sqlx::query_scalar("SELECT count(*) FROM event")
                .fetch_one(&mut db)
                .await
                .expect("a count")
        })
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

/// Delegates and waits for the end.
pub(crate) fn delegate(face: &mut Client, prompt: &str) -> Value {
    let arguments = json!({"prompt": prompt, "agent": "instant", "wait_ms": 30_000});
    face.call("delegate", &arguments)["structuredContent"].clone()
}
