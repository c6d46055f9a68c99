//! The log in SQL.

use super::{
    Base, cursor, log, statement,
    tx::Tx,
    value::values,
    words::{unjson, unword},
    writer::Write,
};
use crate::{
    domain::{
        event::{Event, EventKind, NewEvent},
        ids::{InstanceId, ProjectId, RunId},
        time::Timestamp,
    },
    store::{EventFilter, Events, StoreError},
};
use async_trait::async_trait;
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// More than this in one answer is asked for in several.
const MOST: u32 = 1000;
pub(super) const KEPT: &str = "SELECT EXISTS(SELECT 1 FROM event WHERE cursor=$1)";
pub(super) const LATEST: &str = "SELECT max(cursor) FROM event";

/// The aggregate.
#[derive(Debug)]
pub(super) struct SqlEvents(pub(super) Base);

#[derive(Debug)]
struct Record {
    project: Option<ProjectId>,
    instance: Option<InstanceId>,
    event: NewEvent,
}

#[async_trait]
impl Write for Record {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        log::record(tx, self.project, self.instance, &self.event).await
    }
}

#[derive(FromRow, Deserialize)]
struct EventRow {
    cursor: i64,
    at: i64,
    run: Option<Uuid>,
    run_seq: Option<i64>,
    project: Option<Uuid>,
    instance: Option<Uuid>,
    kind: String,
    data: String,
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        Ok(Self {
            cursor: cursor::of_event(row.cursor),
            run: row.run.map(RunId),
            run_seq: row.run_seq,
            project: row.project.map(ProjectId),
            instance: row.instance.map(InstanceId),
            kind: unword(row.kind)?,
            at: Timestamp(row.at),
            data: unjson(&row.data)?,
        })
    }
}

/// The statement for a filter; the narrowest index is named.
pub(super) fn after_sql(filter: &EventFilter) -> statement::Page {
    let index = if filter.run.is_some() {
        " INDEXED BY event_by_run"
    } else if filter.instance.is_some() {
        " INDEXED BY event_by_instance"
    } else if filter.project.is_some() {
        " INDEXED BY event_by_project"
    } else {
        ""
    };
    let mut list = format!(
        "SELECT cursor, at, run, run_seq, project, instance, kind, data FROM event{index} WHERE cursor>$1"
    );
    for (asked, condition) in [
        (filter.run.is_some(), " AND run=$2"),
        (filter.project.is_some(), " AND project=$3"),
        (filter.instance.is_some(), " AND instance=$4"),
    ] {
        if asked {
            list.push_str(condition);
        }
    }
    list.push_str(" ORDER BY cursor");
    statement::Page {
        list,
        limit: "$5",
        most: MOST,
    }
}

/// The statement for some kinds, whose words are our own.
pub(super) fn of_kinds_sql(kinds: &[EventKind]) -> String {
    let words: Vec<String> = kinds
        .iter()
        .map(|kind| format!("'{}'", kind.as_str()))
        .collect();
    format!(
        "SELECT cursor, at, run, run_seq, project, instance, kind, data FROM event \
         WHERE run=$1 AND run_seq IS NOT NULL AND kind IN ({}) ORDER BY run_seq",
        words.join(",")
    )
}

#[async_trait]
impl Events for SqlEvents {
    async fn record(
        &self,
        project: Option<ProjectId>,
        instance: Option<InstanceId>,
        mut event: NewEvent,
    ) -> Result<(), StoreError> {
        self.0.redactor.redact_json(&mut event.data);
        self.0
            .writer
            .send(Record {
                project,
                instance,
                event,
            })
            .await
    }

    async fn after(
        &self,
        after: Option<String>,
        filter: EventFilter,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let after = after
            .as_deref()
            .map(cursor::event)
            .transpose()?
            .unwrap_or(0);
        let rows: Vec<EventRow> = self
            .0
            .readers
            .all(
                after_sql(&filter),
                values![
                    after,
                    filter.run.map(|id| id.0),
                    filter.project.map(|id| id.0),
                    filter.instance.map(|id| id.0),
                    limit.min(MOST)
                ],
            )
            .await?;
        rows.into_iter().map(Event::try_from).collect()
    }

    async fn keeps(&self, cursor: &str) -> Result<bool, StoreError> {
        let after = cursor::event(cursor)?;
        Ok(self.0.readers.scalar(KEPT, values![after]).await?)
    }

    async fn of_kinds(&self, run: RunId, kinds: &[EventKind]) -> Result<Vec<Event>, StoreError> {
        let rows: Vec<EventRow> = self
            .0
            .readers
            .all(of_kinds_sql(kinds), values![run.0])
            .await?;
        rows.into_iter().map(Event::try_from).collect()
    }

    async fn latest(&self) -> Result<Option<String>, StoreError> {
        let latest: Option<i64> = self.0.readers.scalar(LATEST, values![]).await?;
        Ok(latest.map(cursor::of_event))
    }
}
