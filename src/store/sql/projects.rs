//! Projects in SQL.

use super::{
    Base, cursor, page,
    place::Place,
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

/// `$own`: the place of the host that asks.
macro_rules! columns {
    ($own:literal) => {
        concat!(
            "id, name, path, unregistered, last_opened_at, created_at, trust, status, \
             (SELECT h.name FROM host h WHERE h.place=project.place AND h.place<>",
            $own,
            ") AS host"
        )
    };
}

const INSERT: &str = "INSERT INTO project(id,name,path,unregistered,last_opened_at,created_at,trust,status,place) \
 VALUES($1,$2,$3,FALSE,$4,$5,$6,$7,$8) ON CONFLICT(place,path) DO NOTHING";
/// The id stays, so that its old runs are its own again.
const COME_BACK: &str = "UPDATE project SET unregistered=0, name=$2, last_opened_at=coalesce($3,last_opened_at) WHERE place=$4 AND path=$1 AND unregistered=1";
const UPDATE: &str = "UPDATE project SET name=$2, path=$3, unregistered=$4, last_opened_at=$5, created_at=$6, trust=$7, status=$8 WHERE id=$1";
const BY_ID: &str = concat!("SELECT ", columns!("$2"), " FROM project WHERE id=$1");
const BY_PATH: &str = concat!(
    "SELECT ",
    columns!("$2"),
    " FROM project WHERE place=$2 AND path=$1"
);
const BY_NAME: &str = concat!(
    "SELECT ",
    columns!("$2"),
    " FROM project WHERE name=$1 AND unregistered=0 ORDER BY place<>$2, id"
);
const FORGOTTEN: &str = concat!(
    "SELECT ",
    columns!("$2"),
    " FROM project WHERE name=$1 AND unregistered=1 ORDER BY place<>$2, id"
);
const LIST: &str = concat!(
    "SELECT ",
    columns!("$4"),
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
    host: Option<String>,
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
            host: row.host,
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
    /// Of the host that it is on.
    place: Place,
}

#[async_trait]
impl Write for Register {
    type Answer = ProjectRow;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<ProjectRow, StoreError> {
        let (row, place) = (&self.row, self.place.get());
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
                    kept(row.status)?,
                    place
                ],
            )
            .await?;
        if inserted == 1 {
            tx.changed_elsewhere();
        } else if self.explicit {
            tx.execute(
                COME_BACK,
                values![
                    &row.path,
                    &row.name,
                    row.last_opened_at.map(|at| at.0),
                    place
                ],
            )
            .await?;
            tx.changed_elsewhere();
        }
        let there: Row = tx.one(BY_PATH, values![&row.path, place]).await?;
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
        let place = self.0.place.clone();
        let known: Option<Row> = self
            .0
            .readers
            .optional(BY_PATH, values![&row.path, place.get()])
            .await?;
        match known {
            Some(known) if !known.unregistered || !explicit => known.try_into(),
            Some(_) | None => {
                let register = Register {
                    row,
                    explicit,
                    place,
                };
                self.0.writer.send(register).await
            }
        }
    }

    async fn update(&self, row: ProjectRow) -> Result<(), StoreError> {
        self.0.writer.send(Update(row)).await
    }

    async fn get(&self, id: ProjectId) -> Result<ProjectRow, StoreError> {
        self.0
            .readers
            .optional::<Row>(BY_ID, values![id.0, self.0.place.get()])
            .await?
            .ok_or_else(|| not_found(&id))?
            .try_into()
    }

    async fn by_path(&self, path: &str) -> Result<ProjectRow, StoreError> {
        self.0
            .readers
            .optional::<Row>(BY_PATH, values![path, self.0.place.get()])
            .await?
            .ok_or_else(|| not_found(&path))?
            .try_into()
    }

    async fn by_name(&self, name: &str) -> Result<Vec<ProjectRow>, StoreError> {
        let own = self.0.place.get();
        let rows: Vec<Row> = self.0.readers.all(BY_NAME, values![name, own]).await?;
        rows.into_iter().map(ProjectRow::try_from).collect()
    }

    async fn forgotten(&self, name: &str) -> Result<Vec<ProjectRow>, StoreError> {
        let own = self.0.place.get();
        let rows: Vec<Row> = self.0.readers.all(FORGOTTEN, values![name, own]).await?;
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
            .all(
                LIST,
                values![name, id, page::rows(&page), self.0.place.get()],
            )
            .await?;
        page::cut(
            &page,
            rows,
            |row| cursor::of_name(&row.name, row.id),
            ProjectRow::try_from,
        )
    }
}
