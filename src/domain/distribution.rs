//! Where an agent's program can be had, and what was installed of it.

use super::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The places from which a program can be fetched, at most one of each kind. They are tried in the order of the fields.
///
/// `{version}`, `{os}` (`linux`, `darwin`), `{arch}` (`x86_64`, `aarch64`), `{goarch}` (`amd64`, `arm64`) and `{nodearch}` (`x64`,
/// `arm64`) stand for themselves in references, addresses, names and paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Distribution {
    /// The folder of the depot that its versions lie in: whose program it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nix: Option<NixFlake>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oci: Option<OciImage>,
    /// By platform, such as `linux-x86_64`; `any` stands for every one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub archive: BTreeMap<String, Archive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub github: Option<GithubRelease>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub npm: Option<Package>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pypi: Option<Package>,
}

/// An output of a Nix flake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NixFlake {
    /// Such as `github:owner/repo/v{version}#agent`.
    pub flake: String,
    /// Below `bin/` of the output; the agent's command when not said. An output that is a file is the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

/// A repository of an OCI registry. Its tags are versions; the layers of the image are unpacked one over the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OciImage {
    /// Such as `registry.example/agents/hawk`.
    pub repository: String,
    /// `{version}` when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Where it lies in what is unpacked; the agent's command when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

/// A file on a web server: an archive, or the program itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    pub url: String,
    /// Of the file, in hexadecimal. Good for the definition's own version alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where it lies in the archive; the agent's command when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

/// The releases of a repository on GitHub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GithubRelease {
    /// `owner/name`.
    pub repository: String,
    /// `v{version}` when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The name of the release's file.
    pub asset: String,
    /// The name of the release's file with the SHA-256 of the others, in the lines of `sha256sum`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksums: Option<String>,
    /// Where it lies in the archive; the agent's command when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

/// A package of npm or `PyPI`, installed at an exact version by the tools of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub package: String,
    /// The name of its command; the agent's command when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

/// A kind of place that a program comes from.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// The absolute path in its definition, or our own program.
    Explicit,
    Depot,
    Path,
    Nix,
    Oci,
    Archive,
    Github,
    Npm,
    Pypi,
}

impl SourceKind {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Depot => "depot",
            Self::Path => "path",
            Self::Nix => "nix",
            Self::Oci => "oci",
            Self::Archive => "archive",
            Self::Github => "github",
            Self::Npm => "npm",
            Self::Pypi => "pypi",
        }
    }
}

/// What vouches for the bytes that were fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Vouched {
    /// A digest in the definition.
    Definition,
    /// A digest that its publisher or registry states.
    Publisher,
    /// The digest in `agents.lock`.
    Lock,
    /// The encrypted connection alone. The digest is pinned from now on.
    FirstUse,
}

/// A version of an agent in the depot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Installed {
    pub version: String,
    /// Where it was fetched from.
    pub source: SourceKind,
    /// The package, image or address, with its version.
    pub from: String,
    /// `sha256:…` or, of npm, `sha512-…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    pub vouched: Vouched,
    /// Its folder in the depot.
    pub path: String,
    pub installed_at: Timestamp,
    /// It is the one that runs use.
    pub used: bool,
}

/// An installation under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Installing {
    /// Empty until it is known.
    pub version: String,
    /// What is being done, for people.
    pub step: String,
    /// Fetched so far of what is being fetched.
    pub bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
}

