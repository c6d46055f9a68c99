//! The releases of a repository on GitHub, or of what speaks as it does.

use super::{
    Made, Site, Source, Workplace,
    archive::{Parcel, take},
    fits, missing, unavailable,
};
use crate::{
    agents::fetch::Digest,
    domain::{
        distribution::{GithubRelease, SourceKind, Vouched, filled, unfilled},
        fault::{ErrorKind, Fault},
        version::Version,
    },
};
use async_trait::async_trait;
use serde::{Deserialize, de::DeserializeOwned};

/// Of one answer of the API, and of a file of checksums.
const MOST: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct Github(pub(super) GithubRelease);

#[derive(Debug, Deserialize)]
struct Release {
    tag_name: String,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    prerelease: bool,
    #[serde(default)]
    assets: Vec<Asset>,
}

#[derive(Clone, Debug, Deserialize)]
struct Asset {
    name: String,
    /// Of the API, which takes a token.
    url: String,
    browser_download_url: String,
    #[serde(default)]
    digest: Option<String>,
}

impl Github {
    fn tag(&self) -> &str {
        self.0.tag.as_deref().unwrap_or("v{version}")
    }

    async fn ask<T: DeserializeOwned>(&self, site: &Site, path: &str) -> Result<T, Fault> {
        let repository = self.0.repository.as_str();
        let is_plain = |part: &str| {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
            !part.is_empty() && part.chars().all(plain) && !part.starts_with('.')
        };
        if !repository
            .split_once('/')
            .is_some_and(|(owner, name)| is_plain(owner) && is_plain(name))
        {
            return Err(Fault::invalid("github.repository", "must be owner/name"));
        }
        let api = site.github_api.trim_end_matches('/');
        let url = format!("{api}/repos/{repository}/{path}");
        let mut headers = login(site);
        headers.push(("accept", "application/vnd.github+json".to_owned()));
        let (body, _) = site.fetcher.small(&url, &headers, MOST).await?;
        serde_json::from_slice(&body)
            .map_err(|error| unavailable(format!("{url} answered something else: {error}")))
    }

    /// What the release says that a file of it must be.
    async fn promised(
        &self,
        site: &Site,
        release: &Release,
        asset: &Asset,
        version: &Version,
    ) -> Result<Option<Digest>, Fault> {
        let Some(name) = &self.0.checksums else {
            return asset.digest.as_deref().map(Digest::parse).transpose();
        };
        let name = filled(name, version.as_str(), &site.platform);
        let sums = one(release, &name)?;
        let (url, headers) = reach(site, &sums);
        let (text, _) = site.fetcher.small(&url, &headers, MOST).await?;
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().find_map(|line| {
            let (sum, of) = line.trim().split_once(char::is_whitespace)?;
            (of.trim_start().trim_start_matches('*') == asset.name).then(|| Digest::parse(sum))
        });
        line.unwrap_or_else(|| Err(missing(format!("{name} says nothing of {}", asset.name))))
            .map(Some)
    }
}

#[async_trait]
impl Source for Github {
    fn kind(&self) -> SourceKind {
        SourceKind::Github
    }

    async fn newest(&self, site: &Site) -> Result<Version, Fault> {
        site.progress
            .step(format!("asks {} for its releases", self.0.repository));
        let releases: Vec<Release> = self.ask(site, "releases?per_page=100").await?;
        let versions = |early: bool| {
            let fit = releases
                .iter()
                .filter(|one| !one.draft && one.prerelease == early);
            let known = fit.filter_map(|one| {
                let version = Version::parse(unfilled(self.tag(), &one.tag_name)?).ok()?;
                // What is asked for is a tag made of the version.
                let asked = filled(self.tag(), version.as_str(), &site.platform);
                (asked == one.tag_name).then_some(version)
            });
            Version::newest(known)
        };
        versions(false).or_else(|| versions(true)).ok_or_else(|| {
            missing(format!(
                "{} has no release with a tag like {}",
                self.0.repository,
                self.tag()
            ))
        })
    }

    async fn make(&self, site: &Site, version: &Version, at: &Workplace) -> Result<Made, Fault> {
        fits(site, version, self.tag())?;
        let tag = filled(self.tag(), version.as_str(), &site.platform);
        let release: Release = self
            .ask(site, &format!("releases/tags/{tag}"))
            .await
            .map_err(|fault| {
                if fault.kind == ErrorKind::ArtifactMissing {
                    missing(format!("{} has no release {tag}", self.0.repository))
                } else {
                    fault
                }
            })?;
        let name = filled(&self.0.asset, version.as_str(), &site.platform);
        let asset = one(&release, &name)?;
        let digest = self.promised(site, &release, &asset, version).await?;
        let (url, headers) = reach(site, &asset);
        let from = format!("{}@{tag}: {name}", self.0.repository);
        let parcel = Parcel {
            url: &url,
            headers: &headers,
            digest: digest.as_ref(),
            name: &from,
            program: self.0.program.as_deref(),
        };
        let vouched = match digest {
            Some(_) => Vouched::Publisher,
            None => Vouched::FirstUse,
        };
        take(site, version, at, parcel, vouched).await
    }
}

fn one(release: &Release, name: &str) -> Result<Asset, Fault> {
    let found = release.assets.iter().find(|asset| asset.name == name);
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = release
            .assets
            .iter()
            .map(|asset| asset.name.as_str())
            .collect();
        missing(format!(
            "release {} has no file {name}; it has {}",
            release.tag_name,
            names.join(", ")
        ))
    })
}

/// With a token by way of the API, which knows private files; without one where everybody goes.
fn reach(site: &Site, asset: &Asset) -> (String, Vec<(&'static str, String)>) {
    let mut headers = login(site);
    if headers.is_empty() {
        return (asset.browser_download_url.clone(), headers);
    }
    headers.push(("accept", "application/octet-stream".to_owned()));
    (asset.url.clone(), headers)
}

fn login(site: &Site) -> Vec<(&'static str, String)> {
    let token = ["GITHUB_TOKEN", "GH_TOKEN"]
        .iter()
        .find_map(|name| site.tools.value(name));
    token
        .map(|token| ("authorization", format!("Bearer {token}")))
        .into_iter()
        .collect()
}
