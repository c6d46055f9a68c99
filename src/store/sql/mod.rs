//! One set of statements: one writer task, a few readers, on whichever database.
//!
//! Reads go to a pool of read-only connections. Every write is a value ([`writer::Write`]) sent to the one task that owns the one writing
//! connection; it takes what has gathered meanwhile into one transaction, commits, and only then answers. So an
//! answer means "synced", a lone caller waits for no timer, and many callers share one sync.
//!
//! A limit is written `$1+0`: SQLite looks at the value of a bare one, and so plans the statement anew whenever it is bound.

mod classes;
mod connection;
mod cursor;
mod death;
mod error;
mod events;
mod glance;
mod hosts;
mod inputs;
mod instance_keys;
mod instances;
mod log;
mod moment;
mod page;
mod place;
mod postgres;
mod projects;
mod requests;
mod row;
mod runs;
mod schedules;
mod settle;
mod sqlite;
mod statement;
mod transfer;
mod tx;
mod value;
mod words;
mod writer;

pub use death::Death;
pub use glance::{Glance, glance_postgres, glance_sqlite};
pub use sqlite::{
    check::{Findings, check as check_sqlite},
    upkeep::{back_up as back_up_sqlite, restore as restore_sqlite},
};
pub use transfer::{Moved, transfer};

use super::{Change, Close, Redactor, Store, StoreError};
use async_trait::async_trait;
use connection::{Readers, Target};
use place::Place;
use postgres::wake::Wake;
use std::{path::Path, sync::Arc};
use tokio::sync::{Notify, broadcast};

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
    /// Others may use it too, each a host of its own. A server's always may be; a file is of whoever has it.
    pub shared: bool,
    /// Where the process kills itself, for tests of what is left then.
    pub death: Option<Death>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_cap: 4,
            cold_cap: 2,
            overflow: None,
            max_pages: None,
            shared: false,
            death: None,
        }
    }
}

/// What each aggregate of the store works with.
#[derive(Clone, Debug)]
struct Base {
    writer: writer::Writer,
    readers: Readers,
    redactor: Arc<Redactor>,
    place: Place,
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
    let readers = Readers::Sqlite(sqlite::readers::Pool::new(path.to_owned()));
    let target = Target::Sqlite(path.to_owned(), settings.max_pages);
    let (changes, _) = broadcast::channel(CHANGES_KEPT);
    let written = Arc::new(Notify::new());
    start(target, readers, (changes, written, None), settings).await
}

/// Opens the database at `url` (`postgres://…`), and brings its schema up to date. Several hubs may have it open; what one writes is told to the
/// others as a change that says no more.
///
/// # Errors
/// `TooNew`, before anything is written, when a newer binary has migrated it; `Unavailable` when it cannot be reached, is older than 14, or has
/// another encoding than UTF8.
pub async fn open_postgres(url: &str, settings: Settings) -> Result<Store, StoreError> {
    let options = postgres::connect::options(url)?;
    postgres::schema::bring_up_to_date(&options).await?;
    let readers = Readers::Postgres(postgres::connect::readers(&options));
    let (changes, _) = broadcast::channel(CHANGES_KEPT);
    let written = Arc::new(Notify::new());
    let callers = postgres::connect::callers(&options);
    let wake = Wake::start(callers, written.clone(), changes.clone()).await?;
    let target = Target::Postgres(Box::new(options));
    start(target, readers, (changes, written, Some(wake)), settings).await
}

async fn start(
    target: Target,
    readers: Readers,
    (changes, written, wake): (broadcast::Sender<Change>, Arc<Notify>, Option<Wake>),
    settings: Settings,
) -> Result<Store, StoreError> {
    let shared = settings.shared || target.is_remote();
    let writer = writer::start(target, changes.clone(), written, settings.death).await?;
    let base = Base {
        writer,
        readers,
        redactor: Arc::new(Redactor::default()),
        place: Place::default(),
    };
    let (class, cold) = (settings.default_cap, settings.cold_cap);
    base.set_caps(class, Some(cold)).await?;
    let store = Store {
        runs: Arc::new(runs::SqlRuns {
            base: base.clone(),
            overflow: settings.overflow,
        }),
        requests: Arc::new(requests::SqlRequests(base.clone())),
        inputs: Arc::new(inputs::SqlInputs(base.clone())),
        instances: Arc::new(instances::SqlInstances(base.clone())),
        projects: Arc::new(projects::SqlProjects(base.clone())),
        schedules: Arc::new(schedules::SqlSchedules(base.clone())),
        hosts: Arc::new(hosts::SqlHosts {
            base: base.clone(),
            settings,
            shared,
        }),
        events: Arc::new(events::SqlEvents(base.clone())),
        changes,
        redactor: Arc::clone(&base.redactor),
        closer: Arc::new(Closer { base, wake }),
    };
    Ok(store)
}

#[derive(Debug)]
struct Closer {
    base: Base,
    wake: Option<Wake>,
}

#[async_trait]
impl Close for Closer {
    async fn close(&self) {
        // Readers first: the last connection to close folds the WAL into the file, and only the writer may write.
        self.base.readers.close().await;
        self.base.writer.close().await;
        if let Some(wake) = &self.wake {
            wake.close().await;
        }
    }
}
