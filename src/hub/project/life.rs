//! Init, activate, deactivate, stop: what starts or ends something.

use super::{ProjectVerbs, is_initialized};
use crate::{
    api::project::ProjectStopped,
    config::project_file::PROJECT_FILE,
    domain::{
        event::EventKind,
        fault::{ErrorKind, Fault},
        project::{Project, ProjectRow, ProjectStatus},
        time::Timestamp,
    },
    hub::{peers::PeerRef, rights::on_disk},
    stdx::{atomic, clock},
    store::RunFilter,
};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// For cancelled runs to end by themselves, before their agents are ended under them.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a new project file says: nothing, with all that it could say as comments.
const BLANK: &str = include_str!("blank.toml");

/// A project without a file of its own.
pub(crate) fn needs_init(row: &ProjectRow) -> Fault {
    Fault::new(
        ErrorKind::ProjectNeedsInit,
        format!("project \"{}\" has no {PROJECT_FILE}", row.name),
    )
    .hint(format!(
        "write one with project {{action: \"init\", project: \"{}\"}}",
        row.path
    ))
}

impl ProjectVerbs {
    /// `project.init`
    pub(super) async fn begin(&self, row: ProjectRow) -> Result<ProjectRow, Fault> {
        self.must_be_there(&row)?;
        let desk = &self.desk;
        desk.modify(row.id, |row| row.status = Some(ProjectStatus::Initializing))
            .await?;
        let path = Path::new(&row.path).join(PROJECT_FILE);
        let named = path.display().to_string();
        let written = on_disk(move || {
            atomic::create(&path, BLANK.as_bytes(), 0o644).map_err(|error| {
                Fault::invalid(
                    "project",
                    format!("cannot be initialised: {named}: {error}"),
                )
            })
        });
        let usable = match written.await {
            Ok(written) if !is_initialized(Path::new(&row.path)) => Err(Fault::invalid(
                "project",
                format!("has a {PROJECT_FILE} that is no regular file (written: {written})"),
            )),
            other => other,
        };
        let status = usable.is_err().then_some(ProjectStatus::Error);
        let row = desk.modify(row.id, |row| row.status = status).await?;
        if usable? {
            desk.changed(&row, "initialized").await;
        }
        Ok(row)
    }

    /// `project.activate`. What cannot be started leaves the caller where it was.
    pub(super) async fn enter(
        &self,
        row: ProjectRow,
        peer: Option<PeerRef>,
    ) -> Result<Project, Fault> {
        self.must_be_there(&row)?;
        let desk = &self.desk;
        if !is_initialized(Path::new(&row.path)) {
            let waits = Some(ProjectStatus::Initializing);
            let row = desk.modify(row.id, |row| row.status = waits).await?;
            desk.statuses.seen(&row, ProjectStatus::Initializing);
            desk.tell(&row, EventKind::ProjectInitRequired, json!({}))
                .await;
            return Err(needs_init(&row));
        }
        let before = peer.as_ref().and_then(|peer| peer.activate(Some(row.id)));
        desk.activity.look().await;
        let started = self.start(&row, peer.as_ref()).await;
        let status = started.is_err().then_some(ProjectStatus::Error);
        let now = Timestamp(clock::now_ms());
        let row = desk
            .modify(row.id, |row| {
                row.status = status;
                row.last_opened_at = Some(now);
            })
            .await?;
        if let Err(fault) = started {
            if let Some(peer) = &peer {
                peer.activate(before);
            }
            desk.activity.look().await;
            desk.statuses.seen(&row, ProjectStatus::Error);
            return Err(fault);
        }
        if before != Some(row.id) {
            let peer = peer.as_ref().map(|peer| peer.id);
            let data = json!({"active": true, "peer": peer});
            desk.tell(&row, EventKind::ProjectSwitched, data).await;
        }
        desk.shown(row, peer.as_ref()).await
    }

    /// An agent that is there already is the person's from now on; where another process serves, delegations are cold.
    async fn start(&self, row: &ProjectRow, peer: Option<&PeerRef>) -> Result<(), Fault> {
        let root = Path::new(&row.path);
        let there = self.desk.sight(peer).await.of(root).next().is_some();
        if there || self.desk.is_external(root).is_some() {
            return Ok(());
        }
        let values = peer.map(PeerRef::values);
        match self.control.warm_up(row, values).await {
            Err(fault) if fault.kind == ErrorKind::ExternalInstance => Ok(()),
            started => started,
        }
    }

