//! What a hub does that a face started: it leaves the face's terminal, writes to a log file, and says one word on stdout.

use crate::{
    domain::fault::{ErrorKind, Fault},
    hub::join::Started,
    stdx::atomic,
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// A log larger than this when a hub starts is put aside, one of them.
const LARGE: u64 = 10 * 1024 * 1024;

/// Neither the terminal's signals nor its end are ours any more.
pub(super) fn lead_session() {
    if let Err(error) = rustix::process::setsid() {
        tracing::debug!(%error, "a session of its own was had already");
    }
}

/// Stderr is `hub.log` from now on: logs, and the words of a panic. Only the owner of the home may call: there is one log.
pub(super) fn log_to(logs_dir: &Path) -> Result<(), Fault> {
    let path = logs_dir.join("hub.log");
    let open = || -> io::Result<File> {
        atomic::private_dir(logs_dir)?;
        if path.metadata().is_ok_and(|found| found.len() > LARGE) {
            std::fs::rename(&path, logs_dir.join("hub.log.1"))?;
        }
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
    };
    let file = open().map_err(|error| failed(&path, &error))?;
    rustix::stdio::dup2_stderr(&file).map_err(|error| failed(&path, &error.into()))
}

/// Says the one word, and lets go of stdout: the face that started us waits for its end.
pub(super) fn say(word: &Started) -> Result<(), Fault> {
    let text = serde_json::to_vec(word).map_err(Fault::internal)?;
    let mut stdout = io::stdout();
    // A face that has gone meanwhile does not matter: others will come.
    drop(stdout.write_all(&text).and_then(|()| stdout.flush()));
    let null = Path::new("/dev/null");
    let nowhere = OpenOptions::new()
        .write(true)
        .open(null)
        .map_err(|error| failed(null, &error))?;
    rustix::stdio::dup2_stdout(&nowhere).map_err(|error| failed(null, &error.into()))
}

fn failed(path: &Path, error: &io::Error) -> Fault {
    Fault::new(
        ErrorKind::DatabaseUnavailable,
        format!("failed to write to {}: {error}", path.display()),
    )
}
