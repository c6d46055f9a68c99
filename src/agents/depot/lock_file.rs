//! `agents.lock`: which version of each agent runs use, and what its bytes must be.

use super::{Held, aside::lock_of};
use crate::{
    domain::{
        distribution::SourceKind,
        fault::{ErrorKind, Fault},
    },
    stdx::atomic,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

const HEAD: &str = "# Which version of each agent runs use, and its digest. Written by `eyas agent install`; it may go with you to another machine.\n\n";

/// The file of a home.
#[derive(Clone, Debug)]
pub struct LockFile(PathBuf);

/// What is pinned of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    pub version: String,
    pub source: SourceKind,
    /// The package, image or address, with its version.
    pub from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The platform that the digest is good for, where others have other bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

impl Pin {
    /// What is in the depot, unless it is known to be other bytes than these.
    pub(super) fn check(&self, held: Held) -> Result<Held, Fault> {
        let receipt = &held.receipt;
        let is_same = self.source == receipt.source && self.platform == receipt.platform;
        let (Some(promised), Some(found), true) = (&self.digest, &receipt.digest, is_same) else {
            return Ok(held);
        };
        if promised == found {
            return Ok(held);
        }
        let detail = format!(
            "agent \"{}\" {} in the depot is {found}, and agents.lock pins {promised}",
            receipt.agent, receipt.version
        );
        let hint = format!(
            "eyas agent remove {0}@{1}, then eyas agent install {0}@{1}",
            receipt.agent, receipt.version
        );
        Err(Fault::new(ErrorKind::DigestMismatch, detail).hint(hint))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    agents: BTreeMap<String, Pin>,
}

impl LockFile {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// What is pinned of an agent.
    ///
    /// # Errors
    /// `invalid_params` for a file that cannot be read: another version must not be taken in its stead.
    pub fn pin(&self, agent: &str) -> Result<Option<Pin>, Fault> {
        Ok(self.read()?.agents.remove(agent))
    }

    /// Pins an agent, or frees it; the other pins stay, also those that another process writes now.
    ///
    /// # Errors
    /// As [`LockFile::pin`], and for a file that cannot be written.
    pub fn set(&self, agent: &str, pin: Option<Pin>) -> Result<(), Fault> {
        let guard = self
            .0
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| lock_of(&self.0.with_extension("lock.guard")))
            .and_then(|guard| guard.lock().map(|()| guard))
            .map_err(|error| self.unusable(&error))?;
        let mut written = self.read()?;
        match pin {
            Some(pin) => drop(written.agents.insert(agent.to_owned(), pin)),
            None => drop(written.agents.remove(agent)),
        }
        let text = toml::to_string(&written).map_err(Fault::internal)?;
        atomic::write(&self.0, format!("{HEAD}{text}").as_bytes(), 0o600)
            .map_err(|error| self.unusable(&error))?;
        drop(guard);
        Ok(())
    }

    fn read(&self) -> Result<Written, Fault> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Written::default()),
            Err(error) => return Err(self.unusable(&error)),
        };
        toml::from_str(&text).map_err(|error| {
            Fault::new(
                ErrorKind::InvalidParams,
                format!("{}: {}", self.0.display(), error.message()),
            )
            .hint("correct it, or remove it and install the agents again")
        })
    }

    fn unusable(&self, error: &io::Error) -> Fault {
        Fault::new(
            ErrorKind::InvalidParams,
            format!("{} cannot be used: {error}", self.0.display()),
        )
    }
}
