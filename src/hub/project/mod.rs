//! `project.*`: registered directories, and which of them a call means.
//!
//! [`root`] and [`same`] say which directory is meant, [`terms`] what its own file may say, [`view`] and [`statuses`] how it is, [`activity`]
//! who works in it; [`verbs`] answers calls, of which those that start or end something are in [`life`].

mod activity;
mod life;
mod past;
mod root;
mod same;
mod sessions;
mod statuses;
mod terms;
mod trust;
mod verbs;
mod view;

pub(crate) use life::needs_init;
pub(crate) use past::{PastGround, found};
pub(crate) use terms::{is_initialized, terms_of};
pub(crate) use verbs::ProjectVerbs;

use super::{
    peers::{PeerRef, Peers},
    run::elsewhere,
};
use crate::{
    agents::pool::Pool,
    domain::{
        event::{EventKind, NewEvent},
        fault::{ErrorKind, Fault},
        ids::ProjectId,
        project::ProjectRow,
        time::Timestamp,
    },
    stdx::{self, clock},
    store::{PageAt, Store, StoreError},
    workspace::lock::Server,
};
use activity::Activity;
use serde_json::json;
use statuses::Statuses;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use terms::Named;
use tokio::sync::Mutex;

/// What is known of projects. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ProjectDesk {
    store: Store,
    pool: Pool,
    peers: Peers,
    /// Who we are to another process that looks at a project.
    server: Arc<Server>,
    /// The person's home directory: never a project by default.
    home: PathBuf,
    activity: Activity,
    statuses: Statuses,
    named: Named,
    /// Rows are read and written in one turn.
    turn: Arc<Mutex<()>>,
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
    /// A desk over a store, the pool and the faces that are there; `home` is the person's own.
    #[must_use]
    pub(crate) fn new(
        store: Store,
        pool: Pool,
        peers: Peers,
        server: Arc<Server>,
        home: &Path,
    ) -> Self {
        // Roots are canonical: a home by way of a link would be no root's equal.
        let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
        Self {
            activity: Activity::follow(store.clone(), pool.clone(), peers.clone()),
            statuses: Statuses::follow(store.clone(), pool.clone()),
            named: Named::default(),
            turn: Arc::default(),
            store,
            pool,
            peers,
            server,
            home,
        }
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
        match self.store.projects.by_path(&root.to_string_lossy()).await {
            Err(StoreError::NotFound { .. }) => self
                .twin(&root)
                .await?
                .ok_or_else(|| Fault::not_found("project", root.display())),
            found => Ok(found?),
        }
    }

    /// The row of the directory that `root` is by another path: a mount, a path that was no link when it was registered.
    async fn twin(&self, root: &Path) -> Result<Option<ProjectRow>, Fault> {
        let place = same::place(root);
        let mut cursor = None;
        loop {
            let page = self
                .store
                .projects
                .list(PageAt { cursor, limit: 200 })
                .await?;
            let is_it = |row: &ProjectRow| {
                place.is_some() && row.host.is_none() && same::place(Path::new(&row.path)) == place
            };
            if let Some(row) = page.items.into_iter().find(is_it) {
                return Ok(Some(row));
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(None);
            }
        }
    }

    /// The row of `root`, which becomes a project if it is none; one that was unregistered comes back only by name.
    async fn registered(
        &self,
        root: &Path,
        name: Option<String>,
        explicit: bool,
    ) -> Result<ProjectRow, Fault> {
        let row = new_row(root, name);
        // Every delegation comes by: one that is known waits for nobody.
        match self.store.projects.by_path(&row.path).await {
            Ok(known) if !known.unregistered || !explicit => return Ok(known),
            Ok(_) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let turn = self.turn.lock().await;
        let row = match self.twin(root).await? {
            Some(twin) => twin,
            None => self.store.projects.register(row, explicit).await?,
        };
        drop(turn);
        Ok(row)
    }

    /// As [`ProjectDesk::ground`] for a call of `peer`: where it runs in no project, the one that it works in.
    ///
    /// # Errors
    /// As [`ProjectDesk::ground`].
    pub(crate) async fn ground_of(
        &self,
        named: Option<&str>,
        peer: Option<&PeerRef>,
    ) -> Result<Ground, Fault> {
        let cwd = peer.and_then(PeerRef::cwd).map(PathBuf::from);
        let ground = self.ground(named, cwd.as_deref()).await;
        let nowhere = match &ground {
            Ok(Ground::Project(_)) => false,
            Ok(Ground::Unregistered(_)) => named.is_none(),
            Err(fault) => named.is_none() && fault.kind == ErrorKind::RequiredField,
        };
        if nowhere && let Some(active) = peer.and_then(PeerRef::active) {
            let row = self.store.projects.get(active).await?;
            if !row.unregistered {
                return Ok(Ground::Project(row));
            }
        }
        ground
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

    /// The registered projects of that name, id or path, on whatever host.
    pub(crate) async fn everywhere(&self, named: &str) -> Result<Vec<ProjectRow>, Fault> {
        if let Ok(id) = named.parse::<ProjectId>() {
            return Ok(vec![self.store.projects.get(id).await?]);
        }
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let page = PageAt { cursor, limit: 200 };
            let page = self.store.projects.list(page).await?;
            let is_it = |row: &ProjectRow| row.name == named || row.path == named;
            found.extend(page.items.into_iter().filter(is_it));
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    async fn by_name(&self, name: &str) -> Result<ProjectRow, Fault> {
        let mut rows = self.store.projects.by_name(name).await?;
        // Its own are nearer to a host than another's of the same name.
        if rows.iter().any(|row| row.host.is_none()) {
            rows.retain(|row| row.host.is_none());
        }
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
        let row = self.registered(&root, None, false).await?;
        if row.unregistered {
            return Ok(Ground::Unregistered(root));
        }
        Ok(Ground::Project(row))
    }

    /// Changes a row in one turn with reading it.
    async fn modify(
        &self,
        id: ProjectId,
        change: impl FnOnce(&mut ProjectRow) + Send,
    ) -> Result<ProjectRow, Fault> {
        let turn = self.turn.lock().await;
        let mut row = self.store.projects.get(id).await?;
        let before = row.clone();
        change(&mut row);
        if row != before {
            self.store.projects.update(row.clone()).await?;
        }
        drop(turn);
        Ok(row)
    }

    /// Writes what happened to the log. The change stands whether it can be told or not.
    async fn tell(&self, row: &ProjectRow, kind: EventKind, data: serde_json::Value) {
        let mut whole = json!({"name": row.name, "path": row.path});
        if let (Some(whole), serde_json::Value::Object(data)) = (whole.as_object_mut(), data) {
            whole.extend(data);
        }
        let event = NewEvent { kind, data: whole };
        let told = self.store.events.record(Some(row.id), None, event).await;
        if let Err(error) = told {
            tracing::warn!(project = %row.path, %error, "an event was not recorded");
        }
    }

    async fn changed(&self, row: &ProjectRow, what: &str) {
        let kind = EventKind::ProjectChanged;
        self.tell(row, kind, json!({"change": what})).await;
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
        host: None,
        last_opened_at: Some(now),
        created_at: now,
    }
}

/// Passes a project of this host.
fn must_be_ours(row: &ProjectRow) -> Result<(), Fault> {
    match &row.host {
        Some(host) => {
            let what = format!("\"{}\"", row.name);
            Err(elsewhere("project", &what, host))
        }
        None => Ok(()),
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
