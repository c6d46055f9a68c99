//! Hosts in SQL.

mod enter;
mod forget;
mod read;

pub(super) use read::place_of;

use super::{Base, Settings, tx::Tx, value::values, writer::Write};
use crate::{
    domain::{
        host::{Forgotten, Host},
        ids::{HostId, HubId, SessionId},
    },
    store::{Hosts, Instead, NewHost, StoreError},
};
use async_trait::async_trait;

/// Its own heart-beat takes back that it was forgotten: it is there.
const BEAT: &str = "UPDATE host SET seen_at=$2, agents=$3, forgotten_at=NULL WHERE hub=$1";
const LEAVE: &str = "UPDATE host SET seen_at=$2, hub=NULL WHERE hub=$1";
const DRAIN: &str = "UPDATE host SET draining=$2 WHERE id=$1";

/// The aggregate.
#[derive(Debug)]
pub(super) struct SqlHosts {
    pub(super) base: Base,
    pub(super) settings: Settings,
    /// Others may be there.
    pub(super) shared: bool,
}

#[derive(Debug)]
struct Beat {
    hub: HubId,
    agents: String,
}

#[async_trait]
impl Write for Beat {
    type Answer = bool;
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let there = tx
            .execute(BEAT, values![self.hub.0, tx.now, &self.agents])
            .await?;
        Ok(there > 0)
    }
}

#[derive(Debug)]
struct Leave(HubId);

#[async_trait]
impl Write for Leave {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.execute(LEAVE, values![self.0.0, tx.now]).await?;
        Ok(())
    }
}

#[derive(Debug)]
struct Drain {
    host: HostId,
    draining: bool,
}

#[async_trait]
impl Write for Drain {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let found = tx
            .execute(DRAIN, values![self.host.0, self.draining])
            .await?;
        if found == 0 {
            return Err(read::not_found(&self.host));
        }
        // One that begins again looks for what waits.
        tx.changed_elsewhere();
        Ok(())
    }
}

#[async_trait]
impl Hosts for SqlHosts {
    async fn enter(&self, host: NewHost) -> Result<Host, StoreError> {
        let id = host.id;
        let enter = enter::Enter {
            host,
            default_cap: self.settings.default_cap,
            cold_cap: self.settings.cold_cap,
            shared: self.shared,
        };
        let place = self.base.writer.send(enter).await?;
        self.base.place.take(&place);
        read::one(&self.base, &id.to_string()).await
    }

    async fn beat(&self, hub: HubId, agents: Vec<String>) -> Result<bool, StoreError> {
        let agents = super::words::json(&agents)?;
        self.base.writer.send(Beat { hub, agents }).await
    }

    async fn leave(&self, hub: HubId) -> Result<(), StoreError> {
        self.base.writer.send(Leave(hub)).await
    }

    async fn list(&self) -> Result<Vec<Host>, StoreError> {
        read::all(&self.base).await
    }

    async fn named(&self, name: &str) -> Result<Host, StoreError> {
        read::one(&self.base, name).await
    }

    async fn elsewhere(&self, session: SessionId) -> Result<Option<Host>, StoreError> {
        if !self.shared {
            return Ok(None);
        }
        read::elsewhere(&self.base, session).await
    }

    async fn drain(&self, host: HostId, draining: bool) -> Result<Host, StoreError> {
        self.base.writer.send(Drain { host, draining }).await?;
        read::one(&self.base, &host.to_string()).await
    }

    async fn forget(
        &self,
        host: HostId,
        to: HostId,
        instead: Vec<Instead>,
    ) -> Result<Forgotten, StoreError> {
        let forget = forget::Forget { host, to, instead };
        let (moved, left) = self.base.writer.send(forget).await?;
        Ok(Forgotten {
            host: read::one(&self.base, &host.to_string()).await?,
            moved,
            left,
        })
    }

    fn shared(&self) -> bool {
        self.shared
    }
}
