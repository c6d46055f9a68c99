//! A package of `PyPI`, installed at an exact version into a virtual environment of its own, by pip.

use super::{Made, Site, Source, Workplace, is_file, missing, npm::is_script, python, unavailable};
use crate::{
    agents::depot::Interpreter,
    domain::{
        distribution::{Package, SourceKind, Vouched},
        fault::{ErrorKind, Fault},
        version::Version,
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

const LIMIT: Duration = Duration::from_mins(30);
/// Of what the index says of a package, all its versions together.
const MOST: usize = 64 << 20;

#[derive(Debug)]
pub(super) struct Pypi(pub(super) Package);

/// What the index says of a package: its files, of all versions.
#[derive(Debug, Deserialize)]
struct Listed {
    files: Vec<Listing>,
}

#[derive(Clone, Debug, Deserialize)]
struct Listing {
    filename: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    #[serde(rename = "requires-python", default)]
    needs: Option<String>,
    /// A reason, or merely so.
    #[serde(default)]
    yanked: Value,
}

/// The files of one version.
#[derive(Debug, Default)]
struct Known {
    needs: String,
    sums: Vec<String>,
}

impl Listing {
    /// The version in the name of a wheel or of a source archive.
    fn version(&self, package: &str) -> Option<Version> {
        let stem = self
            .filename
            .strip_suffix(".tar.gz")
            .or_else(|| self.filename.strip_suffix(".zip"));
        let version = match (stem, self.filename.strip_suffix(".whl")) {
            (Some(stem), _) => {
                let at = stem.rfind('-')?;
                (plain(&stem[..at]) == plain(package)).then_some(&stem[at + 1..])?
            }
            (None, Some(wheel)) => wheel.split('-').nth(1)?,
            (None, None) => return None,
        };
        Version::parse(version).ok()
    }

    fn is_yanked(&self) -> bool {
        !matches!(self.yanked, Value::Null | Value::Bool(false))
    }
}

impl Pypi {
    async fn files(&self, site: &Site) -> Result<Vec<Listing>, Fault> {
        let base = site.pypi.trim_end_matches('/');
        let url = format!("{base}/{}/", plain(&self.0.package));
        let accept = [("accept", "application/vnd.pypi.simple.v1+json".to_owned())];
        let (body, _) = site.fetcher.small(&url, &accept, MOST).await?;
        let listed: Listed = serde_json::from_slice(&body)
            .map_err(|error| unavailable(format!("{url} answered something else: {error}")))?;
        Ok(listed.files)
    }

    async fn known(&self, site: &Site, version: &Version) -> Result<Known, Fault> {
        let mut files = self.files(site).await?;
        files.retain(|one| one.version(&self.0.package).as_ref() == Some(version));
        let Some(first) = files.first() else {
            let name = &self.0.package;
            return Err(missing(format!("PyPI has no {name} {}", version.as_str())));
        };
        Ok(Known {
            needs: first.needs.clone().unwrap_or_default(),
            sums: files
                .iter()
                .filter_map(|one| one.hashes.get("sha256").cloned())
                .collect(),
        })
    }
}

#[async_trait]
impl Source for Pypi {
    fn kind(&self) -> SourceKind {
        SourceKind::Pypi
    }

    async fn newest(&self, site: &Site) -> Result<Version, Fault> {
        checked(&self.0.package)?;
        site.progress
            .step(format!("asks PyPI for {}", self.0.package));
        let files = self.files(site).await?;
        let there = files.iter().filter(|one| !one.is_yanked());
        let newest = Version::newest(there.filter_map(|one| one.version(&self.0.package)));
        newest.ok_or_else(|| missing(format!("PyPI has no version of {}", self.0.package)))
    }

    async fn make(&self, site: &Site, version: &Version, at: &Workplace) -> Result<Made, Fault> {
        checked(&self.0.package)?;
        let whole = format!("{}=={}", self.0.package, version.as_str());
        site.progress.step(format!("asks PyPI for {whole}"));
        let known = match self.known(site, version).await {
            Ok(known) => known,
            // pip may know another index, which it does not tell us of.
            Err(fault) if fault.kind == ErrorKind::StoreUnavailable => Known::default(),
            Err(fault) => return Err(fault),
        };
        let needs = known.needs.clone();
        let venv = at.tree.join("venv");
        python::environment(site, &whole, &needs, &at.work, &venv).await?;
        site.progress.step(format!("has pip install {whole}"));
        let report = at.work.join("report.json");
        let report_word = report.to_string_lossy().into_owned();
        let words = [
            "-m",
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
            "--no-warn-script-location",
            "--report",
            &report_word,
            &whole,
        ];
        let done = site
            .tools
            .run(&venv.join("bin/python"), &words, &at.work, None, LIMIT)
            .await?;
        if !done.ok {
            return Err(meant(done.fault()));
        }
        let (digest, vouched) = came(&report, &self.0.package, version, &known)?;
        let name = self
            .0
            .program
            .as_deref()
            .unwrap_or(&site.definition.launch.command);
        let program =
            PathBuf::from("venv/bin").join(Path::new(name).file_name().unwrap_or_default());
        if !is_file(&at.tree.join(&program)) {
            return Err(missing(format!("{whole} has no program {name}")));
        }
        // Its first line names a folder that is only there while it is made.
        let interpreter = is_script(&at.tree.join(&program), "python").then(|| Interpreter {
            program: "venv/bin/python".into(),
            needs: Some(needs).filter(|needs| !needs.is_empty()),
        });
        Ok(Made {
            from: whole,
            digest,
            vouched,
            is_native: true,
            program,
            interpreter,
        })
    }
}

/// A name of a package, and nothing that pip takes for an option, a folder or an address.
fn checked(package: &str) -> Result<(), Fault> {
    let letter = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
    if package.starts_with(|one: char| one.is_ascii_alphanumeric()) && package.chars().all(letter) {
        return Ok(());
    }
    Err(Fault::invalid(
        "pypi.package",
        format!("{package:?} is no name of a package"),
    ))
}

fn meant(fault: Fault) -> Fault {
    let says = |words: &str| fault.detail.contains(words);
    if says("DO NOT MATCH THE HASHES") {
        return Fault::new(ErrorKind::DigestMismatch, fault.detail);
    }
    if says("No matching distribution") {
        return missing(fault.detail);
    }
    fault
}

/// What pip says it installed: its digest, and who vouches for it.
fn came(
    report: &Path,
    package: &str,
    version: &Version,
    known: &Known,
) -> Result<(Option<String>, Vouched), Fault> {
    let text = fs::read(report).unwrap_or_default();
    let report: Value = serde_json::from_slice(&text)
        .map_err(|error| unavailable(format!("pip's report cannot be read: {error}")))?;
    let all = report["install"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let own = all
        .iter()
        .find(|one| {
            one["metadata"]["name"]
                .as_str()
                .is_some_and(|name| plain(name) == plain(package))
        })
        .ok_or_else(|| missing(format!("pip did not install {package}")))?;
    let found = own["metadata"]["version"].as_str().unwrap_or_default();
    if found != version.as_str() {
        return Err(missing(format!(
            "pip installed {package} {found} instead of {}",
            version.as_str()
        )));
    }
    let download = &own["download_info"];
    let Some(sum) = download["archive_info"]["hashes"]["sha256"].as_str() else {
        return Ok((None, Vouched::FirstUse));
    };
    let digest = Some(format!("sha256:{sum}"));
    // What lies on this machine is the person's own.
    if known.sums.is_empty()
        || download["url"]
            .as_str()
            .is_some_and(|url| url.starts_with("file:"))
    {
        return Ok((digest, Vouched::FirstUse));
    }
    if known.sums.iter().any(|known| known == sum) {
        return Ok((digest, Vouched::Publisher));
    }
    Err(Fault::new(
        ErrorKind::DigestMismatch,
        format!(
            "{package} {found} is not what its index states: sha256:{sum} is none of its files"
        ),
    ))
}

/// As the index compares names.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use super::Listing;
    use serde_json::json;

    #[test]
    fn the_version_is_read_from_the_name_of_a_file() {
        let of = |name: &str| {
            let file = json!({"filename": name, "requires-python": null, "yanked": false});
            let file: Listing = serde_json::from_value(file).expect("a file");
            assert!(!file.is_yanked());
            file.version("mistral-vibe")
                .map(|version| version.as_str().to_owned())
        };
        assert_eq!(
            of("mistral_vibe-3.0.2-py3-none-any.whl").as_deref(),
            Some("3.0.2")
        );
        assert_eq!(of("mistral_vibe-3.0.2.tar.gz").as_deref(), Some("3.0.2"));
        assert_eq!(of("mistral.vibe-1.0rc1.tar.gz").as_deref(), Some("1.0rc1"));
        assert_eq!(of("other-3.0.2.tar.gz"), None);
        assert_eq!(of("mistral_vibe-3.0.2.exe"), None);
        let yanked = json!({"filename": "x-1.tar.gz", "yanked": "broken"});
        let yanked: Listing = serde_json::from_value(yanked).expect("a file");
        assert!(yanked.is_yanked());
    }
}
