//! Schedules in SQL.

mod row;
pub(super) mod tick;
pub(super) mod used;

use super::{
    Base, cursor,
    error::is_duplicate,
    page,
    tx::Tx,
    value::{Values, values},
    words::{json, word},
    writer::Write,
};
use crate::{
    domain::{
        ids::{ScheduleId, SessionId},
        page::Page,
        schedule::{Schedule, Tick, UsedUp},
        time::Timestamp,
    },
    stdx::clock,
    store::{PageAt, Schedules, StoreError},
};
use async_trait::async_trait;
use row::{Row, columns};
use uuid::Uuid;

const INSERT: &str = "INSERT INTO schedule(id,name,cron,zone,work,overlap,misfire,misfire_max,next_at,disabled_reason,created_at,allowance) \
 VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)";
/// What it did stays.
const UPDATE: &str = "UPDATE schedule SET name=$2, cron=$3, zone=$4, work=$5, overlap=$6, misfire=$7, misfire_max=$8, next_at=$9, \
 disabled_reason=$10, created_at=$11, allowance=$12, last_error=NULL, session=NULL WHERE id=$1";
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM schedule WHERE id=$1");
const BY_NAME: &str = concat!("SELECT ", columns!(), " FROM schedule WHERE name=$1");
const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM schedule WHERE name>$1 ORDER BY name LIMIT $2+0"
);
pub(super) const DUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM schedule WHERE next_at IS NOT NULL AND next_at<=$1 ORDER BY next_at, id LIMIT $2+0"
);
pub(super) const NEXT: &str = "SELECT min(next_at) FROM schedule WHERE next_at IS NOT NULL";
const SESSION: &str = "SELECT z.id FROM schedule c JOIN session z ON z.id=c.session WHERE c.id=$1";
const FORGET: &str = "DELETE FROM occurrence WHERE schedule=$1";
const DELETE: &str = "DELETE FROM schedule WHERE id=$1";
/// Schedules that one look takes.
const BATCH: i64 = 64;

/// The aggregate.
#[derive(Debug)]
pub(super) struct SqlSchedules(pub(super) Base);

/// Puts a row, new or in place of the one with its id.
#[derive(Debug)]
struct Put {
    sql: &'static str,
    schedule: Schedule,
}

#[async_trait]
impl Write for Put {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let row = &self.schedule;
        let put = tx
            .execute(
                self.sql,
                values![
                    row.id.0,
                    &row.name,
                    &row.cron,
                    &row.zone,
                    json(&row.work)?,
                    word(&row.overlap)?,
                    word(&row.misfire)?,
                    row.misfire_max,
                    row.next_at.map(|at| at.0),
                    &row.disabled_reason,
                    row.created_at.0,
                    row.allowance.as_ref().map(json).transpose()?
                ],
            )
            .await;
        match put {
            Ok(0) => return Err(not_found(&row.id)),
            Ok(_) => {}
            Err(error) if is_duplicate(&error) => {
                return Err(StoreError::NameExists(row.name.clone()));
            }
            Err(error) => return Err(error.into()),
        }
        tx.changed_elsewhere();
        Ok(())
    }
}

#[derive(Debug)]
struct Delete(ScheduleId);

#[async_trait]
impl Write for Delete {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.execute(FORGET, values![self.0.0]).await?;
        if tx.execute(DELETE, values![self.0.0]).await? == 0 {
            return Err(not_found(&self.0));
        }
        tx.changed_elsewhere();
        Ok(())
    }
}

fn not_found(name: &impl ToString) -> StoreError {
    StoreError::NotFound {
        noun: "schedule",
        name: name.to_string(),
    }
}

impl SqlSchedules {
    async fn put(&self, sql: &'static str, mut schedule: Schedule) -> Result<(), StoreError> {
        let redactor = &self.0.redactor;
        redactor.redact_in_place(&mut schedule.name);
        redactor.redact_in_place(&mut schedule.work.prompt);
        self.0.writer.send(Put { sql, schedule }).await
    }

    async fn one(
        &self,
        sql: &'static str,
        values: Values<'_>,
        name: &impl ToString,
    ) -> Result<Schedule, StoreError> {
        let row: Option<Row> = self.0.readers.optional(sql, values).await?;
        row.ok_or_else(|| not_found(name))?.try_into()
    }
}

#[async_trait]
impl Schedules for SqlSchedules {
    async fn insert(&self, schedule: Schedule) -> Result<(), StoreError> {
        self.put(INSERT, schedule).await
    }

    async fn update(&self, schedule: Schedule) -> Result<(), StoreError> {
        self.put(UPDATE, schedule).await
    }

    async fn delete(&self, id: ScheduleId) -> Result<(), StoreError> {
        self.0.writer.send(Delete(id)).await
    }

    async fn get(&self, id: ScheduleId) -> Result<Schedule, StoreError> {
        self.one(BY_ID, values![id.0], &id).await
    }

    async fn by_name(&self, name: &str) -> Result<Schedule, StoreError> {
        self.one(BY_NAME, values![name], &name).await
    }

    async fn list(&self, page: PageAt) -> Result<Page<Schedule>, StoreError> {
        let name = match &page.cursor {
            Some(text) => cursor::name(text)?.0,
            None => String::new(),
        };
        let rows: Vec<Row> = self
            .0
            .readers
            .all(LIST, values![name, page::rows(&page)])
            .await?;
        page::cut(
            &page,
            rows,
            |row| cursor::of_name(&row.name, row.id),
            Schedule::try_from,
        )
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<Schedule>, StoreError> {
        let rows: Vec<Row> = self.0.readers.all(DUE, values![now.0, BATCH]).await?;
        rows.into_iter().map(Schedule::try_from).collect()
    }

    async fn next(&self) -> Result<Option<Timestamp>, StoreError> {
        let (next,): (Option<i64>,) = self.0.readers.one(NEXT, values![]).await?;
        Ok(next.map(Timestamp))
    }

    async fn session(&self, id: ScheduleId) -> Result<Option<SessionId>, StoreError> {
        let found: Option<(Uuid,)> = self.0.readers.optional(SESSION, values![id.0]).await?;
        Ok(found.map(|(id,)| SessionId(id)))
    }

    async fn used(&self, id: ScheduleId, since: Timestamp) -> Result<UsedUp, StoreError> {
        let rows = self
            .0
            .readers
            .all(used::USED, values![id.0, since.0])
            .await?;
        used::sum(rows, since, clock::now_ms())
    }

    async fn pass(
        &self,
        id: ScheduleId,
        tick: Tick,
        reason: String,
        failed: bool,
    ) -> Result<bool, StoreError> {
        let reason = self.0.redactor.redact(&reason).into_owned();
        let pass = tick::Pass {
            schedule: id,
            tick,
            reason,
            failed,
        };
        self.0.writer.send(pass).await
    }
}
