//! One captain leads a project. Another takes its place only where that is said.

use super::{InstanceDesk, life};
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        ids::{InstanceId, ProjectId},
        instance::{Instance, Role},
        rights::{self, Deed, Who},
    },
    store::{Idempotency, PageAt},
};

/// What becomes of the captain that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Succession {
    /// It stays, and no other comes.
    Refused,
    /// It is stopped and leads no more. What it works on goes on to its end; what waits for it in the queue ends as `instance_not_running`.
    Explicit,
}

impl Succession {
    /// What was asked for.
    ///
    /// # Errors
    /// `forbidden` for an agent that may not.
    pub(super) fn asked(replace: bool, who: &Who) -> Result<Self, Fault> {
        if !replace {
            return Ok(Self::Refused);
        }
        rights::may(who, &Deed::ReplaceCaptain)?;
        Ok(Self::Explicit)
    }
}

impl InstanceDesk {
    /// Whether the instance may be there beside the captain that its project has.
    pub(super) async fn may_lead(
        &self,
        instance: &Instance,
        succession: Succession,
    ) -> Result<(), Fault> {
        match (self.rival(instance).await?, succession) {
            (Some(captain), Succession::Refused) => Err(in_use(&captain)),
            (Some(_), Succession::Explicit) | (None, _) => Ok(()),
        }
    }

    /// Writes a new row, in one turn with looking for a captain; answers the one that it replaced.
    pub(super) async fn insert(
        &self,
        instance: &Instance,
        succession: Succession,
        key: Option<Idempotency>,
    ) -> Result<Option<Instance>, Fault> {
        let _turn = self.turn.lock().await;
        let rows = &self.parts.instances;
        let old = match (self.rival(instance).await?, succession) {
            (Some(captain), Succession::Refused) => return Err(in_use(&captain)),
            (old, _) => old,
        };
        // In this order a crash leaves a project without a captain, never one with two.
        if let Some(old) = &old {
            let mut deposed = old.clone();
            life::stop(&mut deposed);
            deposed.role = None;
            rows.update(deposed).await?;
        }
        let inserted = match key {
            Some(key) => rows.insert_once(instance.clone(), key).await,
            None => rows.insert(instance.clone()).await,
        };
        if let Err(error) = inserted {
            if let Some(old) = old {
                rows.update(old).await?;
            }
            return Err(error.into());
        }
        match old {
            Some(old) => Ok(Some(rows.get(old.id).await?)),
            None => Ok(None),
        }
    }

    /// What follows from having been replaced: its agent is let go, and its files say no more that it leads.
    pub(super) async fn deposed(&self, old: Instance) {
        self.parts.surroundings.unpin(&old).await;
        self.tell(&old, "replaced", None).await;
        let name = old.name.clone();
        if let Err(fault) = self.renew(old).await {
            tracing::warn!(instance = %name, %fault, "the files of a replaced captain were left as they are");
        }
    }

    /// Takes a row out of the trash, in one turn with looking for a captain.
    pub(super) async fn undelete(
        &self,
        id: InstanceId,
        change: impl FnOnce(&mut Instance) + Send,
    ) -> Result<Instance, Fault> {
        let _turn = self.turn.lock().await;
        let mut instance = self.parts.instances.get(id).await?;
        if let Some(captain) = self.rival(&instance).await? {
            return Err(in_use(&captain));
        }
        change(&mut instance);
        self.parts.instances.update(instance.clone()).await?;
        Ok(instance)
    }

    /// The captain of the project that this one is to lead.
    async fn rival(&self, instance: &Instance) -> Result<Option<Instance>, Fault> {
        match (instance.role, instance.project) {
            (Some(Role::Captain), Some(project)) => self.captain_of(project).await,
            _ => Ok(None),
        }
    }

    async fn captain_of(&self, project: ProjectId) -> Result<Option<Instance>, Fault> {
        let mut cursor = None;
        loop {
            let at = PageAt { cursor, limit: 200 };
            let page = self.parts.instances.list(Some(project), None, at).await?;
            let mut all = page.items.into_iter();
            if let Some(captain) = all.find(|one| one.role == Some(Role::Captain)) {
                return Ok(Some(captain));
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(None);
            }
        }
    }
}

fn in_use(captain: &Instance) -> Fault {
    let detail = format!("\"{}\" is the captain of this project", captain.name);
    Fault::new(ErrorKind::InUse, detail)
        .field("role")
        .hint(
            "delegate to that captain, or create a talon below it; only a person or a commander replaces it, and says so: \
             `eyas instance create NAME --role captain --project PATH --replace`, or instance.create with replace: true",
        )
}
