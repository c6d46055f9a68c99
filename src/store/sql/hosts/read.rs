//! Reading hosts. There are few.

use crate::{
    domain::{
        host::{Host, HostState},
        ids::{HostId, HubId, SessionId},
        time::Timestamp,
    },
    store::{
        StoreError,
        sql::{Base, connection::Readers, tx::Tx, value::values, words::unjson},
    },
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// `$own`: the place of the host that asks.
macro_rules! columns {
    ($own:literal) => {
        concat!(
            "h.id, h.name, h.home, h.version, h.hub, h.slots, h.agents, h.default_agent, h.draining, h.started_at, h.seen_at, \
             h.place=",
            $own,
            " AS own, h.forgotten_at IS NOT NULL AS forgotten, \
             h.seen_at+h.lease_ms>CAST(unixepoch('subsec')*1000 AS INTEGER) AS fresh, \
             (SELECT count(*) FROM session s INDEXED BY session_active WHERE s.lease_holder IS NOT NULL AND s.place=h.place) AS running, \
             (SELECT count(*) FROM run r INDEXED BY run_open JOIN session s ON s.id=r.session \
              WHERE r.ended_at IS NULL AND r.state='queued' AND s.place=h.place) AS queued"
        )
    };
}

const ALL: &str = concat!("SELECT ", columns!("$1"), " FROM host h ORDER BY h.name");
const ONE: &str = concat!(
    "SELECT ",
    columns!("$1"),
    " FROM host h WHERE h.name=$2 OR h.id=$3"
);
const ELSEWHERE: &str = concat!(
    "SELECT ",
    columns!("$1"),
    " FROM host h WHERE h.place<>$1 AND h.place=(SELECT z.place FROM session z WHERE z.id=$2)"
);
const PLACE: &str = "SELECT place FROM host WHERE id=$1";

#[derive(Debug, FromRow, Deserialize)]
struct Row {
    id: Uuid,
    name: String,
    home: String,
    version: String,
    hub: Option<Uuid>,
    #[sqlx(try_from = "i64")]
    slots: u32,
    agents: String,
    default_agent: Option<String>,
    draining: bool,
    started_at: i64,
    seen_at: i64,
    own: bool,
    forgotten: bool,
    fresh: bool,
    #[sqlx(try_from = "i64")]
    running: u32,
    #[sqlx(try_from = "i64")]
    queued: u32,
}

impl TryFrom<Row> for Host {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let state = match (row.hub, row.own, row.forgotten, row.fresh) {
            // It answers: nothing is more alive.
            (Some(_), true, ..) => HostState::Alive,
            (_, _, true, _) => HostState::Forgotten,
            (None, ..) => HostState::Away,
            (Some(_), _, _, true) => HostState::Alive,
            (Some(_), _, _, false) => HostState::Silent,
        };
        Ok(Self {
            id: HostId(row.id),
            name: row.name,
            home: row.home,
            state,
            own: row.own,
            draining: row.draining,
            version: row.version,
            hub: row.hub.map(HubId),
            slots: row.slots,
            agents: unjson(&row.agents)?,
            default_agent: row.default_agent,
            running: row.running,
            queued: row.queued,
            started_at: Timestamp(row.started_at),
            seen_at: Timestamp(row.seen_at),
        })
    }
}

pub(super) fn not_found(name: &impl ToString) -> StoreError {
    StoreError::NotFound {
        noun: "host",
        name: name.to_string(),
    }
}

pub(super) async fn all(base: &Base) -> Result<Vec<Host>, StoreError> {
    let rows: Vec<Row> = base.readers.all(ALL, values![base.place.get()]).await?;
    rows.into_iter().map(Host::try_from).collect()
}

/// By name or id.
pub(super) async fn one(base: &Base, name: &str) -> Result<Host, StoreError> {
    let id = Uuid::parse_str(name).unwrap_or_default();
    let row: Option<Row> = base
        .readers
        .optional(ONE, values![base.place.get(), name, id])
        .await?;
    row.ok_or_else(|| not_found(&name))?.try_into()
}

/// Where a conversation is, if elsewhere.
pub(super) async fn elsewhere(base: &Base, session: SessionId) -> Result<Option<Host>, StoreError> {
    let readers: &Readers = &base.readers;
    let row: Option<Row> = readers
        .optional(ELSEWHERE, values![base.place.get(), session.0])
        .await?;
    row.map(Host::try_from).transpose()
}

/// The place of a host.
pub(in crate::store::sql) async fn place_of(
    tx: &mut Tx<'_>,
    host: HostId,
) -> Result<String, StoreError> {
    let place: Option<String> = tx.optional_scalar(PLACE, values![host.0]).await?;
    place.ok_or_else(|| not_found(&host))
}
