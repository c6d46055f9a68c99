//! `eyas store check|backup|restore|move|prune`, as it was typed; they are done in `app`, without a hub.

use clap::Subcommand;
use std::path::PathBuf;

/// Verbs on the database.
#[derive(Debug, Subcommand)]
pub enum StoreVerb {
    /// Look whether the database is sound, also while a hub uses it; exits 1 if it is not
    Check,
    /// Copy the database, also while a hub uses it; nothing is replaced
    Backup {
        /// File to write
        path: PathBuf,
    },
    /// Put a backup in the place of the database, which is kept beside it; no hub may run
    Restore {
        /// File that `eyas store backup` wrote
        path: PathBuf,
    },
    /// Copy everything to an empty PostgreSQL database, and compare; no hub may run, and no run may be in flight. What is queued waits there
    Move {
        /// Its address: postgres://user:password@host/eyas
        url: String,
    },
    /// Remove runs that were kept as long as `runs.retention_ms` says; no hub may run
    Prune,
}
