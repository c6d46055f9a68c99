//! Ends what a dead hub left running.

use super::{
    grip::Grip,
    identity::{Identity, Record, boot_id},
    launcher::ASIDE,
    lineage,
};
use futures::future::join_all;
use rustix::process::Signal;
use std::{fs, path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// Longer than a shim takes to end everything below it.
const GRACE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(10);

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Processes that were ended.
    pub ended: Vec<u32>,
    /// Records that were removed.
    pub records: u32,
}

/// Ends the processes of all records whose hub is dead, and removes those records.
pub(super) async fn sweep(identities: &Path) -> Swept {
    let Ok(entries) = fs::read_dir(identities) else {
        return Swept::default();
    };
    let boot = boot_id();
    let each = entries
        .flatten()
        .map(|entry| sweep_one(entry.path(), &boot));
    let mut swept = Swept::default();
    for (ended, removed) in join_all(each).await {
        swept.ended.extend(ended);
        swept.records += u32::from(removed);
    }
    swept
}

/// Living processes of records whose hub is dead; nothing is done to them.
#[must_use]
pub fn left(identities: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(identities) else {
        return Vec::new();
    };
    let boot = boot_id();
    let records = entries
        .flatten()
        .filter_map(|entry| Record::read(&entry.path()).ok());
    let orphans = records
        .filter(|record| record.boot_id == boot && !record.owner.is_some_and(Identity::is_alive));
    orphans
        .flat_map(|record| [record.shim, record.agent])
        .flatten()
        .filter(|identity| identity.is_alive())
        .map(|identity| identity.pid)
        .collect()
}

/// Which processes it ended, and whether the record is gone by it.
async fn sweep_one(path: impl AsRef<Path>, boot: &str) -> (Vec<u32>, bool) {
    let path = path.as_ref();
    if path.extension().is_some_and(|end| end == ASIDE) {
        forget(path);
        return (Vec::new(), false);
    }
    let record = match Record::read(path) {
        Ok(record) => record,
        // A shim that was just ended removes its record itself.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (Vec::new(), false),
        Err(error) => {
            tracing::warn!(record = %path.display(), %error, "an identity record cannot be read");
            return (Vec::new(), forget(path));
        }
    };
    let mut ended = Vec::new();
    if record.boot_id == boot {
        if record.owner.is_some_and(Identity::is_alive) {
            return (ended, false);
        }
        for identity in [record.shim, record.agent].into_iter().flatten() {
            if end(identity).await {
                ended.push(identity.pid);
            }
        }
    }
    (ended, forget(path))
}

/// Gone already is as good.
fn forget(path: &Path) -> bool {
    fs::remove_file(path).is_ok()
}

/// Ends exactly the process that was recorded, and what is below it. Whether there was such a process.
async fn end(identity: Identity) -> bool {
    // The hold comes before the comparison: what is compared is then what is signalled, even if the number is reused in between.
    let Some(grip) = Grip::of(identity.pid) else {
        return false;
    };
    if !identity.is_alive() {
        return false;
    }
    tracing::info!(
        pid = identity.pid,
        "ending a process that an earlier hub left"
    );
    grip.signal(Signal::TERM);
    let deadline = Instant::now() + GRACE;
    while identity.is_alive() && Instant::now() < deadline {
        sleep(POLL).await;
    }
    if identity.is_alive() {
        lineage::signal_below(identity.pid, Signal::KILL);
        grip.signal(Signal::KILL);
    }
    true
}
