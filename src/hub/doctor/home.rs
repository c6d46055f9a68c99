//! Folders, disk, lock and socket of a home.

use super::Look;
use crate::{
    domain::finding::Finding,
    hub::{endpoint::Endpoint, join::is_alive, lock},
};
use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

/// Less free space than the first is too little to work with, less than the second is little.
const FREE: (u64, u64) = (64 << 20, 1 << 30);

pub(super) fn look(look: Look<'_>) -> Vec<Finding> {
    let settings = look.settings;
    let mut folders = vec![settings.data.as_path()];
    if settings.home != settings.data {
        folders.push(&settings.home);
    }
    let mut findings: Vec<Finding> = folders.iter().map(|path| folder(path)).collect();
    if settings.data.is_dir() {
        if let Err(fault) = lock::local(&settings.data) {
            findings.push(Finding::wrong(fault.detail).hint(fault.hint.unwrap_or_default()));
        }
        findings.extend(disk(&settings.data));
    }
    findings.push(hub(look));
    findings
}

fn folder(path: &Path) -> Finding {
    let shown = path.display();
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Finding::notice(format!(
                "{shown} is not there yet: no hub has served this home"
            ));
        }
        Err(error) => {
            return Finding::wrong(format!("{shown} cannot be looked at: {error}"))
                .hint("set EYAS_HOME to a folder of your own");
        }
    };
    if !found.is_dir() {
        return Finding::wrong(format!("{shown} is no folder"))
            .hint("move it away, or set EYAS_HOME to a folder of your own");
    }
    if let Err(fault) = lock::ours(path) {
        return Finding::wrong(fault.detail).hint(fault.hint.unwrap_or_default());
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Finding::wrong(format!("{shown} is open to other users (mode {mode:04o})"))
            .hint(format!("chmod 700 {shown}"));
    }
    if rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_err() {
        return Finding::wrong(format!("{shown} cannot be written to"))
            .hint("set EYAS_HOME to a folder that can be written");
    }
    Finding::fine(format!("{shown} is yours alone"))
}

fn disk(data: &Path) -> Option<Finding> {
    let found = rustix::fs::statvfs(data).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let words = format!(
        "{} MiB of disk are free below {}",
        free >> 20,
        data.display()
    );
    Some(if free < FREE.0 {
        Finding::wrong(words).hint("make room: no run is accepted that cannot be written")
    } else if free < FREE.1 {
        Finding::notice(words)
    } else {
        Finding::fine(words)
    })
}

fn hub(look: Look<'_>) -> Finding {
    if look.is_hub {
        return Finding::fine(format!("the hub, process {}, answers", std::process::id()));
    }
    match Endpoint::read(look.settings) {
        Err(fault) => Finding::wrong(fault.detail).hint(fault.hint.unwrap_or_default()),
        Ok(None) => Finding::fine("no hub runs; one starts when it is needed"),
        Ok(Some(found)) if !is_alive(found.pid) => Finding::notice(format!(
            "the last hub, process {}, did not end in order",
            found.pid
        ))
        .hint("nothing need be done: the next hub takes what it left"),
        Ok(Some(found)) => match &found.endpoint {
            Some(socket) => at(found.pid, socket),
            None => Finding::notice(format!(
                "process {} has this home for itself alone",
                found.pid
            )),
        },
    }
}

/// It should have answered.
fn at(pid: u32, socket: &Path) -> Finding {
    let why = match fs::symlink_metadata(socket) {
        Err(error) => format!("its socket {} cannot be reached: {error}", socket.display()),
        Ok(_) => format!("nothing answers on its socket {}", socket.display()),
    };
    Finding::wrong(format!("a hub is there, process {pid}, but {why}")).hint(format!(
        "end it: kill {pid}; another one starts when it is needed"
    ))
}
