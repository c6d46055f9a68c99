//! Projects in SQL.

use super::{
    Base, cursor, page,
    tx::Tx,
    value::values,
    words::{unword_of, word_of},
    writer::Write,
};
use crate::{
    domain::{
        ids::ProjectId,
        page::Page,
        project::{ProjectRow, ProjectStatus},
        time::Timestamp,
    },
    store::{PageAt, Projects, StoreError},
};
use async_trait::async_trait;
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

macro_rules! columns {
    () => {
        "id, name, path, unregistered, last_opened_at, created_at, trust, status"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO project(",
    columns!(),
    ") VALUES($1,$2,$3,FALSE,$4,$5,$6,$7) ON CONFLICT(path) DO NOTHING"
);
/// The id stays, so that its old runs are its own again.
const COME_BACK: &str = "UPDATE project SET unregistered=0, name=$2, last_opened_at=coalesce($3,last_opened_at) WHERE path=$1 AND unregistered=1";
const UPDATE: &str = "UPDATE project SET name=$2, path=$3, unregistered=$4, last_opened_at=$5, created_at=$6, trust=$7, status=$8 WHERE id=$1";
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM project WHERE id=$1");
const BY_PATH: &str = concat!("SELECT ", columns!(), " FROM project WHERE path=$1");
const BY_NAME: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM project WHERE name=$1 AND unregistered=0 ORDER BY id"
);
const FORGOTTEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM project WHERE name=$1 AND unregistered=1 ORDER BY id"
);
const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM project WHERE unregistered=0 AND (name,id)>($1,$2) ORDER BY name, id LIMIT $3+0"
);

/// The aggregate.
#[derive(Debug)]
pub(super) struct SqlProjects(pub(super) Base);

#[derive(FromRow, Deserialize)]
struct Row {
    id: Uuid,
    name: String,
    path: String,
    unregistered: bool,
    last_opened_at: Option<i64>,
    created_at: i64,
    trust: Option<String>,
    status: Option<String>,
}

impl TryFrom<Row> for ProjectRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ProjectId(row.id),
            name: row.name,
            path: row.path,
            unregistered: row.unregistered,
            trust: row.trust,
            status: unword_of(row.status)?,
            last_opened_at: row.last_opened_at.map(Timestamp),
            created_at: Timestamp(row.created_at),
        })
    }
}

/// Only what holds until somebody does something about it is kept.
fn kept(status: Option<ProjectStatus>) -> Result<Option<String>, StoreError> {
    match status {
        Some(ProjectStatus::Error | ProjectStatus::Initializing) => word_of(status.as_ref()),
        Some(ProjectStatus::Stopped | ProjectStatus::Running | ProjectStatus::Missing) | None => {
            Ok(None)
        }
    }
}

#[derive(Debug)]
struct Register {
    row: ProjectRow,
    explicit: bool,
}

#[async_trait]
impl Write for Register {
    type Answer = ProjectRow;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<ProjectRow, StoreError> {
        let row = &self.row;
        let inserted = tx
            .execute(
                INSERT,
                values![
                    row.id.0,
                    &row.name,
                    &row.path,
                    row.last_opened_at.map(|at| at.0),
                    row.created_at.0,
                    &row.trust,
                    kept(row.status)?
                ],
            )
            .await?;
        if inserted == 1 {
            tx.changed_elsewhere();
        } else if self.explicit {
            tx.execute(
                COME_BACK,
                values![&row.path, &row.name, row.last_opened_at.map(|at| at.0)],
            )
            .await?;
            tx.changed_elsewhere();
        }
        let there: Row = tx.one(BY_PATH, values![&row.path]).await?;
        there.try_into()
    }
}

#[derive(Debug)]
struct Update(ProjectRow);

#[async_trait]
impl Write for Update {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let row = &self.0;
        let updated = tx
            .execute(
                UPDATE,
                values![
                    row.id.0,
                    &row.name,
                    &row.path,
                    row.unregistered,
                    row.last_opened_at.map(|at| at.0),
                    row.created_at.0,
                    &row.trust,
                    kept(row.status)?
                ],
            )
            .await?;
        if updated == 0 {
            return Err(not_found(&row.id));
        }
        tx.changed_elsewhere();
        Ok(())
    }
}

fn not_found(name: &impl ToString) -> StoreError {
    StoreError::NotFound {
        noun: "project",
        name: name.to_string(),
    }
}

#[async_trait]
impl Projects for SqlProjects {
    async fn register(&self, row: ProjectRow, explicit: bool) -> Result<ProjectRow, StoreError> {
        // Every delegation registers its directory; one that is known costs no write.
        let known: Option<Row> = self.0.readers.optional(BY_PATH, values![&row.path]).await?;
        match known {
            Some(known) if !known.unregistered || !explicit => known.try_into(),
            Some(_) | None => self.0.writer.send(Register { row, explicit }).await,
        }
    }

    async fn update(&self, row: ProjectRow) -> Result<(), StoreError> {
        self.0.writer.send(Update(row)).await
    }

    async fn get(&self, id: ProjectId) -> Result<ProjectRow, StoreError> {
        self.0
            .readers
            .optional::<Row>(BY_ID, values![id.0])
            .await?
            .ok_or_else(|| not_found(&id))?
            .try_into()
    }

    async fn by_path(&self, path: &str) -> Result<ProjectRow, StoreError> {
        self.0
            .readers
            .optional::<Row>(BY_PATH, values![path])
            .await?
            .ok_or_else(|| not_found(&path))?
            .try_into()
    }

    async fn by_name(&self, name: &str) -> Result<Vec<ProjectRow>, StoreError> {
        let rows: Vec<Row> = self.0.readers.all(BY_NAME, values![name]).await?;
        rows.into_iter().map(ProjectRow::try_from).collect()
    }

    async fn forgotten(&self, name: &str) -> Result<Vec<ProjectRow>, StoreError> {
        let rows: Vec<Row> = self.0.readers.all(FORGOTTEN, values![name]).await?;
        rows.into_iter().map(ProjectRow::try_from).collect()
    }

    async fn list(&self, page: PageAt) -> Result<Page<ProjectRow>, StoreError> {
        let (name, id) = match &page.cursor {
            Some(text) => cursor::name(text)?,
            None => (String::new(), Uuid::nil()),
        };
        let rows: Vec<Row> = self
            .0
            .readers
            .all(LIST, values![name, id, page::rows(&page)])
            .await?;
        page::cut(
            &page,
            rows,
            |row| cursor::of_name(&row.name, row.id),
            ProjectRow::try_from,
        )
    }
}
