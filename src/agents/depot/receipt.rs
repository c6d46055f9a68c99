//! What is said of an installed version, in a file of its folder: where it came from, and how it is started.

use crate::{
    agents::resolve::Program,
    domain::{
        distribution::{SourceKind, Vouched},
        time::Timestamp,
    },
    stdx::atomic,
};
use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Ours in a folder that holds an agent's own files.
const NAME: &str = "eyas-receipt.json";

/// A version, as it was installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub agent: String,
    pub version: String,
    pub source: SourceKind,
    /// The package, image or address, with its version.
    pub from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    pub vouched: Vouched,
    /// The platform that the digest is good for, where others have other bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Below the folder, or absolute where it is kept elsewhere, as by Nix.
    pub program: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<Interpreter>,
    pub installed_at: Timestamp,
}

/// What runs a program that is no executable of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// Below the folder, or absolute.
    pub program: PathBuf,
    /// The versions that will do, as the package says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
}

impl Receipt {
    /// The receipt in a folder, if it is one of that agent.
    pub(super) fn read(folder: &Path, agent: &str) -> Option<Self> {
        let text = fs::read(folder.join(NAME)).ok()?;
        let receipt: Self = serde_json::from_slice(&text).ok()?;
        (receipt.agent == agent).then_some(receipt)
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        atomic::write(&folder.join(NAME), &text, 0o600)
    }

    /// How to start it.
    ///
    /// # Errors
    /// What is not there any more.
    pub fn program(&self, folder: &Path) -> Result<Program, String> {
        // An absolute path stands for itself.
        let program = folder.join(&self.program);
        let Some(interpreter) = &self.interpreter else {
            executable(&program)?;
            return Ok(Program {
                path: program,
                before: Vec::new(),
                source: SourceKind::Depot,
                version: Some(self.version.clone()),
            });
        };
        if !program.is_file() {
            return Err(format!("{} is gone", program.display()));
        }
        let path = folder.join(&interpreter.program);
        executable(&path)?;
        Ok(Program {
            path,
            before: vec![program.to_string_lossy().into_owned()],
            source: SourceKind::Depot,
            version: Some(self.version.clone()),
        })
    }
}

fn executable(path: &Path) -> Result<(), String> {
    if path.is_file() && access(path, Access::EXEC_OK).is_ok() {
        Ok(())
    } else {
        Err(format!("{} is gone, or no executable file", path.display()))
    }
}
