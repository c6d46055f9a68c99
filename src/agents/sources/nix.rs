//! An output of a Nix flake. It stays in Nix's own store; the depot has only the receipt.

use super::{Made, Site, Source, Workplace, fits, is_file, missing, unavailable};
use crate::domain::{
    distribution::{NixFlake, SourceKind, Vouched, filled},
    fault::Fault,
    version::Version,
};
use async_trait::async_trait;
use std::{path::PathBuf, time::Duration};

/// What is not in a cache is built.
const LIMIT: Duration = Duration::from_hours(1);

#[derive(Debug)]
pub(super) struct Nix(pub(super) NixFlake);

#[async_trait]
impl Source for Nix {
    fn kind(&self) -> SourceKind {
        SourceKind::Nix
    }

    async fn newest(&self, site: &Site) -> Result<Version, Fault> {
        let known = site.definition.version.as_deref();
        known.map_or_else(
            || {
                Err(missing("a flake does not say which versions there are")
                    .hint("name one: <agent>@<version>"))
            },
            Version::parse,
        )
    }

    async fn make(&self, site: &Site, version: &Version, at: &Workplace) -> Result<Made, Fault> {
        let nix = site
            .tools
            .find("nix")
            .ok_or_else(|| unavailable("`nix` is not on PATH"))?;
        fits(site, version, &self.0.flake)?;
        let flake = filled(&self.0.flake, version.as_str(), &site.platform);
        if flake.starts_with('-') {
            return Err(Fault::invalid("nix.flake", "must not begin with a hyphen"));
        }
        site.progress.step(format!("has nix build {flake}"));
        let words = [
            "--extra-experimental-features",
            "nix-command flakes",
            "build",
            "--no-link",
            "--print-out-paths",
            &flake,
        ];
        let out = site
            .tools
            .run(&nix, &words, &at.work, None, LIMIT)
            .await?
            .well()?;
        let out = String::from_utf8_lossy(&out);
        let path = out
            .lines()
            .map(PathBuf::from)
            .find(|path| path.is_absolute());
        let path = path.ok_or_else(|| missing(format!("{flake} has no output")))?;
        let name = self
            .0
            .program
            .as_deref()
            .unwrap_or(&site.definition.launch.command);
        let program = if is_file(&path) {
            path.clone()
        } else {
            path.join("bin").join(name)
        };
        if !is_file(&program) {
            return Err(missing(format!(
                "there is no program {}",
                program.display()
            )));
        }
        Ok(Made {
            from: flake,
            // The name of an output is made of all that it was built from.
            digest: path
                .file_name()
                .map(|name| format!("nix:{}", name.to_string_lossy())),
            vouched: Vouched::Publisher,
            is_native: true,
            program,
            interpreter: None,
        })
    }
}
