//! `project.*`: registered directories, and which of them a call means.

mod root;
mod terms;

pub(crate) use terms::terms_of;

use super::{peers::PeerRef, rights::person_only};
use crate::{
    agents::pool::{Pool, WarmRow},
    api::project::{ProjectApiServer, ProjectList, ProjectName, ProjectRegister, ProjectRename},
    domain::{
        event::{EventKind, NewEvent},
        fault::{ErrorKind, Fault},
        ids::ProjectId,
        page::Page,
        project::{Project, ProjectRow, ProjectStatus},
        time::Timestamp,
    },
    stdx::{self, clock},
    store::{PageAt, Store, StoreError},
};
use async_trait::async_trait;
use jsonrpsee::Extensions;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Serves `project.*`.
#[derive(Clone, Debug)]
pub(crate) struct ProjectDesk {
    store: Store,
    pool: Pool,
    /// The person's home directory: never a project by default.
    home: PathBuf,
}

/// Where a delegation works.
#[derive(Clone, Debug)]
pub(crate) enum Ground {
    /// A registered project.
    Project(ProjectRow),
    /// A directory that a person unregistered: worked in, never kept warm.
    Unregistered(PathBuf),
}

impl ProjectDesk {
    /// A desk over a store and the pool.
    #[must_use]
    pub(crate) fn new(store: Store, pool: Pool, home: &Path) -> Self {
        // Roots are canonical: a home by way of a link would be no root's equal.
        let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
        Self { store, pool, home }
    }

    /// The registered project of that name, id or path.
    ///
    /// # Errors
    /// `not_found` with the nearest name; `invalid_params` when several have the name.
    pub(crate) async fn find(&self, named: &str) -> Result<ProjectRow, Fault> {
        if named.is_empty() {
            return Err(Fault::required("project"));
        }
        let row = if let Ok(id) = named.parse::<ProjectId>() {
            self.store.projects.get(id).await.map_err(Fault::from)?
        } else if named.starts_with(['/', '~']) {
            self.at(named).await?
        } else {
            self.by_name(named).await?
        };
        if row.unregistered {
            return Err(not_registered(&row.path));
        }
        Ok(row)
    }

    /// The row of a path. A directory that is gone can still be named as it was registered.
    async fn at(&self, path: &str) -> Result<ProjectRow, Fault> {
        let root = match root::root_of(path, None, &self.home) {
            Ok(root) => root,
            Err(fault) => {
                let known = self.store.projects.by_path(path).await;
                return known.or(Err(fault));
            }
        };
        Ok(self.store.projects.by_path(&root.to_string_lossy()).await?)
    }

    /// As [`ProjectDesk::find`]; a path that is not registered yet becomes a project.
    ///
    /// # Errors
    /// `project_not_registered` when a person unregistered it.
    pub(crate) async fn find_or_register(&self, named: &str) -> Result<ProjectRow, Fault> {
        match self.ground(Some(named), None).await? {
            Ground::Project(row) => Ok(row),
            Ground::Unregistered(root) => Err(not_registered(&root.to_string_lossy())),
        }
    }

    async fn by_name(&self, name: &str) -> Result<ProjectRow, Fault> {
        let mut rows = self.store.projects.by_name(name).await?;
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            (Some(_), false) => Err(Fault::invalid(
                "project",
                format!("\"{name}\" is the name of several"),
            )
            .hint("name it by its path or id")),
            (None, _) => {
                let known = self
                    .store
                    .projects
                    .list(PageAt {
                        cursor: None,
                        limit: 200,
                    })
                    .await?;
                let names = known.items.iter().map(|row| row.name.as_str());
                Err(Fault::not_found_among(
                    "project",
                    name,
                    names,
                    "project {action: \"list\"}",
                ))
            }
        }
    }

    /// Where a delegation works that names `project`, or else runs in `cwd`. A path that is not registered yet becomes a project.
    ///
    /// # Errors
    /// `required_field` when nothing is named and the directory is `/`, the home, or unknown.
    pub(crate) async fn ground(
        &self,
        named: Option<&str>,
        cwd: Option<&Path>,
    ) -> Result<Ground, Fault> {
        let root = match named {
            Some(path) if path.starts_with(['/', '~', '.']) => {
                root::root_of(path, cwd, &self.home)?
            }
            Some(name) => return self.find(name).await.map(Ground::Project),
            None => cwd
                .and_then(|cwd| root::root_of(&cwd.to_string_lossy(), None, &self.home).ok())
                .filter(|root| root::may_be_default(root, &self.home))
                .ok_or_else(|| {
                    Fault::required("project")
                        .hint("say which project: a name, an id, or the path of its directory")
                })?,
        };
        let row = self
            .store
            .projects
            .register(new_row(&root, None), false)
            .await?;
        if row.unregistered {
            return Ok(Ground::Unregistered(root));
        }
        Ok(Ground::Project(row))
    }

    /// The row as the API shows it.
    pub(crate) async fn view(&self, row: ProjectRow, warm: &[WarmRow]) -> Result<Project, Fault> {
        let path = PathBuf::from(&row.path);
        let serving = warm
            .iter()
            .filter(|agent| agent.root == path)
            .max_by_key(|agent| agent.generation);
        let status = match serving {
            Some(_) => ProjectStatus::Running,
            None if path.is_dir() => ProjectStatus::Stopped,
            None => ProjectStatus::Missing,
        };
        let trusted = self.terms(&row).trusted;
        Ok(Project {
            id: row.id,
            name: row.name,
            status,
            initialized: terms::is_initialized(&path),
            trusted,
            active: false,
            external: false,
            delegation_spawned: false,
            delegations: self.store.runs.open(Some(row.id)).await?,
            agent: serving.map(|agent| agent.agent.clone()),
            pid: serving.map(|agent| agent.pid),
            last_opened_at: row.last_opened_at,
            created_at: row.created_at,
            path: row.path,
        })
    }

    async fn shown(&self, row: ProjectRow) -> Result<Project, Fault> {
        self.view(row, &self.pool.rows().await).await
    }

    async fn changed(&self, row: &ProjectRow, what: &str) -> Result<(), StoreError> {
        let event = NewEvent {
            kind: EventKind::ProjectChanged,
            data: json!({"change": what, "name": row.name, "path": row.path}),
        };
        self.store.events.record(Some(row.id), None, event).await
    }
}

