//! The right to make one version: one process at a time has it, whoever dies gives it back.

use super::{Depot, aside::lock_of, broken};
use crate::domain::{agent::AgentDefinition, fault::Fault, version::Version};
use std::{
    fs::{self, File, TryLockError},
    time::Duration,
};
use tokio::time::sleep;

/// How often it is asked again while another process has it.
const PAUSE: Duration = Duration::from_millis(100);

/// Held while a version is made, and given back when dropped.
#[derive(Debug)]
pub struct Claim {
    version: Version,
    held: File,
}

impl Claim {
    /// The version it is for.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // The file stays: to remove it would let two others each lock a file of that name.
        drop(self.held.unlock());
    }
}

impl Depot {
    /// Claims a version, and waits while another has it; `waits` is told so once.
    ///
    /// # Errors
    /// `store_unavailable` when the depot cannot be written.
    pub async fn claim(
        &self,
        definition: &AgentDefinition,
        version: &Version,
        waits: impl FnOnce(),
    ) -> Result<Claim, Fault> {
        let folder = self.root.join(".claims");
        let publisher = definition.distribution.publisher();
        let name = format!("{publisher}+{}+{}", definition.id, version.as_str());
        let path = folder.join(name);
        let held = fs::create_dir_all(&folder)
            .and_then(|()| lock_of(&path))
            .map_err(|error| broken(&path, &error))?;
        let mut waits = Some(waits);
        loop {
            match held.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    if let Some(waits) = waits.take() {
                        waits();
                    }
                    sleep(PAUSE).await;
                }
                Err(TryLockError::Error(error)) => return Err(broken(&path, &error)),
            }
        }
        Ok(Claim {
            version: version.clone(),
            held,
        })
    }
}
