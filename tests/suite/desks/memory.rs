//! Just enough of a store.

use async_trait::async_trait;
use eyas::{
    domain::{
        caller::Caller,
        event::{Event, EventKind, NewEvent},
        fault::{ErrorKind, Fault},
        ids::{InstanceId, ProjectId, RunId},
        instance::{Instance, InstanceStatus},
        page::Page,
        project::ProjectRow,
        rights::{Standing, Who},
        time::Timestamp,
    },
    hub::instance::Surroundings,
    store::{EventFilter, Events, Idempotency, Instances, PageAt, Projects, StoreError},
};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) rows: Mutex<Vec<Instance>>,
    pub(super) keys: Mutex<Vec<(Idempotency, InstanceId)>>,
    pub(super) told: Mutex<Vec<String>>,
    pub(super) full: AtomicBool,
}

fn absent(name: &impl ToString) -> StoreError {
    StoreError::NotFound {
        noun: "instance",
        name: name.to_string(),
    }
}

impl Memory {
    fn put(&self, instance: Instance, new: bool) -> Result<(), StoreError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the disk is full".into()));
        }
        let mut rows = self.rows.lock().unwrap();
        let rival = |row: &Instance| {
            row.id != instance.id && row.name == instance.name && row.deleted_at.is_none()
        };
        if instance.deleted_at.is_none() && rows.iter().any(rival) {
            return Err(StoreError::NameExists(instance.name));
        }
        if !new {
            rows.retain(|row| row.id != instance.id);
        }
        rows.push(instance);
        Ok(())
    }

    fn one(&self, name: &str, pick: impl Fn(&Instance) -> bool) -> Result<Instance, StoreError> {
        self.rows
            .lock()
            .unwrap()
            .iter()
            .rev()
            .find(|row| pick(row))
            .cloned()
            .ok_or_else(|| absent(&name))
    }
}

#[async_trait]
impl Instances for Memory {
    async fn insert(&self, instance: Instance) -> Result<(), StoreError> {
        self.put(instance, true)
    }
    async fn insert_once(&self, instance: Instance, key: Idempotency) -> Result<(), StoreError> {
        let id = instance.id;
        self.put(instance, true)?;
        self.keys.lock().unwrap().push((key, id));
        Ok(())
    }
    async fn keyed(&self, key: &Idempotency) -> Result<Option<InstanceId>, StoreError> {
        let keys = self.keys.lock().unwrap();
        let found = keys
            .iter()
            .find(|(known, _)| known.scope == key.scope && known.key == key.key);
        match found {
            Some((known, id)) if known == key => Ok(Some(*id)),
            Some(_) => Err(StoreError::IdempotencyConflict(key.key.clone())),
            None => Ok(None),
        }
    }
    async fn update(&self, instance: Instance) -> Result<(), StoreError> {
        self.put(instance, false)
    }
    async fn begin(&self, id: InstanceId) -> Result<bool, StoreError> {
        let mut rows = self.rows.lock().unwrap();
        let created = |row: &&mut Instance| {
            row.id == id && row.deleted_at.is_none() && row.status == InstanceStatus::Created
        };
        let found = rows.iter_mut().find(created);
        Ok(found
            .map(|row| row.status = InstanceStatus::Running)
            .is_some())
    }
    async fn get(&self, id: InstanceId) -> Result<Instance, StoreError> {
        self.one(&id.to_string(), |row| row.id == id)
    }
    async fn by_name(&self, name: &str) -> Result<Instance, StoreError> {
        self.one(name, |row| row.name == name && row.deleted_at.is_none())
    }
    async fn in_trash(&self, name: &str) -> Result<Instance, StoreError> {
        self.one(name, |row| row.name == name && row.deleted_at.is_some())
    }
    async fn list(
        &self,
        project: Option<ProjectId>,
        status: Option<InstanceStatus>,
        _: PageAt,
    ) -> Result<Page<Instance>, StoreError> {
        let rows = self.rows.lock().unwrap();
        let rows = rows.iter().filter(|row| row.deleted_at.is_none());
        let rows = rows.filter(|row| project.is_none() || row.project == project);
        let items = rows
            .filter(|row| status.is_none_or(|status| row.status == status))
            .cloned()
            .collect();
        Ok(Page {
            items,
            next_cursor: None,
        })
    }
    async fn using_persona(&self, persona: &str) -> Result<u32, StoreError> {
        let rows = self.rows.lock().unwrap();
        let users = rows
            .iter()
            .filter(|row| row.deleted_at.is_none() && row.persona.as_deref() == Some(persona));
        Ok(users.count().try_into().unwrap())
    }
    async fn purge(&self, before: Timestamp) -> Result<Vec<InstanceId>, StoreError> {
        let old = |row: &Instance| row.deleted_at.is_some_and(|at| at < before);
        Ok(self
            .rows
            .lock()
            .unwrap()
            .extract_if(.., |row| old(row))
            .map(|row| row.id)
            .collect())
    }
}

