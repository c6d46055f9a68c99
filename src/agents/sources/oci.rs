//! An image of an OCI registry: its index, its manifest, its layers.
//!
//! The client of the registry's authors finds out who lets us in; what is then fetched comes by our own downloads, which are bounded and
//! taken up where they broke off.

use super::{
    Made, Site, Source, Workplace, docker_config, fits, missing, on_disk, program, unavailable,
};
use crate::{
    agents::fetch::{
        Digest, Wanted,
        unpack::{Bounds, unpack},
    },
    domain::{
        distribution::{OciImage, SourceKind, Vouched, filled, unfilled},
        fault::{ErrorKind, Fault},
        version::Version,
    },
};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oci_client::{
    Client, Reference, RegistryOperation,
    client::{ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    manifest::{
        IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
        OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageIndex, OciImageManifest, OciManifest,
    },
    secrets::RegistryAuth,
};
use serde::Deserialize;
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// Of a manifest or a page of tags: the largest that registries take.
const MOST: usize = 4 << 20;
/// More layers has no image.
const LAYERS: usize = 128;
/// Pages of tags that are read.
const PAGES: usize = 50;
/// Under it an artifact's tools keep the name of its file.
const TITLE: &str = "org.opencontainers.image.title";

#[derive(Debug)]
pub(super) struct Oci(pub(super) OciImage);

/// A repository that lets us in.
#[derive(Debug)]
struct Door<'a> {
    site: &'a Site,
    /// `https://registry/v2/repository`.
    base: String,
    headers: Vec<(&'static str, String)>,
}

#[derive(Debug, Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Oci {
    fn tag(&self) -> &str {
        self.0.tag.as_deref().unwrap_or("{version}")
    }

    async fn enter<'a>(&self, site: &'a Site, tag: &str) -> Result<Door<'a>, Fault> {
        let whole = format!("{}:{tag}", self.0.repository);
        let reference: Reference = whole
            .parse()
            .map_err(|error| Fault::invalid("oci.repository", format!("{whole:?}: {error}")))?;
        let registry = reference.resolve_registry();
        let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
        let is_near = host == "localhost" || host.starts_with("127.");
        let auth = docker_config::auth(site, registry);
        let token = token(site, &reference, &auth, is_near).await?;
        let said = match (&auth, token) {
            (_, Some(token)) => Some(format!("Bearer {token}")),
            (RegistryAuth::Basic(user, password), None) => Some(format!(
                "Basic {}",
                STANDARD.encode(format!("{user}:{password}"))
            )),
            (RegistryAuth::Bearer(token), None) => Some(format!("Bearer {token}")),
            (RegistryAuth::Anonymous, None) => None,
        };
        let scheme = if is_near { "http" } else { "https" };
        Ok(Door {
            site,
            base: format!("{scheme}://{registry}/v2/{}", reference.repository()),
            headers: said
                .map(|said| ("authorization", said))
                .into_iter()
                .collect(),
        })
    }
}

#[async_trait]
impl Source for Oci {
    fn kind(&self) -> SourceKind {
        SourceKind::Oci
    }

    async fn newest(&self, site: &Site) -> Result<Version, Fault> {
        site.progress
            .step(format!("asks for the tags of {}", self.0.repository));
        let door = self.enter(site, "latest").await?;
        let tags = door.tags().await?;
        let versions = tags.iter().filter_map(|tag| {
            let version = Version::parse(unfilled(self.tag(), tag)?).ok()?;
            // What is asked for is a tag made of the version.
            let asked = filled(self.tag(), version.as_str(), &site.platform);
            (asked == *tag).then_some(version)
        });
        Version::newest(versions).ok_or_else(|| {
            missing(format!(
                "{} has no tag that is a version",
                self.0.repository
            ))
        })
    }

