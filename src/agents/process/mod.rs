//! The one place that starts agent processes.
//!
//! Every agent is the child of a *reaper shim*, which is this program re-executed ([`shim`]): the shim adopts whatever the agent leaves
//! behind, and ends all of it when it is told to, when the agent ends, or when the hub dies in whatever way. The hub holds a
//! [`ProcessHandle`]; when the last one is dropped the agent is killed.

mod grip;
mod handle;
mod identity;
mod launcher;
mod lineage;
mod order;
pub mod shim;
mod spawner;
mod stderr;
mod stdin;
mod sweep;
mod weight;

pub use handle::{Exit, ProcessHandle};
pub use identity::{boot_id, start_time};
pub use launcher::{Aside, Launcher, Redact};
pub use stdin::Stdin;
pub use sweep::{Swept, left};
pub use weight::Peak;

use std::{collections::BTreeMap, path::PathBuf};
use tokio::process::ChildStdout;

/// What is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The agent's id, for logs and faults.
    pub agent: String,
    /// A path, or a name to be found on the `PATH` in `env`.
    pub program: PathBuf,
    pub args: Vec<String>,
    /// The child's whole environment; nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// Absolute.
    pub cwd: PathBuf,
}

/// A started agent: its pipes, and the handle that ends it.
#[derive(Debug)]
pub struct Process {
    /// Closed by [`ProcessHandle::close`], whoever holds it.
    pub stdin: Stdin,
    pub stdout: ChildStdout,
    pub handle: ProcessHandle,
}
