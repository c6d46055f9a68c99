//! Which process is which, across a crash of the hub: a number, a moment of birth, a boot.

use super::lineage;
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

/// One process of one boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) pid: u32,
    /// Clock ticks since boot.
    pub(super) start_time: u64,
}

impl Identity {
    /// The process that has this number now.
    pub(super) fn of(pid: u32) -> Option<Self> {
        let start_time = lineage::stat(pid)?.start_time;
        Some(Self { pid, start_time })
    }

    /// This very process still runs; another one with its number does not count.
    pub(super) fn is_alive(self) -> bool {
        lineage::stat(self.pid)
            .is_some_and(|stat| !stat.zombie && stat.start_time == self.start_time)
    }
}

/// What a shim keeps on disk while its agent lives.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) boot_id: String,
    /// The hub.
    pub(super) owner: Option<Identity>,
    pub(super) shim: Option<Identity>,
    pub(super) agent: Option<Identity>,
}

impl Record {
    /// Writes it without a sync: a record that a power failure takes is of a boot that is over.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec(self)?)
    }

    pub(super) fn read(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }
}

/// Clock ticks from boot to the start of the process that has this number now; `None` when there is none.
#[must_use]
pub fn start_time(pid: u32) -> Option<u64> {
    Identity::of(pid).map(|found| found.start_time)
}

/// Names this boot of the machine; empty where that cannot be told.
#[must_use]
pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}
