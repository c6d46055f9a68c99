//! A package of npm, installed at an exact version by the machine's own npm, which knows the person's registry and login.
//!
//! A Node that is too old for a version makes npm take an older one without a word: therefore the version is exact, what the package asks of
//! Node is looked at first, and what came is compared with what was asked for.

use super::{
    Made, Site, Source, Workplace, is_file, missing, on_disk, program::is_plain, unavailable,
};
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
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// To ask for a package.
const ASK: Duration = Duration::from_mins(2);
/// To install one.
const LIMIT: Duration = Duration::from_mins(30);

#[derive(Debug)]
pub(super) struct Npm(pub(super) Package);

/// What the registry says of a version.
#[derive(Debug, Deserialize)]
struct Viewed {
    version: String,
    #[serde(default)]
    engines: Option<Engines>,
    #[serde(rename = "dist.integrity", default)]
    integrity: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Engines {
    #[serde(default)]
    node: Option<String>,
}

/// What is in a package.
#[derive(Debug, Deserialize)]
struct Manifest {
    version: String,
    #[serde(default)]
    bin: Option<Value>,
}

/// A Node, and npm to go with it.
#[derive(Debug)]
struct Node {
    node: PathBuf,
    npm: PathBuf,
}

impl Npm {
    async fn view(&self, site: &Site, at: &Path, version: &Version) -> Result<Viewed, Fault> {
        let whole = format!("{}@{}", self.0.package, version.as_str());
        let words = [
            "view",
            &whole,
            "version",
            "engines",
            "dist.integrity",
            "--json",
        ];
        let out = npm(site, &words, at, None, ASK).await?;
        let viewed: Viewed = serde_json::from_slice(&out)
            .map_err(|_unread| missing(format!("npm has no {whole}")))?;
        if viewed.version != version.as_str() {
            return Err(missing(format!(
                "npm answered {} for {whole}",
                viewed.version
            )));
        }
        Ok(viewed)
    }

    /// The program that the installed package brings.
    fn program(&self, tree: &Path, command: &str) -> Result<(PathBuf, Manifest), Fault> {
        let package = Path::new("node_modules").join(&self.0.package);
        let text = fs::read(tree.join(&package).join("package.json"))
            .map_err(|error| missing(format!("{} did not come: {error}", self.0.package)))?;
        let manifest: Manifest = serde_json::from_slice(&text)
            .map_err(|error| missing(format!("its package.json: {error}")))?;
        let wanted = self.0.program.as_deref().unwrap_or(command);
        let inner = match &manifest.bin {
            Some(Value::String(path)) => Some(path.as_str()),
            Some(Value::Object(all)) => match all.get(wanted) {
                None if self.0.program.is_none() && all.len() == 1 => all.values().next(),
                found => found,
            }
            .and_then(Value::as_str),
            _ => None,
        };
        let inner = inner.map(|path| PathBuf::from(path.trim_start_matches("./")));
        let found =
            inner.filter(|inner| is_plain(inner) && is_file(&tree.join(&package).join(inner)));
        match found {
            Some(inner) => Ok((package.join(inner), manifest)),
            None => Err(missing(format!(
                "{} has no program {wanted}",
                self.0.package
            ))),
        }
    }
}

#[async_trait]
impl Source for Npm {
    fn kind(&self) -> SourceKind {
        SourceKind::Npm
    }

    async fn newest(&self, site: &Site) -> Result<Version, Fault> {
        checked(&self.0.package)?;
        site.progress
            .step(format!("asks npm for {}", self.0.package));
        let words = ["view", &self.0.package, "dist-tags.latest", "--json"];
        let out = npm(site, &words, Path::new("/"), None, ASK).await?;
        let text: String = serde_json::from_slice(&out)
            .map_err(|_unread| missing(format!("npm has no {}", self.0.package)))?;
        Version::parse(&text)
    }