fn new_row(root: &Path, name: Option<String>) -> ProjectRow {
    let now = Timestamp(clock::now_ms());
    let own_name = root
        .file_name()
        .map_or_else(|| root.to_string_lossy(), std::ffi::OsStr::to_string_lossy);
    ProjectRow {
        id: stdx::mint().into(),
        name: name.unwrap_or_else(|| own_name.into_owned()),
        path: root.to_string_lossy().into_owned(),
        unregistered: false,
        trust: None,
        status: None,
        last_opened_at: Some(now),
        created_at: now,
    }
}

fn not_registered(path: &str) -> Fault {
    Fault::new(
        ErrorKind::ProjectNotRegistered,
        format!("{path} was unregistered"),
    )
    .hint("register it again with project {action: \"register\", project: PATH}")
}

/// A name of at most 128 bytes without control characters.
fn check_name(name: &str) -> Result<(), Fault> {
    match name {
        "" => Err(Fault::required("name")),
        _ if name.len() > 128 || name.chars().any(char::is_control) => Err(Fault::invalid(
            "name",
            "must be at most 128 bytes of plain text",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

#[async_trait]
impl ProjectApiServer for ProjectDesk {
    async fn list(&self, params: ProjectList) -> Result<Page<Project>, Fault> {
        let at = PageAt {
            cursor: params.cursor,
            limit: params.limit.unwrap_or(0),
        };
        let page = self.store.projects.list(at).await?;
        let warm = self.pool.rows().await;
        let mut items = Vec::with_capacity(page.items.len());
        for row in page.items {
            items.push(self.view(row, &warm).await?);
        }
        Ok(Page {
            items,
            next_cursor: page.next_cursor,
        })
    }

    async fn get(&self, params: ProjectName) -> Result<Project, Fault> {
        self.shown(self.find(&params.project).await?).await
    }

    async fn register(&self, ext: &Extensions, params: ProjectRegister) -> Result<Project, Fault> {
        person_only(ext)?;
        params.name.as_deref().map(check_name).transpose()?;
        let cwd = ext.get::<PeerRef>().and_then(PeerRef::cwd);
        let root = root::root_of(&params.path, cwd.as_deref().map(Path::new), &self.home)?;
        let row = self
            .store
            .projects
            .register(new_row(&root, params.name), true)
            .await?;
        self.changed(&row, "registered").await?;
        self.shown(row).await
    }

    async fn unregister(&self, ext: &Extensions, params: ProjectName) -> Result<Project, Fault> {
        person_only(ext)?;
        let mut row = self.find(&params.project).await?;
        let open = self.store.runs.open(Some(row.id)).await?;
        if open > 0 {
            return Err(Fault::new(
                ErrorKind::InUse,
                format!("{open} runs of \"{}\" are open", row.name),
            )
            .hint("wait for them, or cancel them"));
        }
        row.unregistered = true;
        self.store.projects.update(row.clone()).await?;
        self.changed(&row, "unregistered").await?;
        self.shown(row).await
    }

    async fn rename(&self, ext: &Extensions, params: ProjectRename) -> Result<Project, Fault> {
        person_only(ext)?;
        check_name(&params.name)?;
        let mut row = self.find(&params.project).await?;
        row.name = params.name;
        self.store.projects.update(row.clone()).await?;
        self.changed(&row, "renamed").await?;
        self.shown(row).await
    }
}
