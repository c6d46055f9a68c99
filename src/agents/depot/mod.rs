//! The folder of installed agents: `<publisher>/<agent>/<version>/`, each version whole or not there.
//!
//! A version is made aside, by one process at a time ([`Claim`]), and moved into its place when everything of it is on disk. Its [`Receipt`]
//! says where it came from and how it is started. `agents.lock` in the home says which version of each agent runs use ([`LockFile`]).

mod aside;
mod claim;
mod lock_file;
mod receipt;
mod remove;

pub use aside::Aside;
pub use claim::Claim;
pub use lock_file::{LockFile, Pin};
pub use receipt::{Interpreter, Receipt};

use super::resolve::Program;
use crate::{
    domain::{
        agent::AgentDefinition,
        distribution::{Installed, SourceKind},
        fault::{ErrorKind, Fault},
        version::Version,
    },
    stdx::atomic,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The depot of a home. A cheap handle on paths: nothing of it is kept in memory.
#[derive(Clone, Debug)]
pub struct Depot {
    root: PathBuf,
    lock_file: LockFile,
}

/// A version that is there.
#[derive(Clone, Debug)]
pub struct Held {
    pub version: Version,
    pub receipt: Receipt,
    pub folder: PathBuf,
}

impl Depot {
    /// The depot below `root`; `lock_file` is the home's `agents.lock`.
    #[must_use]
    pub fn new(root: &Path, lock_file: &Path) -> Self {
        Self {
            root: root.to_owned(),
            lock_file: LockFile::new(lock_file),
        }
    }

    /// Which versions are pinned.
    #[must_use]
    pub fn lock_file(&self) -> &LockFile {
        &self.lock_file
    }

    /// Whatever holds the versions of an agent.
    fn folder(&self, definition: &AgentDefinition) -> PathBuf {
        let publisher = definition.distribution.publisher();
        self.root.join(publisher).join(&definition.id)
    }

    /// The versions of an agent, the newest last. What has no receipt of its own is not ours and is left out.
    #[must_use]
    pub fn versions(&self, definition: &AgentDefinition) -> Vec<Held> {
        let Ok(entries) = fs::read_dir(self.folder(definition)) else {
            return Vec::new();
        };
        let mut held: Vec<Held> = entries
            .flatten()
            .filter_map(|entry| {
                let folder = entry.path();
                let version = Version::parse(entry.file_name().to_str()?).ok()?;
                let receipt = Receipt::read(&folder, &definition.id)?;
                (receipt.version == version.as_str()).then_some(Held {
                    version,
                    receipt,
                    folder,
                })
            })
            .collect();
        held.sort_by(|a, b| a.version.cmp(&b.version));
        held
    }

    /// One version of an agent.
    #[must_use]
    pub fn version(&self, definition: &AgentDefinition, version: &Version) -> Option<Held> {
        let mut versions = self.versions(definition).into_iter();
        versions.find(|held| held.version == *version)
    }

    /// The version that runs use: the pinned one, or else the newest that is there.
    ///
    /// # Errors
    /// `agent_not_found`, saying what there is instead; `digest_mismatch` where `agents.lock`, which may come from another machine, pins other
    /// bytes; that of a lock file that cannot be read.
    pub fn used(&self, definition: &AgentDefinition) -> Result<Held, Fault> {
        let mut versions = self.versions(definition);
        if let Some(pin) = self.lock_file.pin(&definition.id)? {
            let pinned = versions
                .into_iter()
                .find(|held| held.receipt.version == pin.version);
            let pinned = pinned.ok_or_else(|| {
                absent(format!(
                    "version {}, which agents.lock pins, is not in the depot",
                    pin.version
                ))
            })?;
            return pin.check(pinned);
        }
        let newest = Version::newest(versions.iter().map(|held| held.version.clone()));
        match newest {
            Some(newest) => versions.retain(|held| held.version == newest),
            // Of versions without an order none is newer: the last by its letters.
            None => drop(versions.drain(..versions.len().saturating_sub(1))),
        }
        let found = versions.pop();
        found.ok_or_else(|| absent("no version is in the depot".to_owned()))
    }

    /// The program of the version that runs use.
    ///
    /// # Errors
    /// As [`Depot::used`], and when the program, or what runs it, is gone.
    pub fn program(&self, definition: &AgentDefinition) -> Result<Program, Fault> {
        let held = self.used(definition)?;
        held.receipt
            .program(&held.folder)
            .map_err(|why| absent(format!("version {}: {why}", held.version.as_str())))
    }

    /// The versions as the API shows them, the newest first.
    #[must_use]
    pub fn describe(&self, definition: &AgentDefinition) -> Vec<Installed> {
        let used = self.used(definition).ok().map(|held| held.folder);
        let versions = self.versions(definition).into_iter().rev();
        versions
            .map(|held| Installed {
                used: used.as_ref() == Some(&held.folder),
                path: held.folder.display().to_string(),
                version: held.receipt.version,
                source: held.receipt.source,
                from: held.receipt.from,
                digest: held.receipt.digest,
                vouched: held.receipt.vouched,
                installed_at: held.receipt.installed_at,
            })
            .collect()
    }

    /// Moves what was made into its place, durably: its files first, its receipt, then its name. Answers where it is.
    ///
    /// # Errors
    /// `store_unavailable` for any error of the file system; nothing has its name then.
    pub fn place(
        &self,
        claim: &Claim,
        aside: Aside,
        definition: &AgentDefinition,
        receipt: &Receipt,
    ) -> Result<PathBuf, Fault> {
        let place = self.folder(definition).join(claim.version().as_str());
        let placed = || {
            receipt.write(&aside.tree())?;
            sync_all(&aside.tree())?;
            // Whatever lies there has no receipt that reads, or it would have been used.
            if place.exists() {
                self.discard(&place)?;
            }
            aside.give(&place)?;
            atomic::sync_dir(place.parent().unwrap_or(&self.root))
        };
        placed().map_err(|error| broken(&place, &error))?;
        Ok(place)
    }
}

/// Everything that was written to the file system of `folder` is on disk: an agent may be thirty thousand files.
fn sync_all(folder: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(fs::File::open(folder)?)?;
    #[cfg(not(target_os = "linux"))]
    {
        rustix::fs::sync();
        drop(fs::File::open(folder)?);
    }
    Ok(())
}

fn absent(why: String) -> Fault {
    Fault::new(ErrorKind::AgentNotFound, why)
}

fn broken(path: &Path, error: &io::Error) -> Fault {
    Fault::new(
        ErrorKind::StoreUnavailable,
        format!("the depot cannot be written at {}: {error}", path.display()),
    )
}

/// The word of a source in a fault's list of them.
pub(super) fn told(kind: SourceKind, fault: &Fault) -> String {
    format!("{}: {}", kind.as_str(), fault.detail)
}

#[cfg(test)]
mod tests;