impl Distribution {
    /// There is nowhere to fetch it from.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds().is_empty()
    }

    /// The folder of the depot: as said, else made of the first kind that is given.
    #[must_use]
    pub fn publisher(&self) -> String {
        let said = self.publisher.as_deref();
        let owner = |reference: &str| reference.split('/').next().map(str::to_owned);
        let made = said
            .map(str::to_owned)
            .or_else(|| self.github.as_ref().and_then(|one| owner(&one.repository)))
            .or_else(|| self.oci.as_ref().and_then(|one| owner(&one.repository)))
            .or_else(|| self.npm.as_ref().map(|one| scope(&one.package)))
            .or_else(|| self.pypi.as_ref().map(|_| "pypi".to_owned()))
            .unwrap_or_else(|| "other".to_owned());
        let safe = |letter: char| {
            if letter.is_ascii_alphanumeric() || "-_.".contains(letter) {
                letter
            } else {
                '-'
            }
        };
        let made: String = made.chars().take(64).map(safe).collect();
        match made.trim_start_matches(['.', '-']) {
            "" => "other".to_owned(),
            made => made.to_owned(),
        }
    }

    /// The kinds that are given, in the order in which they are tried.
    #[must_use]
    pub fn kinds(&self) -> Vec<SourceKind> {
        let given = [
            (SourceKind::Nix, self.nix.is_some()),
            (SourceKind::Oci, self.oci.is_some()),
            (SourceKind::Archive, !self.archive.is_empty()),
            (SourceKind::Github, self.github.is_some()),
            (SourceKind::Npm, self.npm.is_some()),
            (SourceKind::Pypi, self.pypi.is_some()),
        ];
        given
            .into_iter()
            .filter_map(|(kind, is_given)| is_given.then_some(kind))
            .collect()
    }
}

/// `@scope/name` is its scope's; what has none is the registry's.
fn scope(package: &str) -> String {
    package
        .strip_prefix('@')
        .and_then(|scoped| scoped.split_once('/'))
        .map_or("npm", |(scope, _)| scope)
        .to_owned()
}

/// Fills the placeholders of a text for a version on a platform such as `linux-x86_64`.
#[must_use]
pub fn filled(template: &str, version: &str, platform: &str) -> String {
    let (os, arch) = platform.split_once('-').unwrap_or((platform, ""));
    let (goarch, nodearch) = match arch {
        "x86_64" => ("amd64", "x64"),
        "aarch64" => ("arm64", "arm64"),
        other => (other, other),
    };
    template
        .replace("{version}", version)
        .replace("{os}", os)
        .replace("{arch}", arch)
        .replace("{goarch}", goarch)
        .replace("{nodearch}", nodearch)
}

/// The version in a text that was made of a template, or nothing when the text does not fit.
#[must_use]
pub fn unfilled<'a>(template: &str, text: &'a str) -> Option<&'a str> {
    let (before, after) = template.split_once("{version}")?;
    text.strip_prefix(before)?
        .strip_suffix(after)
        .filter(|version| !version.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Distribution, Package, SourceKind, filled, unfilled};

    #[test]
    fn placeholders_are_filled_and_versions_read_back() {
        let text = filled(
            "hawk_{version}_{os}_{goarch}.tar.gz",
            "1.2.3",
            "linux-x86_64",
        );
        assert_eq!(text, "hawk_1.2.3_linux_amd64.tar.gz");
        assert_eq!(filled("{arch}", "1", "darwin-aarch64"), "aarch64");
        assert_eq!(unfilled("v{version}", "v1.2.3"), Some("1.2.3"));
        assert_eq!(unfilled("hawk@{version}", "hawk@2.0"), Some("2.0"));
        for (template, text) in [("v{version}", "1.2"), ("v{version}", "v"), ("v1", "v1")] {
            assert_eq!(unfilled(template, text), None, "{template} {text}");
        }
    }

    #[test]
    fn kinds_come_in_the_order_of_resolution() {
        let package = Package {
            package: "x".to_owned(),
            program: None,
        };
        let both = Distribution {
            npm: Some(package.clone()),
            pypi: Some(package),
            ..Distribution::default()
        };
        assert_eq!(both.kinds(), [SourceKind::Npm, SourceKind::Pypi]);
        assert_eq!(both.publisher(), "npm");
        assert!(Distribution::default().is_empty());
        for (said, folder) in [
            ("..", "other"),
            ("../x", "-x"),
            ("host:5000", "host-5000"),
            (".a", "a"),
        ] {
            let one = Distribution {
                publisher: Some(said.to_owned()),
                ..Distribution::default()
            };
            let made = one.publisher();
            assert!(!made.contains('/') && !made.starts_with('.'), "{made}");
            assert_eq!(
                made.trim_start_matches('-'),
                folder.trim_start_matches('-'),
                "{said}"
            );
        }
    }
}