pub(super) fn project() -> ProjectRow {
    ProjectRow {
        id: ProjectId("018f0000-0000-7000-8000-000000000001".parse().unwrap()),
        name: "eyrie".into(),
        path: "/nowhere/eyrie".into(),
        unregistered: false,
        trust: None,
        status: None,
        host: None,
        last_opened_at: None,
        created_at: Timestamp(0),
    }
}

#[async_trait]
impl Projects for Memory {
    async fn register(&self, row: ProjectRow, _: bool) -> Result<ProjectRow, StoreError> {
        Ok(row)
    }
    async fn update(&self, _: ProjectRow) -> Result<(), StoreError> {
        Ok(())
    }
    async fn get(&self, _: ProjectId) -> Result<ProjectRow, StoreError> {
        Ok(project())
    }
    async fn by_path(&self, _: &str) -> Result<ProjectRow, StoreError> {
        Ok(project())
    }
    async fn by_name(&self, _: &str) -> Result<Vec<ProjectRow>, StoreError> {
        Ok(vec![project()])
    }
    async fn forgotten(&self, _: &str) -> Result<Vec<ProjectRow>, StoreError> {
        Ok(vec![project()])
    }
    async fn list(&self, _: PageAt) -> Result<Page<ProjectRow>, StoreError> {
        Ok(Page {
            items: vec![project()],
            next_cursor: None,
        })
    }
}

#[async_trait]
impl Events for Memory {
    async fn record(
        &self,
        _: Option<ProjectId>,
        instance: Option<InstanceId>,
        event: NewEvent,
    ) -> Result<(), StoreError> {
        assert!(instance.is_some());
        self.told
            .lock()
            .unwrap()
            .push(event.data["change"].as_str().unwrap().to_owned());
        Ok(())
    }
    async fn after(
        &self,
        _: Option<String>,
        _: EventFilter,
        _: u32,
    ) -> Result<Vec<Event>, StoreError> {
        Ok(Vec::new())
    }
    async fn keeps(&self, _: &str) -> Result<bool, StoreError> {
        Ok(true)
    }
    async fn of_kinds(&self, _: RunId, _: &[EventKind]) -> Result<Vec<Event>, StoreError> {
        Ok(Vec::new())
    }
    async fn latest(&self) -> Result<Option<String>, StoreError> {
        Ok(None)
    }
}

/// Agents that pin unless told to fail; what was asked of them is kept.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) asked: Mutex<Vec<String>>,
    pub(super) broken: AtomicBool,
    /// Where every agent stands.
    pub(super) standing: Mutex<Standing>,
}

impl Around {
    fn ask(&self, what: &str, instance: &Instance) {
        self.asked
            .lock()
            .unwrap()
            .push(format!("{what} {}", instance.name));
    }
}

#[async_trait]
impl Surroundings for Around {
    async fn installed(&self, agent: &str) -> Result<(), Fault> {
        if agent == "absent" {
            return Err(Fault::new(ErrorKind::AgentNotFound, "no such agent"));
        }
        Ok(())
    }
    async fn project(&self, reference: &str) -> Result<ProjectRow, Fault> {
        if reference == "eyrie" {
            Ok(project())
        } else {
            Err(Fault::not_found("project", reference))
        }
    }
    async fn known_project(&self, reference: &str) -> Result<ProjectRow, Fault> {
        self.project(reference).await
    }
    async fn who(&self, caller: Option<Caller>) -> Result<Who, Fault> {
        Ok(match caller {
            None | Some(Caller::Person) => Who::Person,
            Some(Caller::Session(_)) => Who::Agent(self.standing.lock().unwrap().clone()),
            Some(Caller::Stray) => Who::Stray,
        })
    }
    async fn pin(&self, instance: &Instance) -> Result<(), Fault> {
        self.ask("pin", instance);
        if self.broken.load(Ordering::Relaxed) {
            return Err(Fault::new(ErrorKind::AgentSpawn, "it does not start"));
        }
        Ok(())
    }
    async fn unpin(&self, instance: &Instance) {
        self.ask("unpin", instance);
    }
    async fn cancel_runs(&self, instance: &Instance, _: &str) -> Result<(), Fault> {
        self.ask("cancel", instance);
        Ok(())
    }
}
