//! Ends what a dead hub left running.

use super::{
    grip::Grip,
    identity::{Identity, Record, boot_id},
    lineage,
};
use futures::future::join_all;
use rustix::process::Signal;
use std::{fs, path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// Longer than a shim takes to end everything below it.
const GRACE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(10);

/// Ends the processes of all records whose hub is dead, and removes those records.
pub(super) async fn sweep(identities: &Path) {
    let Ok(entries) = fs::read_dir(identities) else {
        return;
    };
    let boot = boot_id();
    join_all(
        entries
            .flatten()
            .map(|entry| sweep_one(entry.path(), &boot)),
    )
    .await;
}

async fn sweep_one(path: impl AsRef<Path>, boot: &str) {
    let path = path.as_ref();
    let record = match Record::read(path) {
        Ok(record) => record,
        // A shim that was just ended removes its record itself.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => {
            tracing::warn!(record = %path.display(), %error, "an identity record cannot be read");
            return forget(path);
        }
    };
    if record.boot_id == boot {
        if record.owner.is_some_and(Identity::is_alive) {
            return;
        }
        for identity in [record.shim, record.agent].into_iter().flatten() {
            end(identity).await;
        }
    }
    forget(path);
}

fn forget(path: &Path) {
    // Gone already is as good.
    drop(fs::remove_file(path));
}

/// Ends exactly the process that was recorded, and what is below it.
async fn end(identity: Identity) {
    // The hold comes before the comparison: what is compared is then what is signalled, even if the number is reused in between.
    let Some(grip) = Grip::of(identity.pid) else {
        return;
    };
    if !identity.is_alive() {
        return;
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
}
