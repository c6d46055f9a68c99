//! An installation, from what is asked for to a version in the depot that is pinned.

use super::{
    depot::{Claim, Depot, Held, Pin, Receipt, told},
    sources::{self, Made, Site, Source, Workplace},
};
use crate::{
    domain::{
        distribution::{SourceKind, Vouched},
        fault::{ErrorKind, Fault},
        time::Timestamp,
        version::Version,
    },
    stdx::clock,
};

/// Which version is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The pinned one, else the definition's, else the newest.
    Usual,
    Exact(Version),
    /// The newest in the depot, else the newest that can be fetched.
    Latest,
    /// The newest that can be fetched.
    Newer,
}

/// Sees to it that a version is in the depot, and pins it. `goes_out` false fetches nothing.
///
/// # Errors
/// `store_unavailable`, `artifact_missing`, `digest_mismatch`, `too_large`, each with what every source says; `agent_not_found` for an agent
/// that comes from nowhere.
pub async fn install(
    depot: &Depot,
    site: &Site,
    asked: &Asked,
    goes_out: bool,
) -> Result<Held, Fault> {
    let definition = &site.definition;
    let sources = sources::of(definition, &site.platform);
    let version = choose(depot, site, asked, goes_out.then_some(sources.as_slice())).await?;
    site.progress.version(version.as_str());
    if let Some(held) = whole(depot, site, &version)? {
        return pinned(depot, site, held);
    }
    if sources.is_empty() {
        return Err(from_nowhere(site));
    }
    if !goes_out {
        return Err(Fault::new(
            ErrorKind::ArtifactMissing,
            format!(
                "agent \"{}\" {} is not in the depot, and nothing is fetched: `agent.source` is local",
                definition.id,
                version.as_str()
            ),
        ));
    }
    depot.tidy();
    let waits = || {
        let step = "waits for another process that installs it";
        site.progress.step(step);
    };
    let claim = depot.claim(definition, &version, waits).await?;
    if let Some(held) = whole(depot, site, &version)? {
        return pinned(depot, site, held);
    }
    fetched(depot, site, &sources, claim).await?;
    let held = whole(depot, site, &version)?;
    let held = held.ok_or_else(|| Fault::internal("what was installed is not there"))?;
    pinned(depot, site, held)
}

/// Has one source after the other make the version, to the first that can.
async fn fetched(
    depot: &Depot,
    site: &Site,
    sources: &[Box<dyn Source>],
    claim: Claim,
) -> Result<(), Fault> {
    let (definition, version) = (&site.definition, claim.version().clone());
    let mut said = Vec::new();
    for source in sources {
        let aside = depot.aside()?;
        let at = Workplace {
            tree: aside.tree(),
            work: aside.work(),
        };
        match make(depot, site, source.as_ref(), &version, &at).await {
            Ok(receipt) => {
                site.progress.step("puts it into its place");
                let (placing, definition) = (depot.clone(), definition.clone());
                let placed = tokio::task::spawn_blocking(move || {
                    placing.place(&claim, aside, &definition, &receipt)
                });
                return placed.await.map_err(Fault::internal)?.map(drop);
            }
            // What somebody may have tampered with is not made good by another source.
            Err(fault) if fault.kind == ErrorKind::DigestMismatch => return Err(fault),
            Err(fault) => said.push((source.kind(), fault)),
        }
    }
    let name = format!("agent \"{}\" {}", definition.id, version.as_str());
    Err(together(&format!("{name} cannot be installed"), said))
}

async fn choose(
    depot: &Depot,
    site: &Site,
    asked: &Asked,
    sources: Option<&[Box<dyn Source>]>,
) -> Result<Version, Fault> {
    let local = || {
        let versions = depot.versions(&site.definition).into_iter();
        Version::newest(versions.map(|held| held.version))
    };
    match asked {
        Asked::Exact(version) => return Ok(version.clone()),
        Asked::Usual => {
            let pin = depot.lock_file().pin(&site.definition.id)?;
            let known = pin
                .map(|pin| pin.version)
                .or_else(|| site.definition.version.clone());
            if let Some(known) = known {
                return Version::parse(&known);
            }
        }
        Asked::Latest | Asked::Newer => {}
    }
    if *asked != Asked::Newer
        && let Some(found) = local()
    {
        return Ok(found);
    }
    match sources {
        None => local().ok_or_else(|| {
            Fault::new(
                ErrorKind::ArtifactMissing,
                format!("no version of agent \"{}\" is in the depot, and nobody is asked: `agent.source` is local", site.definition.id),
            )
        }),
        Some([]) => Err(from_nowhere(site)),
        Some(sources) => newest(site, sources).await,
    }
}

async fn newest(site: &Site, sources: &[Box<dyn Source>]) -> Result<Version, Fault> {
    let mut said = Vec::new();
    for source in sources {
        match source.newest(site).await {
            Ok(version) => return Ok(version),
            Err(fault) => said.push((source.kind(), fault)),
        }
    }
    Err(together(
        &format!(
            "the newest version of agent \"{}\" is not known",
            site.definition.id
        ),
        said,
    ))
}

