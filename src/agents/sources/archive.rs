//! A file on a web server.

use super::{Made, Site, Source, Workplace, fits, is_own, missing, on_disk, program};
use crate::{
    agents::fetch::{
        Digest, Wanted,
        unpack::{Bounds, unpack},
    },
    domain::{
        distribution::{Archive, SourceKind, Vouched, filled},
        fault::Fault,
        version::Version,
    },
};
use async_trait::async_trait;

/// Absent where there is none for this platform.
#[derive(Debug)]
pub(super) struct OnTheWeb(pub(super) Option<Archive>);

/// A file to be fetched and unpacked, by whichever source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parcel<'a> {
    pub(super) url: &'a str,
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) digest: Option<&'a Digest>,
    /// As people know it.
    pub(super) name: &'a str,
    pub(super) program: Option<&'a str>,
}

#[async_trait]
impl Source for OnTheWeb {
    fn kind(&self) -> SourceKind {
        SourceKind::Archive
    }

    async fn newest(&self, site: &Site) -> Result<Version, Fault> {
        // A web server has no list: the definition's own version is all that is known.
        let known = site.definition.version.as_deref();
        known.map_or_else(
            || {
                Err(
                    missing("an archive's address does not say which versions there are")
                        .hint("name one: <agent>@<version>"),
                )
            },
            Version::parse,
        )
    }

    async fn make(&self, site: &Site, version: &Version, at: &Workplace) -> Result<Made, Fault> {
        let archive = self
            .0
            .as_ref()
            .ok_or_else(|| missing(format!("there is none for {}", site.platform)))?;
        let is_own = is_own(site, version);
        fits(site, version, &archive.url)?;
        let digest = archive
            .sha256
            .as_deref()
            .filter(|_| is_own)
            .map(Digest::parse)
            .transpose()?;
        let url = filled(&archive.url, version.as_str(), &site.platform);
        let parcel = Parcel {
            url: &url,
            headers: &[],
            digest: digest.as_ref(),
            name: &url,
            program: archive.program.as_deref(),
        };
        let vouched = match digest {
            Some(_) => Vouched::Definition,
            None => Vouched::FirstUse,
        };
        take(site, version, at, parcel, vouched).await
    }
}

/// Fetches a file, unpacks it, and finds the program.
pub(super) async fn take(
    site: &Site,
    version: &Version,
    at: &Workplace,
    parcel: Parcel<'_>,
    vouched: Vouched,
) -> Result<Made, Fault> {
    let file = at.work.join("archive");
    site.progress.step(format!("fetches {}", parcel.name));
    let wanted = Wanted {
        url: parcel.url,
        headers: parcel.headers,
        digest: parcel.digest,
        progress: &site.progress,
    };
    let found = site.fetcher.file(wanted, &file).await?;
    site.progress.step("unpacks it");
    let bounds = Bounds::of(site.fetcher.pace().bytes);
    let (tree, plain) = (at.tree.clone(), site.definition.launch.command.clone());
    on_disk(move || unpack(&file, &tree, &plain, bounds).map(drop)).await?;
    Ok(Made {
        from: parcel.name.to_owned(),
        digest: Some(found.to_string()),
        vouched,
        is_native: true,
        program: program::find(site, version, parcel.program, &at.tree)?,
        interpreter: None,
    })
}
