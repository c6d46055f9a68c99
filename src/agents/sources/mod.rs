//! What fills the depot: each kind of place that an agent can be fetched from is one file behind one trait.

mod archive;
mod docker_config;
mod github;
mod nix;
mod npm;
mod oci;
mod program;
mod pypi;
mod python;
mod tools;

pub use tools::Tools;

use super::{
    depot::Interpreter,
    fetch::{Fetcher, Progress},
};
use crate::domain::{
    agent::AgentDefinition,
    distribution::{SourceKind, Vouched},
    fault::{ErrorKind, Fault},
    version::Version,
};
use async_trait::async_trait;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// What is needed to fetch.
#[derive(Clone, Debug)]
pub struct Site {
    pub definition: AgentDefinition,
    /// Such as `linux-x86_64`.
    pub platform: String,
    pub fetcher: Fetcher,
    pub tools: Tools,
    pub progress: Progress,
    /// Where GitHub's API answers.
    pub github_api: String,
    /// Where `PyPI`'s index answers, in its JSON form.
    pub pypi: String,
}

/// The folders of a version in the making.
#[derive(Clone, Debug)]
pub struct Workplace {
    /// What is made.
    pub tree: PathBuf,
    /// For what is needed on the way.
    pub work: PathBuf,
}

/// A version that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The package, image or address, with its version.
    pub from: String,
    pub digest: Option<String>,
    pub vouched: Vouched,
    /// The digest is that of bytes for this platform alone.
    pub is_native: bool,
    /// Below the tree, or absolute.
    pub program: PathBuf,
    pub interpreter: Option<Interpreter>,
}

/// A kind of place that agents are fetched from.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// Which kind.
    fn kind(&self) -> SourceKind;

    /// The newest version that is there.
    ///
    /// # Errors
    /// `store_unavailable`, `artifact_missing`.
    async fn newest(&self, site: &Site) -> Result<Version, Fault>;

    /// Makes a version.
    ///
    /// # Errors
    /// `store_unavailable`, `artifact_missing`, `digest_mismatch`, `too_large`.
    async fn make(&self, site: &Site, version: &Version, at: &Workplace) -> Result<Made, Fault>;
}

/// Where an agent can be fetched from on a platform, in the order in which that is tried.
#[must_use]
pub fn of(definition: &AgentDefinition, platform: &str) -> Vec<Box<dyn Source>> {
    let places = definition.distribution.clone();
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    if let Some(flake) = places.nix {
        sources.push(Box::new(nix::Nix(flake)));
    }
    if let Some(image) = places.oci {
        sources.push(Box::new(oci::Oci(image)));
    }
    if !places.archive.is_empty() {
        let here = places
            .archive
            .get(platform)
            .or_else(|| places.archive.get("any"));
        sources.push(Box::new(archive::OnTheWeb(here.cloned())));
    }
    if let Some(release) = places.github {
        sources.push(Box::new(github::Github(release)));
    }
    if let Some(package) = places.npm {
        sources.push(Box::new(npm::Npm(package)));
    }
    if let Some(package) = places.pypi {
        sources.push(Box::new(pypi::Pypi(package)));
    }
    sources
}

/// This machine, as archives are named for it.
#[must_use]
pub fn platform() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    };
    format!("{os}-{}", std::env::consts::ARCH)
}

/// The version is the one that the definition says.
fn is_own(site: &Site, version: &Version) -> bool {
    let own = site.definition.version.as_deref();
    let own = own.and_then(|own| Version::parse(own).ok());
    own.as_ref() == Some(version)
}

/// An address that names no version has that of the definition alone.
fn fits(site: &Site, version: &Version, address: &str) -> Result<(), Fault> {
    if address.contains("{version}") || is_own(site, version) {
        return Ok(());
    }
    let own = site.definition.version.as_deref();
    Err(missing(format!(
        "its address is that of version {} alone",
        own.unwrap_or("(none is said in the definition)")
    )))
}

fn missing(why: impl Into<String>) -> Fault {
    Fault::new(ErrorKind::ArtifactMissing, why)
}

fn unavailable(why: impl Into<String>) -> Fault {
    Fault::new(ErrorKind::StoreUnavailable, why)
}

/// Runs work on files off the event loop.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Fault::internal(error)))
}

/// A file that is there.
fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file())
}
