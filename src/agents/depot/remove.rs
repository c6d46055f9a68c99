//! Takes a version out, unless something runs of it.

use super::{Depot, Held, broken};
use crate::domain::{
    agent::AgentDefinition,
    fault::{ErrorKind, Fault},
};
use std::{fs, path::Path};

impl Depot {
    /// Removes a version, and its pin.
    ///
    /// # Errors
    /// `in_use` while a process runs of it; `store_unavailable` when it cannot be removed.
    pub fn remove(&self, definition: &AgentDefinition, held: &Held) -> Result<(), Fault> {
        if let Some(pid) = user(&held.folder) {
            return Err(Fault::new(
                ErrorKind::InUse,
                format!(
                    "agent \"{}\" {} runs (process {pid})",
                    definition.id, held.receipt.version
                ),
            )
            .hint("it ends when it is idle; or stop its project first: `eyas project stop`"));
        }
        let pin = self.lock_file.pin(&definition.id)?;
        if pin.is_some_and(|pin| pin.version == held.receipt.version) {
            self.lock_file.set(&definition.id, None)?;
        }
        self.discard(&held.folder)
            .map_err(|error| broken(&held.folder, &error))
    }
}

/// A process whose program or whose arguments lie in a folder. Where there is no `/proc` none is seen.
fn user(folder: &Path) -> Option<u32> {
    let below = format!("{}/", folder.display());
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id()).find(|pid| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words);
        words.split('\0').any(|word| word.starts_with(&below))
    })
}
