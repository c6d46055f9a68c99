//! The book of what a hub found when it began, and did about it.

use crate::{
    config::Settings,
    domain::{finding::Recovery, time::Timestamp},
    stdx::{atomic, clock},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Writes what is noted to a file of the home. A cheap handle.
#[derive(Clone, Debug)]
pub(crate) struct Book(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    noted: Mutex<Recovery>,
}

impl Book {
    /// An empty one, of a hub that begins now.
    pub(crate) fn begin(settings: &Settings) -> Self {
        let noted = Recovery {
            at: Timestamp(clock::now_ms()),
            ..Recovery::default()
        };
        Self(Arc::new(Inner {
            path: path(&settings.data),
            noted: Mutex::new(noted),
        }))
    }

    /// Notes more. What cannot be written is no reason not to serve.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Recovery)) {
        let mut noted = self.0.noted.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut noted);
        let written = serde_json::to_vec(&*noted)
            .map_err(std::io::Error::from)
            .and_then(|text| atomic::write(&self.0.path, &text, 0o600));
        if let Err(error) = written {
            tracing::warn!(%error, "what was recovered is not written down");
        }
    }
}

fn path(data: &Path) -> PathBuf {
    data.join("recovery.json")
}

/// What the last hub that began noted; `None` when there was none, or what it wrote cannot be read.
pub(super) fn last(data: &Path) -> Option<Recovery> {
    serde_json::from_slice(&std::fs::read(path(data)).ok()?).ok()
}