    async fn make(&self, site: &Site, version: &Version, at: &Workplace) -> Result<Made, Fault> {
        checked(&self.0.package)?;
        let whole = format!("{}@{}", self.0.package, version.as_str());
        site.progress.step(format!("asks npm for {whole}"));
        let viewed = self.view(site, &at.work, version).await?;
        let needs = viewed.engines.unwrap_or_default().node;
        let node = fitting(site, &whole, needs.as_deref(), &at.work).await?;
        site.progress.step(format!("has npm install {whole}"));
        let manifest = at.tree.join("package.json");
        fs::write(manifest, "{\"private\":true}\n")
            .map_err(|error| unavailable(format!("the depot cannot be written: {error}")))?;
        let words = [
            "install",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            "--loglevel=error",
            "--save-exact",
            &whole,
        ];
        npm(site, &words, &at.tree, Some(&node), LIMIT).await?;
        let (tree, command) = (at.tree.clone(), site.definition.launch.command.clone());
        let this = Self(self.0.clone());
        let (program, manifest, integrity) = on_disk(move || {
            let (program, manifest) = this.program(&tree, &command)?;
            Ok((program, manifest, integrity(&tree, &this.0.package)))
        })
        .await?;
        if manifest.version != version.as_str() {
            return Err(missing(format!(
                "npm installed {} instead of {whole}",
                manifest.version
            )));
        }
        if viewed.integrity.is_some() && integrity != viewed.integrity {
            return Err(Fault::new(
                ErrorKind::DigestMismatch,
                format!(
                    "{whole} is not what its registry states: {integrity:?}, not {:?}",
                    viewed.integrity
                ),
            ));
        }
        Ok(Made {
            from: whole,
            digest: integrity,
            vouched: if viewed.integrity.is_some() {
                Vouched::Publisher
            } else {
                Vouched::FirstUse
            },
            is_native: false,
            interpreter: is_script(&at.tree.join(&program), "node").then_some(Interpreter {
                program: node.node,
                needs,
            }),
            program,
        })
    }
}

/// A name that npm takes for a package of its registry, and not for an option, a folder or an address.
fn checked(package: &str) -> Result<(), Fault> {
    let plain = |part: &str| {
        let letter = |one: char| one.is_ascii_alphanumeric() || "-_.~".contains(one);
        part.starts_with(|one: char| one.is_ascii_alphanumeric()) && part.chars().all(letter)
    };
    let fits = match package.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| plain(scope) && plain(name)),
        None => plain(package),
    };
    if fits {
        Ok(())
    } else {
        Err(Fault::invalid(
            "npm.package",
            format!("{package:?} is no name of a package"),
        ))
    }
}

/// Runs npm, and tells what it means when it fails.
async fn npm(
    site: &Site,
    words: &[&str],
    at: &Path,
    node: Option<&Node>,
    limit: Duration,
) -> Result<Vec<u8>, Fault> {
    let program = match node {
        Some(node) => node.npm.clone(),
        None => site.tools.find("npm").ok_or_else(no_npm)?,
    };
    let first = node.and_then(|node| node.node.parent());
    let done = site.tools.run(&program, words, at, first, limit).await?;
    if done.ok {
        return Ok(done.out);
    }
    let fault = done.fault();
    let says = |code: &str| {
        fault.detail.contains(code) || String::from_utf8_lossy(&done.out).contains(code)
    };
    if says("EINTEGRITY") {
        return Err(Fault::new(ErrorKind::DigestMismatch, fault.detail));
    }
    if says("E404") || says("ETARGET") {
        return Err(missing(fault.detail));
    }
    Err(fault)
}

fn no_npm() -> Fault {
    unavailable("`npm` is not on PATH").hint("install Node.js, which brings npm")
}