/// The version, if it is in the depot, can be started, and is what is pinned.
fn whole(depot: &Depot, site: &Site, version: &Version) -> Result<Option<Held>, Fault> {
    let Some(held) = depot.version(&site.definition, version) else {
        return Ok(None);
    };
    if held.receipt.program(&held.folder).is_err() {
        return Ok(None);
    }
    let receipt = &held.receipt;
    as_pinned(
        depot,
        site,
        version,
        receipt.source,
        receipt.digest.as_deref(),
    )?;
    Ok(Some(held))
}

/// One source's try, up to the receipt.
async fn make(
    depot: &Depot,
    site: &Site,
    source: &dyn Source,
    version: &Version,
    at: &Workplace,
) -> Result<Receipt, Fault> {
    let made = source.make(site, version, at).await?;
    let is_pinned = as_pinned(depot, site, version, source.kind(), made.digest.as_deref())?;
    Ok(receipt(site, source.kind(), version, made, is_pinned))
}

fn receipt(
    site: &Site,
    source: SourceKind,
    version: &Version,
    made: Made,
    is_pinned: bool,
) -> Receipt {
    let vouched = if made.vouched == Vouched::FirstUse && is_pinned {
        Vouched::Lock
    } else {
        made.vouched
    };
    Receipt {
        agent: site.definition.id.clone(),
        version: version.as_str().to_owned(),
        source,
        from: made.from,
        digest: made.digest,
        vouched,
        platform: made.is_native.then(|| site.platform.clone()),
        program: made.program,
        interpreter: made.interpreter,
        installed_at: Timestamp(clock::now_ms()),
    }
}

/// Compares with the pin of the same version from the same source. Answers whether there is one with a digest.
fn as_pinned(
    depot: &Depot,
    site: &Site,
    version: &Version,
    source: SourceKind,
    digest: Option<&str>,
) -> Result<bool, Fault> {
    let Some(pin) = depot.lock_file().pin(&site.definition.id)? else {
        return Ok(false);
    };
    let is_here = pin
        .platform
        .as_ref()
        .is_none_or(|platform| *platform == site.platform);
    let Some(promised) = pin
        .digest
        .filter(|_| pin.version == version.as_str() && pin.source == source && is_here)
    else {
        return Ok(false);
    };
    if digest == Some(promised.as_str()) {
        return Ok(true);
    }
    Err(Fault::new(
        ErrorKind::DigestMismatch,
        format!(
            "agent \"{}\" {} is {}, and agents.lock pins {promised}",
            site.definition.id,
            version.as_str(),
            digest.unwrap_or("without a digest")
        ),
    )
    .hint("if its publisher says that it was replaced, remove its entry from agents.lock and install it again"))
}

fn pinned(depot: &Depot, site: &Site, held: Held) -> Result<Held, Fault> {
    let receipt = &held.receipt;
    let pin = Pin {
        version: receipt.version.clone(),
        source: receipt.source,
        from: receipt.from.clone(),
        digest: receipt.digest.clone(),
        platform: receipt.platform.clone(),
    };
    if depot.lock_file().pin(&site.definition.id)?.as_ref() != Some(&pin) {
        depot.lock_file().set(&site.definition.id, Some(pin))?;
    }
    Ok(held)
}

fn from_nowhere(site: &Site) -> Fault {
    let fault = Fault::new(
        ErrorKind::AgentNotFound,
        format!(
            "the definition of agent \"{}\" does not say where it can be had",
            site.definition.id
        ),
    );
    match &site.definition.install {
        Some(how) => fault.hint(format!("install it yourself: {how}")),
        None => fault.hint("add a `[distribution]` to it"),
    }
}

/// What every source says, under the kind of the one that came nearest: what exists and cannot be had before what does not exist.
fn together(what: &str, mut said: Vec<(SourceKind, Fault)>) -> Fault {
    if said.len() == 1
        && let Some((kind, fault)) = said.pop()
    {
        return Fault {
            detail: format!("{what}: {}", told(kind, &fault)),
            ..fault
        };
    }
    let rank = |kind: ErrorKind| {
        let order = [ErrorKind::StoreUnavailable, ErrorKind::ArtifactMissing];
        order
            .iter()
            .position(|one| *one == kind)
            .map_or(0, |at| at + 1)
    };
    let kind = said
        .iter()
        .map(|(_, fault)| fault.kind)
        .min_by_key(|kind| rank(*kind));
    let hint = said.iter().find_map(|(_, fault)| fault.hint.clone());
    let words: Vec<String> = said
        .iter()
        .map(|(kind, fault)| told(*kind, fault))
        .collect();
    let fault = Fault::new(
        kind.unwrap_or(ErrorKind::ArtifactMissing),
        format!("{what}: {}", words.join("; ")),
    );
    match hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}
