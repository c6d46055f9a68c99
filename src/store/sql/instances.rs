//! Instances in SQL.

use super::{
    Base, cursor,
    error::is_duplicate,
    instance_keys, page,
    place::Place,
    tx::Tx,
    value::{Value, values},
    words::{unword, unword_of, word, word_of},
    writer::Write,
};
use crate::{
    domain::{
        ids::{InstanceId, ProjectId},
        instance::{Instance, InstanceStatus},
        page::Page,
        time::Timestamp,
    },
    store::{Idempotency, Instances, PageAt, StoreError},
};
use async_trait::async_trait;
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// `$own`: the place of the host that asks.
macro_rules! columns {
    ($own:literal) => {
        concat!(
            "id, name, display_name, persona, agent, role, parent, project, model, workspace, status, health, restart_count, created_at, \
             deleted_at, (SELECT h.name FROM host h WHERE h.place=instance.place AND h.place<>",
            $own,
            ") AS host"
        )
    };
}

pub(super) const INSERT: &str = "INSERT INTO instance(id,name,display_name,persona,agent,role,parent,project,model,workspace,status,health,restart_count, \
 created_at,deleted_at,place) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16)";
const UPDATE: &str = "UPDATE instance SET name=$2, display_name=$3, persona=$4, agent=$5, role=$6, parent=$7, project=$8, model=$9, \
 workspace=$10, status=$11, health=$12, restart_count=$13, created_at=$14, deleted_at=$15 WHERE id=$1";
const BEGIN: &str =
    "UPDATE instance SET status=$2 WHERE id=$1 AND status=$3 AND deleted_at IS NULL";
const BY_ID: &str = concat!("SELECT ", columns!("$2"), " FROM instance WHERE id=$1");
const BY_NAME: &str = concat!(
    "SELECT ",
    columns!("$2"),
    " FROM instance WHERE name=$1 AND deleted_at IS NULL"
);
const IN_TRASH: &str = concat!(
    "SELECT ",
    columns!("$2"),
    " FROM instance WHERE name=$1 AND deleted_at IS NOT NULL ORDER BY deleted_at DESC LIMIT 1"
);
const LIST: &str = concat!(
    "SELECT ",
    columns!("$5"),
    " FROM instance WHERE name>$1 AND deleted_at IS NULL AND ($2 IS NULL OR project=$2) AND ($3 IS NULL OR status=$3) ORDER BY name LIMIT $4+0"
);
const USING: &str = "SELECT count(*) FROM instance WHERE persona=$1 AND deleted_at IS NULL";
const PURGE: &str =
    "DELETE FROM instance WHERE deleted_at IS NOT NULL AND deleted_at<$1 AND place=$2 RETURNING id";

/// The aggregate.
#[derive(Debug)]
pub(super) struct SqlInstances(pub(super) Base);

#[derive(FromRow, Deserialize)]
struct Row {
    id: Uuid,
    name: String,
    display_name: String,
    persona: Option<String>,
    agent: Option<String>,
    role: Option<String>,
    parent: Option<String>,
    project: Option<Uuid>,
    model: Option<String>,
    workspace: String,
    status: String,
    health: String,
    #[sqlx(try_from = "i64")]
    restart_count: u32,
    created_at: i64,
    deleted_at: Option<i64>,
    host: Option<String>,
}

impl TryFrom<Row> for Instance {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: InstanceId(row.id),
            name: row.name,
            display_name: row.display_name,
            persona: row.persona,
            agent: row.agent,
            role: unword_of(row.role)?,
            parent: row.parent,
            project: row.project.map(ProjectId),
            model: row.model,
            workspace: row.workspace,
            status: unword(row.status)?,
            health: unword(row.health)?,
            restart_count: row.restart_count,
            created_at: Timestamp(row.created_at),
            deleted_at: row.deleted_at.map(Timestamp),
            host: row.host,
        })
    }
}

/// Puts a row, new or in place of the one with its id.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) sql: &'static str,
    pub(super) instance: Instance,
    /// Of the host that a new one is on.
    pub(super) place: Option<Place>,
}

#[async_trait]
impl Write for Put {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let row = &self.instance;
        let mut values = values![
            row.id.0,
            &row.name,
            &row.display_name,
            &row.persona,
            &row.agent,
            word_of(row.role.as_ref())?,
            &row.parent,
            row.project.map(|id| id.0),
            &row.model,
            &row.workspace,
            word(&row.status)?,
            word(&row.health)?,
            row.restart_count,
            row.created_at.0,
            row.deleted_at.map(|at| at.0)
        ];
        values.extend(self.place.as_ref().map(|place| Value::from(place.get())));
        let put = tx.execute(self.sql, values).await;
        match put {
            Ok(1) => {
                tx.changed_elsewhere();
                Ok(())
            }
            Ok(_) => Err(not_found(&row.id)),
            Err(error) if is_duplicate(&error) => Err(StoreError::NameExists(row.name.clone())),
            Err(error) => Err(error.into()),
        }
    }
}