/// The first Node on PATH that a package can live with.
async fn fitting(site: &Site, whole: &str, needs: Option<&str>, at: &Path) -> Result<Node, Fault> {
    let npms = site.tools.all("npm");
    let first = npms.first().ok_or_else(no_npm)?;
    let mut seen = Vec::new();
    for node in site.tools.all("node") {
        let done = site.tools.run(&node, &["--version"], at, None, ASK).await?;
        let version = String::from_utf8_lossy(&done.out)
            .trim()
            .trim_start_matches('v')
            .to_owned();
        if done.ok && needs.is_none_or(|needs| suits(needs, &version)) {
            // The npm beside it, if there is one.
            let near = node.with_file_name("npm");
            let npm = if is_file(&near) { near } else { first.clone() };
            return Ok(Node { node, npm });
        }
        seen.push(format!("{version} ({})", node.display()));
    }
    let found = if seen.is_empty() {
        "there is none on PATH".to_owned()
    } else {
        format!("there is {}", seen.join(", "))
    };
    Err(unavailable(format!("{whole} needs Node {}; {found}", needs.unwrap_or("of any version"))).hint(
        "put a newer Node.js first on PATH and install again; `npm install --prefix DIR node@24` brings one into DIR/node_modules/node/bin",
    ))
}

/// Whether a version is in a range of npm's. A range that cannot be read keeps nobody out: npm itself only warns.
fn suits(range: &str, version: &str) -> bool {
    let Ok(version) = semver::Version::parse(version) else {
        return false;
    };
    range.split("||").any(|part| {
        let words = part.split_whitespace().collect::<Vec<_>>().join(",");
        // `>= 18` is one word.
        let words = words
            .replace("=,", "=")
            .replace(">,", ">")
            .replace("<,", "<");
        match words.as_str() {
            "" | "*" => true,
            words => semver::VersionReq::parse(words).map_or(true, |req| req.matches(&version)),
        }
    })
}

/// What npm wrote down of the package that it unpacked.
fn integrity(tree: &Path, package: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Lock {
        packages: BTreeMap<String, Value>,
    }
    let text = fs::read(tree.join("node_modules/.package-lock.json")).ok()?;
    let lock: Lock = serde_json::from_slice(&text).ok()?;
    let entry = lock.packages.get(&format!("node_modules/{package}"))?;
    entry["integrity"].as_str().map(str::to_owned)
}

/// It begins with `#!` and names what runs it.
pub(super) fn is_script(path: &Path, of: &str) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(256).read_to_end(&mut head));
    let line = String::from_utf8_lossy(head.split(|one| *one == b'\n').next().unwrap_or_default())
        .into_owned();
    read.is_ok() && line.starts_with("#!") && line.contains(of)
}

#[cfg(test)]
mod tests {
    use super::{checked, suits};

    #[test]
    fn ranges_are_read_as_npm_reads_them() {
        for (range, version, fits) in [
            (">=22", "22.13.0", true),
            (">=22.13", "20.20.2", false),
            ("^20.19.0 || ^22.13.0 || >=24", "20.20.2", true),
            ("^20.19.0 || ^22.13.0 || >=24", "22.1.0", false),
            (">=24.16 <25 || >=26.1", "25.1.0", false),
            (">= 18.0.0", "20.0.0", true),
            (">= 18.0.0", "16.0.0", false),
            ("20.x", "20.1.0", true),
            ("*", "1.0.0", true),
            ("", "1.0.0", true),
            ("whatever it says", "1.0.0", true),
            (">=1", "not a version", false),
        ] {
            assert_eq!(suits(range, version), fits, "{range} {version}");
        }
    }

    #[test]
    fn only_names_of_packages_reach_npm() {
        for good in [
            "opencode-ai",
            "@agentclientprotocol/claude-agent-acp",
            "left.pad",
        ] {
            checked(good).expect(good);
        }
        for bad in [
            "",
            "-g",
            "../x",
            "/tmp/x",
            "a b",
            "@x",
            "@/x",
            "git+https://x",
            "x@1",
            "@a/b/c",
            "file:x",
        ] {
            checked(bad).expect_err(bad);
        }
    }
}
