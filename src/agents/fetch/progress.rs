//! How far an installation is, for whoever looks.

use crate::domain::distribution::Installing;
use std::sync::Arc;
use tokio::sync::watch;

/// Told by whoever installs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Progress(Arc<watch::Sender<Installing>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Installing {
            version: String::new(),
            step: "begins".to_owned(),
            bytes: 0,
            total_bytes: None,
        })))
    }
}

impl Progress {
    /// How far it is now.
    #[must_use]
    pub fn now(&self) -> Installing {
        self.0.borrow().clone()
    }

    /// The version is known.
    pub fn version(&self, version: &str) {
        self.0
            .send_modify(|now| version.clone_into(&mut now.version));
    }

    /// Something else is done from now on.
    pub fn step(&self, step: impl Into<String>) {
        self.0.send_modify(|now| {
            now.step = step.into();
            now.bytes = 0;
            now.total_bytes = None;
        });
    }

    pub(super) fn at(&self, bytes: u64, total: Option<u64>) {
        self.0.send_modify(|now| {
            now.bytes = bytes;
            now.total_bytes = total;
        });
    }
}
