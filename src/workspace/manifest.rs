//! What was last rendered: a digest per file. A file with another digest was edited since.

use crate::stdx::{atomic, beneath};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, io, path::Path};

const NAME: &str = "rendered.json";
const MAX_BYTES: u64 = 64 * 1024;

/// Digests by file name.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) files: BTreeMap<String, String>,
}

impl Manifest {
    /// The manifest in an instance's folder. One that cannot be read is empty: then every file counts as edited, and none is lost.
    pub(super) fn read(home: &Path) -> Self {
        beneath::read(home, Path::new(NAME), MAX_BYTES)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    pub(super) fn write(&self, home: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        atomic::write(&home.join(NAME), &text, 0o600)
    }

    pub(super) fn note(&mut self, name: &str, content: &[u8]) {
        self.files.insert(name.to_owned(), digest(content));
    }

    pub(super) fn is_as_rendered(&self, name: &str, content: &[u8]) -> bool {
        self.files
            .get(name)
            .is_some_and(|known| *known == digest(content))
    }
}

fn digest(content: &[u8]) -> String {
    format!("{:x}", Sha256::digest(content))
}
