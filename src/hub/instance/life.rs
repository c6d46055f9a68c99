//! Start, stop, delete, restore; what is cleared at the start of a hub and after 30 days.

use super::{InstanceDesk, bare, must_be_ours, on_disk, place::taken};
use crate::{
    api::instance::InstanceView,
    domain::{
        fault::{ErrorKind, Fault},
        ids::InstanceId,
        instance::{Health, Instance, InstanceStatus},
        time::Timestamp,
    },
    stdx::clock,
    store::PageAt,
};

/// How long a deleted instance is kept.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

impl InstanceDesk {
    /// `instance.start`; also how a delegation starts an instance that is `created`.
    ///
    /// # Errors
    /// What the agent's launch says; the instance is then in `error`.
    pub async fn launch(&self, instance: Instance) -> Result<Instance, Fault> {
        let starting = self
            .modify(instance.id, |one| one.status = InstanceStatus::Starting)
            .await?;
        self.tell(&starting, "starting", None).await;
        let pinned = self.parts.surroundings.pin(&starting).await;
        let (status, health) = match &pinned {
            Ok(()) => (InstanceStatus::Running, Health::Healthy),
            Err(_) => (InstanceStatus::Error, Health::Unhealthy),
        };
        // Whoever stopped or deleted it meanwhile has the last word.
        let settled = |one: &mut Instance| {
            if one.status == InstanceStatus::Starting && one.deleted_at.is_none() {
                (one.status, one.health) = (status, health);
            }
        };
        let now = self.modify(instance.id, settled).await?;
        if pinned.is_ok() && now.status != InstanceStatus::Running {
            self.parts.surroundings.unpin(&now).await;
        }
        self.tell(&now, "started", pinned.as_ref().err()).await;
        pinned.map(|()| now)
    }

    /// `instance.stop`. The status comes first, so that no delegation slips in behind the cancelling.
    pub(super) async fn halt(&self, instance: Instance) -> Result<Instance, Fault> {
        let stopped = self.modify(instance.id, stop).await?;
        self.let_go(&stopped, "the instance was stopped").await?;
        self.tell(&stopped, "stopped", None).await;
        Ok(stopped)
    }

    /// `instance.restart`.
    pub(super) async fn relaunch(&self, instance: Instance) -> Result<Instance, Fault> {
        let stopped = self.halt(instance).await?;
        let counted = self
            .modify(stopped.id, |one| {
                one.restart_count = one.restart_count.saturating_add(1);
            })
            .await?;
        Box::pin(self.launch(counted)).await
    }

    /// `instance.delete`.
    pub(super) async fn discard(&self, instance: Instance) -> Result<Instance, Fault> {
        let now = Timestamp(clock::now_ms());
        let gone = self
            .modify(instance.id, |one| {
                stop(one);
                one.deleted_at = Some(now);
            })
            .await?;
        // It is deleted from here on: what fails now is told, not undone.
        if let Err(fault) = self.let_go(&gone, "the instance was deleted").await {
            tracing::warn!(instance = %gone.name, %fault, "runs of a deleted instance were not cancelled");
        }
        let (parts, id) = (self.parts.clone(), gone.id);
        if let Err(fault) = on_disk(move || parts.workspaces.trash(id)).await {
            tracing::warn!(instance = %gone.name, %fault, "files of a deleted instance stay where they are");
        }
        self.tell(&gone, "deleted", None).await;
        Ok(gone)
    }

    /// `instance.restore`.
    pub(super) async fn bring_back(&self, name: &str) -> Result<InstanceView, Fault> {
        let old = self.deleted(name).await?;
        must_be_ours(&old)?;
        if self.parts.instances.by_name(&old.name).await.is_ok() {
            return Err(taken(&old.name).hint("delete the one that has the name now, then restore"));
        }
        let (parts, id) = (self.parts.clone(), old.id);
        let has_files = on_disk(move || parts.workspaces.restore(id)).await?;
        let back = self
            .undelete(id, |one| {
                one.deleted_at = None;
                (one.status, one.health) = (InstanceStatus::Created, Health::Unknown);
            })
            .await;
        let back = match back {
            Ok(back) => back,
            Err(fault) => {
                let parts = self.parts.clone();
                if let Err(again) = on_disk(move || parts.workspaces.trash(id)).await {
                    tracing::warn!(%id, fault = %again, "files did not go back to the trash");
                }
                return Err(fault);
            }
        };
        self.tell(&back, "restored", None).await;
        if has_files {
            Ok(bare(back))
        } else {
            self.renew(back).await
        }
    }

