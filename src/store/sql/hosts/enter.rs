//! A hub begins: its host has a row, with what holds there.

use crate::{
    domain::fault::{ErrorKind, Fault},
    store::{
        NewHost, StoreError,
        sql::{place::FIRST, tx::Tx, value::values, words::json, writer::Write},
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use sqlx::FromRow;

const KNOWN: &str = "SELECT place, home, machine, hub IS NOT NULL AND seen_at+lease_ms>$2 AS alive FROM host WHERE id=$1";
const IS_FREE: &str = "SELECT NOT EXISTS(SELECT 1 FROM host WHERE place=$1)";
const IS_TAKEN: &str = "SELECT EXISTS(SELECT 1 FROM host WHERE name=$1 AND id<>$2)";
const PUT: &str = "INSERT INTO host(place,id,name,home,machine,hub,version,slots,default_cap,cold_cap,lease_ms,agents,default_agent,shared,started_at,seen_at) \
 VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$15) \
 ON CONFLICT(place) DO UPDATE SET name=excluded.name, home=excluded.home, machine=excluded.machine, hub=excluded.hub, version=excluded.version, \
 slots=excluded.slots, default_cap=excluded.default_cap, cold_cap=excluded.cold_cap, lease_ms=excluded.lease_ms, agents=excluded.agents, \
 default_agent=excluded.default_agent, shared=excluded.shared, started_at=excluded.started_at, seen_at=excluded.seen_at, forgotten_at=NULL";
const OTHERS: &str = "DELETE FROM host WHERE id<>$1";
const CAP: &str = "UPDATE class SET max_concurrent=$2 WHERE place=$1 AND max_concurrent<>$2";

#[derive(Debug)]
pub(super) struct Enter {
    pub(super) host: NewHost,
    pub(super) default_cap: u32,
    pub(super) cold_cap: u32,
    pub(super) shared: bool,
}

#[derive(Debug, FromRow, Deserialize)]
struct Known {
    place: String,
    home: String,
    machine: String,
    alive: bool,
}

#[async_trait]
impl Write for Enter {
    /// Its place.
    type Answer = String;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<String, StoreError> {
        let host = &self.host;
        let known: Option<Known> = tx.optional(KNOWN, values![host.id.0, tx.now]).await?;
        let place = match known {
            // A file that came from another home, as a backup does, is this one's from now on, with all that waits in it.
            _ if !self.shared => {
                tx.execute(OTHERS, values![host.id.0]).await?;
                FIRST.to_owned()
            }
            Some(known) if known.alive && !self.is_same(&known) => return Err(self.copied(&known)),
            Some(known) => known.place,
            None if tx.scalar(IS_FREE, values![FIRST]).await? => FIRST.to_owned(),
            None => host.id.to_string(),
        };
        let name = self.name(tx).await?;
        tx.execute(
            PUT,
            values![
                &place,
                host.id.0,
                name,
                &host.home,
                &host.machine,
                host.hub.0,
                &host.version,
                host.slots,
                self.default_cap,
                self.cold_cap,
                host.lease_ms,
                json(&host.agents)?,
                &host.default_agent,
                self.shared,
                tx.now
            ],
        )
        .await?;
        tx.execute(CAP, values![&place, self.default_cap]).await?;
        tx.changed_elsewhere();
        Ok(place)
    }
}

impl Enter {
    /// The one that died in this home may have been seen a moment ago.
    fn is_same(&self, known: &Known) -> bool {
        known.home == self.host.home && known.machine == self.host.machine
    }

    fn copied(&self, known: &Known) -> StoreError {
        let detail = format!(
            "a hub with the host id {} lives in the home {} of another machine or place",
            self.host.id, known.home
        );
        let fault = Fault::new(ErrorKind::Busy, detail)
            .hint("one of the two homes is a copy of the other: remove host.json from the copy");
        StoreError::Unfit(Box::new(fault))
    }

    /// What it would be called, with the end of its id where another host has that name.
    async fn name(&self, tx: &mut Tx<'_>) -> Result<String, StoreError> {
        let (id, name) = (self.host.id, &self.host.name);
        if !tx.scalar(IS_TAKEN, values![name, id.0]).await? {
            return Ok(name.clone());
        }
        let id = id.to_string();
        Ok(format!("{name}-{}", &id[id.len() - 6..]))
    }
}