    async fn make(&self, site: &Site, version: &Version, at: &Workplace) -> Result<Made, Fault> {
        fits(site, version, self.tag())?;
        let tag = filled(self.tag(), version.as_str(), &site.platform);
        site.progress
            .step(format!("asks for {}:{tag}", self.0.repository));
        let door = self.enter(site, &tag).await?;
        let (manifest, digest) = door.manifest(&tag).await?;
        if manifest.layers.is_empty() || manifest.layers.len() > LAYERS {
            return Err(missing(format!("it has {} layers", manifest.layers.len())));
        }
        // Of the image, however many layers it comes in.
        let mut bounds = Bounds::of(site.fetcher.pace().bytes);
        for (number, layer) in manifest.layers.iter().enumerate() {
            site.progress.step(format!(
                "fetches layer {} of {}",
                number + 1,
                manifest.layers.len()
            ));
            let file = at.work.join(format!("layer-{number}"));
            bounds = door.layer(layer, &file, &at.tree, bounds).await?;
        }
        Ok(Made {
            from: format!("{}:{tag}", self.0.repository),
            digest: Some(digest.to_string()),
            vouched: Vouched::Publisher,
            is_native: true,
            program: program::find(site, version, self.0.program.as_deref(), &at.tree)?,
            interpreter: None,
        })
    }
}

impl Door<'_> {
    async fn tags(&self) -> Result<Vec<String>, Fault> {
        let mut all = Vec::new();
        let mut last = String::new();
        for _ in 0..PAGES {
            let url = format!("{}/tags/list?n=1000{last}", self.base);
            let (body, heads) = self.site.fetcher.small(&url, &self.headers, MOST).await?;
            let page: Tags =
                serde_json::from_slice(&body).map_err(|error| strange(&self.base, &error))?;
            let tags = page.tags.unwrap_or_default();
            let Some(end) = tags.last().cloned() else {
                break;
            };
            all.extend(tags);
            if heads.get("link").is_none() {
                break;
            }
            last = format!("&last={end}");
        }
        Ok(all)
    }

    /// The manifest for this platform, by way of an index where there is one, and its digest.
    async fn manifest(&self, tag: &str) -> Result<(OciImageManifest, Digest), Fault> {
        let (first, digest) = self.described(tag, None).await?;
        let index = match first {
            OciManifest::Image(manifest) => return Ok((manifest, digest)),
            OciManifest::ImageIndex(index) => index,
        };
        let inner = self.fitting(&index)?;
        match self.described(inner.as_str(), Some(&inner)).await? {
            (OciManifest::Image(manifest), digest) => Ok((manifest, digest)),
            (OciManifest::ImageIndex(_), _) => Err(missing("its index leads to an index")),
        }
    }

    async fn described(
        &self,
        what: &str,
        promised: Option<&Digest>,
    ) -> Result<(OciManifest, Digest), Fault> {
        let url = format!("{}/manifests/{what}", self.base);
        let kinds = [
            OCI_IMAGE_INDEX_MEDIA_TYPE,
            IMAGE_MANIFEST_LIST_MEDIA_TYPE,
            OCI_IMAGE_MEDIA_TYPE,
            IMAGE_MANIFEST_MEDIA_TYPE,
        ];
        let mut headers = self.headers.clone();
        headers.push(("accept", kinds.join(", ")));
        let (body, heads) = self.site.fetcher.small(&url, &headers, MOST).await?;
        let stated = heads
            .get("docker-content-digest")
            .and_then(|value| value.to_str().ok());
        let stated = stated.map(Digest::parse).transpose()?;
        for promised in promised.into_iter().chain(&stated) {
            let mut hasher = crate::agents::fetch::Hasher::new(Some(promised));
            hasher.update(&body);
            let found = hasher.finish();
            if found != *promised {
                return Err(promised.differs(&url, &found));
            }
        }
        let digest = promised
            .cloned()
            .or(stated)
            .unwrap_or_else(|| Digest::of(&body));
        let manifest = serde_json::from_slice(&body).map_err(|error| strange(&url, &error))?;
        Ok((manifest, digest))
    }

    fn fitting(&self, index: &OciImageIndex) -> Result<Digest, Fault> {
        let os_arch = filled("{os}/{goarch}", "", &self.site.platform);
        let named = index.manifests.iter().filter_map(|entry| {
            let platform = entry.platform.as_ref()?;
            Some((
                format!("{}/{}", platform.os, platform.architecture),
                &entry.digest,
            ))
        });
        let named: Vec<_> = named.collect();
        if let Some((_, digest)) = named.iter().find(|(name, _)| *name == os_arch) {
            return Digest::parse(digest);
        }
        let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
        Err(missing(format!(
            "there is none for {os_arch}, only for {}",
            names.join(", ")
        )))
    }

    async fn layer(
        &self,
        layer: &OciDescriptor,
        file: &Path,
        tree: &Path,
        bounds: Bounds,
    ) -> Result<Bounds, Fault> {
        let digest = Digest::parse(&layer.digest)?;
        let url = format!("{}/blobs/{digest}", self.base);
        let wanted = Wanted {
            url: &url,
            headers: &self.headers,
            digest: Some(&digest),
            progress: &self.site.progress,
        };
        self.site.fetcher.file(wanted, file).await?;
        let title = layer
            .annotations
            .as_ref()
            .and_then(|all| all.get(TITLE))
            .cloned();
        let plain = title.unwrap_or_else(|| self.site.definition.launch.command.clone());
        let (file, tree) = (file.to_owned(), tree.to_owned());
        on_disk(move || {
            let left = unpack(&file, &tree, &plain, bounds)?;
            drop(std::fs::remove_file(&file));
            Ok(left)
        })
        .await
    }
}