    async fn deleted(&self, name: &str) -> Result<Instance, Fault> {
        if name.is_empty() {
            return Err(Fault::required("name"));
        }
        let found = match name.parse::<InstanceId>() {
            Ok(id) => self.parts.instances.get(id).await,
            Err(_) => self.parts.instances.in_trash(name).await,
        };
        let found = found.map_err(Fault::from).and_then(|one| {
            if one.deleted_at.is_some() {
                Ok(one)
            } else {
                Err(Fault::not_found("instance", name))
            }
        });
        found.map_err(|fault| {
            if fault.kind != ErrorKind::NotFound {
                return fault;
            }
            let detail = format!("no deleted instance \"{name}\"");
            Fault::new(ErrorKind::NotFound, detail).hint("deleted instances are kept 30 days")
        })
    }

    async fn let_go(&self, instance: &Instance, reason: &str) -> Result<(), Fault> {
        let cancelled = self.parts.surroundings.cancel_runs(instance, reason).await;
        self.parts.surroundings.unpin(instance).await;
        cancelled
    }

    /// Removes for good what was deleted more than 30 days ago; answers how many.
    ///
    /// # Errors
    /// Those of the store. Files that cannot be removed are logged.
    pub async fn purge(&self) -> Result<usize, Fault> {
        let before = Timestamp(clock::now_ms() - KEPT_MS);
        let ids = self.parts.instances.purge(before).await?;
        for id in ids.iter().copied() {
            let parts = self.parts.clone();
            if let Err(fault) = on_disk(move || parts.workspaces.purge(id)).await {
                tracing::warn!(%id, %fault, "files of a purged instance were left");
            }
        }
        Ok(ids.len())
    }

    /// Clears what a crash left: half-written placements, files of deleted instances outside the trash. Files without any row go to the
    /// trash, for a database may have been lost and they may be all there is. Instances that a former hub had started are `created` again: no
    /// agent of theirs is pinned now, and the next delegation starts it. Called before anything is served.
    ///
    /// # Errors
    /// Those of store and file system.
    pub async fn recover(&self) -> Result<(), Fault> {
        let parts = self.parts.clone();
        for id in on_disk(move || parts.workspaces.sweep()).await? {
            let misplaced = match self.parts.instances.get(id).await.map_err(Fault::from) {
                Ok(instance) => instance.deleted_at.is_some(),
                Err(fault) if fault.kind == ErrorKind::NotFound => true,
                Err(fault) => return Err(fault),
            };
            if misplaced {
                let parts = self.parts.clone();
                on_disk(move || parts.workspaces.trash(id)).await?;
            }
        }
        for status in [InstanceStatus::Running, InstanceStatus::Starting] {
            self.unsettle(status).await?;
        }
        Ok(())
    }

    async fn unsettle(&self, status: InstanceStatus) -> Result<(), Fault> {
        let mut cursor = None;
        loop {
            let page = PageAt { cursor, limit: 200 };
            let page = self.parts.instances.list(None, Some(status), page).await?;
            for instance in page.items.iter().filter(|one| one.host.is_none()) {
                let reset = |one: &mut Instance| {
                    (one.status, one.health) = (InstanceStatus::Created, Health::Unknown);
                };
                let reset = self.modify(instance.id, reset).await?;
                self.tell(&reset, "hub_restarted", None).await;
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }
}

pub(super) fn stop(instance: &mut Instance) {
    (instance.status, instance.health) = (InstanceStatus::Stopped, Health::Unknown);
}
