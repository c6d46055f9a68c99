//! One set of statements: one writer task, a few readers, on whichever database.
//!
//! Reads go to a pool of read-only connections. Every write is a value ([`writer::Write`]) sent to the one task that owns the one writing
//! connection; it takes what has gathered meanwhile into one transaction, commits (WAL, `synchronous=FULL`), and only then answers. So an
//! answer means "synced", a lone caller waits for no timer, and many callers share one sync.
//!
//! A limit is written `$1+0`: SQLite looks at the value of a bare one, and so plans the statement anew whenever it is bound.

mod connection;
mod cursor;
mod events;
mod instances;
mod log;
mod moment;
mod page;
mod projects;
mod requests;
mod row;
mod runs;
mod settle;
mod sqlite;
mod tx;
mod value;
mod words;
mod writer;

use super::{Close, Redactor, Store, StoreError};
use async_trait::async_trait;
use connection::{Readers, Target};

use std::{path::Path, sync::Arc};
use tokio::sync::broadcast;

/// Changes that a slow receiver may fall behind by before it must look at everything it waits for.
const CHANGES_KEPT: usize = 1024;

/// What a store is opened with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many sessions of one class may be leased at once.
    pub default_cap: u32,
    /// How many cold attempts there may be at once, over all classes.
    pub cold_cap: u32,
    /// Where more than so many wait for a slot of their class, some are leased beyond its slots, as cold attempts; `None`: all wait.
    pub overflow: Option<u32>,
    /// The file may not grow above so many pages of 4 KiB; `None`: above what the disk holds.
    pub max_pages: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_cap: 4,
            cold_cap: 2,
            overflow: None,
            max_pages: None,
        }
    }
}

/// What each aggregate of the store works with.
#[derive(Clone, Debug)]
struct Base {
    writer: writer::Writer,
    readers: Readers,
    redactor: Arc<Redactor>,
}

impl Base {
    async fn set_caps(&self, class: u32, cold: Option<u32>) -> Result<(), StoreError> {
        let caps = runs::caps::SetCaps { class, cold };
        self.writer.send(caps).await
    }
}

/// Opens the database at `path`, created (0600) if it is not there. An older schema is backed up to `<path>.backup-<schema>` and brought
/// up to date; the caller holds the lock of the home, so nobody else migrates.
///
/// # Errors
/// `TooNew`, before anything is written, when a newer binary has migrated it; `Unavailable` when it cannot be opened, or lies on a network
/// file system.
pub async fn open_sqlite(path: &Path, settings: Settings) -> Result<Store, StoreError> {
    sqlite::file::prepare(path)?;
    sqlite::schema::bring_up_to_date(path).await?;
    let readers = Readers::Sqlite(sqlite::connect::readers(path));
    let target = Target::Sqlite(sqlite::connect::writer(path, settings.max_pages));
    start(target, readers, settings).await
}

async fn start(target: Target, readers: Readers, settings: Settings) -> Result<Store, StoreError> {
    let (changes, _) = broadcast::channel(CHANGES_KEPT);
    let writer = writer::start(target, changes.clone()).await?;
    let base = Base {
        writer,
        readers,
        redactor: Arc::new(Redactor::default()),
    };
    let (class, cold) = (settings.default_cap, settings.cold_cap);
    base.set_caps(class, Some(cold)).await?;
    let store = Store {
        runs: Arc::new(runs::SqlRuns {
            base: base.clone(),
            overflow: settings.overflow,
        }),
        requests: Arc::new(requests::SqlRequests(base.clone())),
        instances: Arc::new(instances::SqlInstances(base.clone())),
        projects: Arc::new(projects::SqlProjects(base.clone())),
        events: Arc::new(events::SqlEvents(base.clone())),
        changes,
        redactor: Arc::clone(&base.redactor),
        closer: Arc::new(Closer(base)),
    };
    Ok(store)
}

#[derive(Debug)]
struct Closer(Base);

#[async_trait]
impl Close for Closer {
    async fn close(&self) {
        // Readers first: the last connection to close folds the WAL into the file, and only the writer may write.
        self.0.readers.close().await;
        self.0.writer.close().await;
    }
}