#[derive(Debug)]
struct Begin(InstanceId);

#[async_trait]
impl Write for Begin {
    type Answer = bool;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let begun = tx
            .execute(
                BEGIN,
                values![
                    self.0.0,
                    word(&InstanceStatus::Running)?,
                    word(&InstanceStatus::Created)?
                ],
            )
            .await?;
        if begun == 0 {
            return Ok(false);
        }
        tx.changed_elsewhere();
        Ok(true)
    }
}

#[derive(Debug)]
struct Purge(Timestamp, Place);

#[async_trait]
impl Write for Purge {
    type Answer = Vec<InstanceId>;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Vec<InstanceId>, StoreError> {
        let gone: Vec<Uuid> = tx.scalars(PURGE, values![self.0.0, self.1.get()]).await?;
        for instance in &gone {
            instance_keys::forget(tx, *instance).await?;
        }
        Ok(gone.into_iter().map(InstanceId).collect())
    }
}

fn not_found(name: &impl ToString) -> StoreError {
    StoreError::NotFound {
        noun: "instance",
        name: name.to_string(),
    }
}

impl SqlInstances {
    async fn put(
        &self,
        sql: &'static str,
        instance: Instance,
        place: Option<Place>,
    ) -> Result<(), StoreError> {
        let put = Put {
            sql,
            instance,
            place,
        };
        self.0.writer.send(put).await
    }

    async fn named(&self, sql: &'static str, name: &str) -> Result<Instance, StoreError> {
        self.0
            .readers
            .optional::<Row>(sql, values![name, self.0.place.get()])
            .await?
            .ok_or_else(|| not_found(&name))?
            .try_into()
    }
}

#[async_trait]
impl Instances for SqlInstances {
    async fn insert(&self, instance: Instance) -> Result<(), StoreError> {
        self.put(INSERT, instance, Some(self.0.place.clone())).await
    }

    async fn insert_once(&self, instance: Instance, key: Idempotency) -> Result<(), StoreError> {
        let put = instance_keys::PutOnce {
            instance,
            key,
            place: self.0.place.clone(),
        };
        self.0.writer.send(put).await
    }

    async fn keyed(&self, key: &Idempotency) -> Result<Option<InstanceId>, StoreError> {
        instance_keys::seen(&self.0.readers, key).await
    }

    async fn update(&self, instance: Instance) -> Result<(), StoreError> {
        self.put(UPDATE, instance, None).await
    }

    async fn begin(&self, id: InstanceId) -> Result<bool, StoreError> {
        self.0.writer.send(Begin(id)).await
    }

    async fn get(&self, id: InstanceId) -> Result<Instance, StoreError> {
        self.0
            .readers
            .optional::<Row>(BY_ID, values![id.0, self.0.place.get()])
            .await?
            .ok_or_else(|| not_found(&id))?
            .try_into()
    }

    async fn by_name(&self, name: &str) -> Result<Instance, StoreError> {
        self.named(BY_NAME, name).await
    }

    async fn in_trash(&self, name: &str) -> Result<Instance, StoreError> {
        self.named(IN_TRASH, name).await
    }

    async fn list(
        &self,
        project: Option<ProjectId>,
        status: Option<InstanceStatus>,
        page: PageAt,
    ) -> Result<Page<Instance>, StoreError> {
        let after = match &page.cursor {
            Some(text) => cursor::name(text)?.0,
            None => String::new(),
        };
        let rows: Vec<Row> = self
            .0
            .readers
            .all(
                LIST,
                values![
                    after,
                    project.map(|id| id.0),
                    word_of(status.as_ref())?,
                    page::rows(&page),
                    self.0.place.get()
                ],
            )
            .await?;
        page::cut(
            &page,
            rows,
            |row| cursor::of_name(&row.name, row.id),
            Instance::try_from,
        )
    }

    async fn using_persona(&self, persona: &str) -> Result<u32, StoreError> {
        let using: i64 = self.0.readers.scalar(USING, values![persona]).await?;
        Ok(u32::try_from(using).unwrap_or(u32::MAX))
    }

    async fn purge(&self, before: Timestamp) -> Result<Vec<InstanceId>, StoreError> {
        self.0
            .writer
            .send(Purge(before, self.0.place.clone()))
            .await
    }
}
