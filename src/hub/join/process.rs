//! The hub as a process of its own: how a face starts one, and sees that one is gone.

use crate::{
    config::{Environment, Settings},
    domain::fault::{ErrorKind, Fault},
    hub::lock,
};
use serde::{Deserialize, Serialize};
use std::{process::Stdio, time::Duration};
use tokio::{io::AsyncReadExt as _, process::Command};

/// What a hub that a face started says on its stdout, once, in one line: it is followed by nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Started {
    /// It listens.
    Ready,
    /// Another process has the home.
    Taken,
    /// It could not, for this reason.
    Failed(Fault),
}

/// Longer than any migration or recovery of a home should take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Starts `eyas hub` detached and waits for its word. The child makes itself a session leader, so that neither the terminal's signals nor
/// its end reach it.
pub(super) async fn start(settings: &Settings, env: &Environment) -> Result<Started, Fault> {
    lock::prepare(settings)?;
    let mut command = Command::new(&env.exe);
    command
        .args(["hub", "run", "--detached"])
        .current_dir(&settings.data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(home) = &settings.given_home {
        command.env("EYAS_HOME", home);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a hub is nobody's child: it outlives the face that starts it"
    )]
    let mut child = command.spawn().map_err(|error| {
        Fault::new(
            ErrorKind::HubLost,
            format!("failed to start {}: {error}", env.exe.display()),
        )
    })?;
    let mut said = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        let reading = tokio::time::timeout(PATIENCE, stdout.read_to_string(&mut said));
        if !matches!(reading.await, Ok(Ok(_))) {
            return Err(silent(settings));
        }
    }
    serde_json::from_str(&said)
        .ok()
        .ok_or_else(|| silent(settings))
}

fn silent(settings: &Settings) -> Fault {
    Fault::new(ErrorKind::HubLost, "the hub ended before it was ready").hint(format!(
        "see {}",
        settings.logs_dir.join("hub.log").display()
    ))
}

/// Whether a process is there and not a corpse that nobody has buried.
#[cfg(target_os = "linux")]
pub(in crate::hub) fn alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| {
            stat.rsplit_once(')')
                .map(|(_, rest)| rest.trim_start().to_owned())
        })
        .is_some_and(|rest| !rest.starts_with(['Z', 'X']))
}

#[cfg(not(target_os = "linux"))]
pub(in crate::hub) fn alive(pid: u32) -> bool {
    i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}