/// Answers the registry's challenge, where it makes one.
async fn token(
    site: &Site,
    reference: &Reference,
    auth: &RegistryAuth,
    is_near: bool,
) -> Result<Option<String>, Fault> {
    let pace = site.fetcher.pace();
    let proxy = |name: &str| site.tools.value(name).map(str::to_owned);
    let protocol = if is_near {
        ClientProtocol::Http
    } else {
        ClientProtocol::Https
    };
    let config = ClientConfig {
        protocol,
        read_timeout: Some(pace.stall),
        connect_timeout: Some(pace.stall.min(Duration::from_secs(10))),
        https_proxy: proxy("https_proxy").or_else(|| proxy("HTTPS_PROXY")),
        http_proxy: proxy("http_proxy"),
        no_proxy: proxy("no_proxy").or_else(|| proxy("NO_PROXY")),
        ..ClientConfig::default()
    };
    let client = Client::try_from(config).map_err(Fault::internal)?;
    let mut pause = pace.pause;
    let mut tries = 1;
    loop {
        let asked = timeout(
            pace.stall,
            client.auth(reference, auth, RegistryOperation::Pull),
        )
        .await;
        let why = match asked {
            Ok(Ok(token)) => return Ok(token),
            Ok(Err(OciDistributionError::RequestError(error))) => {
                let mut why: &dyn std::error::Error = &error;
                while let Some(inner) = why.source() {
                    why = inner;
                }
                why.to_string()
            }
            Ok(Err(error)) => {
                return Err(unavailable(format!(
                    "{} does not let us in: {error}",
                    reference.resolve_registry()
                ))
                .hint("log in to it with `docker login`, or look whether it is public"));
            }
            Err(_elapsed) => format!("nothing came for {} s", pace.stall.as_secs_f32()),
        };
        if tries >= pace.tries {
            return Err(unavailable(format!(
                "{} cannot be reached: {why}",
                reference.resolve_registry()
            )));
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
        tries += 1;
    }
}

fn strange(url: &str, error: &serde_json::Error) -> Fault {
    Fault::new(
        ErrorKind::ArtifactMissing,
        format!("{url} answered something else: {error}"),
    )
}
