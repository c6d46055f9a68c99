//! What a person does to the store from outside: no hub is started for it.

use super::{lock, retention, work};
use crate::{
    config::{Settings, StoreUrl},
    domain::fault::{ErrorKind, Fault},
    store::{
        StoreError,
        sql::{self, Findings, Moved},
    },
};
use std::path::{Path, PathBuf};

/// Looks at the whole database, also while a hub uses it, and changes nothing.
///
/// # Errors
/// `not_found` without a database; `invalid_params` where the store is PostgreSQL; `database_unavailable`.
pub async fn check(settings: &Settings) -> Result<Findings, Fault> {
    Ok(sql::check_sqlite(file(settings)?).await?)
}

/// Writes a copy of the database to `target`, also while a hub uses it.
///
/// # Errors
/// As [`check`]; `name_exists` when something has that name.
pub async fn back_up(settings: &Settings, target: &Path) -> Result<(), Fault> {
    let done = sql::back_up_sqlite(file(settings)?, target).await;
    if let Err(StoreError::NameExists(name)) = done {
        let fault = Fault::new(ErrorKind::NameExists, format!("{name} is there already"));
        return Err(fault.hint("choose another name: a backup replaces nothing"));
    }
    Ok(done?)
}

/// Puts a copy of the backup at `source` in the place of the database; answers where the one that was there is now.
///
/// # Errors
/// As [`check`]; `busy` while a hub has the home.
pub async fn restore(settings: &Settings, source: &Path) -> Result<Option<PathBuf>, Fault> {
    let database = file(settings)?;
    let owned = lock::take(settings)?.ok_or_else(|| busy(settings))?;
    let aside = sql::restore_sqlite(database, source).await;
    drop(owned);
    Ok(aside?)
}

/// Removes runs that were kept as long as is set; answers how many. `None`: they are kept for ever.
///
/// # Errors
/// `busy` while a hub has the home, unless the store is PostgreSQL; those of the store.
pub async fn prune(settings: &Settings) -> Result<Option<u64>, Fault> {
    let kept = i64::try_from(settings.runs.retention_ms).ok();
    let Some(kept) = kept.filter(|ms| *ms > 0) else {
        return Ok(None);
    };
    let owned = match settings.store_url {
        Some(_) => None,
        None => Some(lock::take(settings)?.ok_or_else(|| busy(settings))?),
    };
    let store = work::opened(settings).await?;
    let gone = retention::remove(&store, kept).await;
    store.closer.close().await;
    drop(owned);
    Ok(Some(gone?))
}

/// Moves everything in the home's own database to an empty PostgreSQL database. The file stays as it is, and the settings are the person's to
/// change.
///
/// # Errors
/// `busy` while a hub has the home or an attempt a run, `in_use` when the target is not empty; else as [`check`].
pub async fn transfer(settings: &Settings, url: &StoreUrl) -> Result<Moved, Fault> {
    let database = file(settings)?;
    let owned = lock::take(settings)?.ok_or_else(|| taken(settings))?;
    let moved = sql::transfer(database, url.expose()).await;
    drop(owned);
    Ok(moved?)
}

fn file(settings: &Settings) -> Result<&Path, Fault> {
    if settings.store_url.is_none() {
        return Ok(&settings.database);
    }
    let fault = Fault::invalid("store.url", "names a PostgreSQL database");
    Err(fault.hint("use its own programs: pg_amcheck, pg_dump, pg_restore"))
}

fn taken(settings: &Settings) -> Fault {
    let detail = format!("another process owns the home {}", settings.home.display());
    Fault::new(ErrorKind::Busy, detail).hint("end it with `eyas hub stop`")
}

fn busy(settings: &Settings) -> Fault {
    let detail = format!("another process owns the home {}", settings.home.display());
    Fault::new(ErrorKind::Busy, detail)
        .hint("`eyas hub stop` ends the hub, which removes old runs by itself every 6 hours")
}