    /// `project.deactivate`
    pub(super) async fn leave(&self, peer: Option<PeerRef>) -> Result<Option<Project>, Fault> {
        let Some(left) = peer.as_ref().and_then(|peer| peer.activate(None)) else {
            return Ok(None);
        };
        let desk = &self.desk;
        desk.activity.look().await;
        let row = desk.store.projects.get(left).await?;
        let data = json!({"active": false, "peer": peer.as_ref().map(|peer| peer.id)});
        desk.tell(&row, EventKind::ProjectSwitched, data).await;
        desk.shown(row, peer.as_ref()).await.map(Some)
    }

    /// `project.stop`
    pub(super) async fn halt(
        &self,
        row: ProjectRow,
        peer: Option<PeerRef>,
    ) -> Result<ProjectStopped, Fault> {
        let desk = &self.desk;
        let root = PathBuf::from(&row.path);
        let ours = desk.sight(None).await.of(&root).next().is_some();
        if !ours && let Some(fault) = desk.is_external(&root) {
            return Err(fault);
        }
        let filter = RunFilter {
            project: Some(row.id),
            ..RunFilter::default()
        };
        let ended = self
            .control
            .cancel(filter, "the project was stopped")
            .await?;
        self.ended(&row).await?;
        self.close(&row).await;
        let row = desk.modify(row.id, |row| row.status = None).await?;
        desk.changed(&row, "stopped").await;
        Ok(ProjectStopped {
            project: desk.shown(row, peer.as_ref()).await?,
            delegations_ended: ended,
        })
    }

    /// Nobody works there any more, and no agent of ours.
    pub(super) async fn close(&self, row: &ProjectRow) {
        let was_active = self.desk.peers.active().contains(&row.id);
        self.desk.peers.leave(row.id);
        self.desk.activity.look().await;
        if was_active {
            let data = json!({"active": false});
            self.desk.tell(row, EventKind::ProjectSwitched, data).await;
        }
        self.desk.pool.end(PathBuf::from(&row.path)).await;
    }

    /// Until no run of the project is open, or patience is over.
    async fn ended(&self, row: &ProjectRow) -> Result<(), Fault> {
        let store = &self.desk.store;
        let mut changes = store.changes.subscribe();
        let until = Instant::now() + PATIENCE;
        while store.runs.open(Some(row.id)).await? > 0 {
            // Any change is a reason to look, one that was missed too.
            if tokio::time::timeout_at(until, changes.recv())
                .await
                .is_err()
            {
                tracing::warn!(project = %row.path, "runs do not end; their agents are ended under them");
                break;
            }
        }
        Ok(())
    }

    fn must_be_there(&self, row: &ProjectRow) -> Result<(), Fault> {
        if Path::new(&row.path).is_dir() {
            return Ok(());
        }
        self.desk.statuses.seen(row, ProjectStatus::Missing);
        let detail = format!(
            "the directory of project \"{}\" is gone: {}",
            row.name, row.path
        );
        Err(Fault::new(ErrorKind::NotFound, detail)
            .field("project")
            .hint("put it back, or unregister the project"))
    }
}

#[cfg(test)]
mod tests {
    use super::BLANK;
    use crate::domain::project_file::ProjectFile;

    #[test]
    fn a_new_file_says_nothing_and_can_say_everything() {
        let file: ProjectFile = toml::from_str(BLANK).expect("comments");
        assert_eq!(file, ProjectFile::default());
        // Prose has a space after its sign, a setting has none.
        let said: Vec<&str> = BLANK
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| !line.is_empty() && !line.starts_with(' '))
            .collect();
        let file: ProjectFile = toml::from_str(&said.join("\n")).expect("each is a setting");
        let said = serde_json::to_value(&file).expect("plain data");
        for key in ["persona", "agent", "mode", "max_concurrent"] {
            assert!(!said[key].is_null(), "{key}: {said}");
        }
        assert!(file.policy.security.is_some() && file.policy.ask.is_some());
        assert!(!file.environment.is_empty() && !file.setup.commands.is_empty());
    }
}
