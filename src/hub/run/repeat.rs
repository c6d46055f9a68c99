//! A delegation that came before, under the same key.
//!
//! It is looked for before anything that it needed is, as its agent, its project or its room may be gone by now. What is not found here is
//! looked for once more where a run is written; that look alone says what a key means.

use super::{
    RunDesk,
    delegate::{fingerprint, scope},
    lineage::Origin,
};
use crate::{
    api::run::Delegate,
    domain::{
        fault::Fault,
        ids::{InstanceId, ProjectId},
        instance::Instance,
        run::Run,
    },
    hub::project::{PastGround, found},
    store::SessionRow,
};
use std::path::Path;

/// Where a key was used, and the directory that belongs to the request.
struct Place {
    scope: String,
    cwd: String,
}

impl Place {
    fn new(
        instance: Option<InstanceId>,
        project: Option<ProjectId>,
        cwd: impl Into<String>,
    ) -> Self {
        let cwd = cwd.into();
        Self {
            scope: scope(instance, project, &cwd),
            cwd,
        }
    }
}

impl RunDesk {
    /// The run that this very request has come to.
    pub(super) async fn known(
        &self,
        params: &Delegate,
        origin: &Origin<'_>,
        earlier: Option<&SessionRow>,
    ) -> Result<Option<Run>, Fault> {
        let Some(key) = &params.idempotency_key else {
            return Ok(None);
        };
        for place in self.places(params, origin, earlier).await? {
            let scope = origin.scope(place.scope);
            let known = self.store.runs.keyed(&scope, key).await?;
            if let Some((seen, run)) = known
                && seen == fingerprint(params, &place.cwd)
            {
                let mut run = self.store.runs.get(run).await?;
                run.duplicate = Some(true);
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// Wherever the request may have been accepted before.
    async fn places(
        &self,
        params: &Delegate,
        origin: &Origin<'_>,
        earlier: Option<&SessionRow>,
    ) -> Result<Vec<Place>, Fault> {
        let instance = match &params.instance {
            Some(named) => match self.past_instance(named).await? {
                Some(instance) => Some(instance),
                None => return Ok(Vec::new()),
            },
            None => None,
        };
        if let Some(session) = earlier {
            let is_same = instance.is_none_or(|it| session.instance == Some(it.id));
            let place = Place::new(session.instance, session.project, &session.cwd);
            return Ok(if is_same { vec![place] } else { Vec::new() });
        }
        let own = instance.as_ref().and_then(|instance| instance.project);
        let own = own.or_else(|| origin.project()).map(|id| id.to_string());
        let named = params.project.as_deref().or(own.as_deref());
        let cwd = origin.cwd();
        let mut grounds = self.projects.past(named, cwd.as_deref()).await?;
        if named.is_none()
            && let Origin::Person(Some(peer)) = origin
            && let Some(active) = peer.active()
        {
            let active = active.to_string();
            grounds.extend(self.projects.past(Some(&active), None).await?);
        }
        Ok(of(instance.as_ref(), grounds))
    }

    /// The instance of that name or id, in the trash too.
    async fn past_instance(&self, named: &str) -> Result<Option<Instance>, Fault> {
        let instances = &self.store.instances;
        if let Ok(id) = named.parse::<InstanceId>() {
            return Ok(found(instances.get(id).await)?);
        }
        match found(instances.by_name(named).await)? {
            Some(instance) => Ok(Some(instance)),
            None => Ok(found(instances.in_trash(named).await)?),
        }
    }
}

fn of(instance: Option<&Instance>, grounds: Vec<PastGround>) -> Vec<Place> {
    let id = instance.map(|instance| instance.id);
    // One that is in no project works in its own directory.
    let workspace = instance.map(|it| PastGround {
        path: Path::new(&it.workspace).to_owned(),
        project: None,
    });
    let all = grounds.into_iter().chain(workspace);
    all.map(|ground| Place::new(id, ground.project, ground.path.to_string_lossy()))
        .collect()
}
