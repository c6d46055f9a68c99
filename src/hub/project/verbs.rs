//! The calls of `project.*`.

use super::{Ground, ProjectDesk, check_name, must_be_ours, not_registered, root};
use crate::{
    api::{
        hub::Nothing,
        project::{
            ProjectApiServer, ProjectList, ProjectName, ProjectRegister, ProjectRename,
            ProjectSession, ProjectSessions, ProjectStopped, ProjectTrust, TrustView,
        },
    },
    domain::{
        fault::{ErrorKind, Fault},
        page::Page,
        project::{Project, ProjectRow},
        rights::Deed,
    },
    hub::{
        control::Control,
        peers::PeerRef,
        rights::{Asker, caller, person_only, to_the_end},
    },
    store::PageAt,
};
use async_trait::async_trait;
use jsonrpsee::Extensions;
use std::{path::Path, sync::Arc};

/// Serves `project.*`. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ProjectVerbs {
    pub(crate) desk: ProjectDesk,
    pub(crate) control: Arc<Control>,
}

impl ProjectVerbs {
    /// Passes whoever may make a directory a project.
    async fn may_register(&self, ext: &Extensions) -> Result<Asker, Fault> {
        let asker = self.control.runs.rights.asker(caller(ext)).await?;
        asker.may(&Deed::RegisterProject)?;
        Ok(asker)
    }

    /// As [`ProjectDesk::find`]; a path of no project becomes one.
    async fn meant(&self, named: &str, peer: Option<&PeerRef>) -> Result<ProjectRow, Fault> {
        if named.is_empty() {
            return Err(Fault::required("project"));
        }
        match self.desk.ground_of(Some(named), peer).await? {
            Ground::Project(row) => must_be_ours(&row).map(|()| row),
            Ground::Unregistered(root) => Err(not_registered(&root.to_string_lossy())),
        }
    }

    /// As [`ProjectDesk::find`], on this host.
    async fn ours(&self, named: &str) -> Result<ProjectRow, Fault> {
        let row = self.desk.find(named).await?;
        must_be_ours(&row)?;
        Ok(row)
    }
}

#[async_trait]
impl ProjectApiServer for ProjectVerbs {
    async fn list(&self, ext: &Extensions, params: ProjectList) -> Result<Page<Project>, Fault> {
        let at = PageAt {
            cursor: params.cursor,
            limit: params.limit.unwrap_or(0),
        };
        let page = self.desk.store.projects.list(at).await?;
        let sight = self.desk.sight(ext.get::<PeerRef>()).await;
        let mut items = Vec::with_capacity(page.items.len());
        for row in page.items {
            items.push(self.desk.view(row, &sight).await?);
        }
        Ok(Page {
            items,
            next_cursor: page.next_cursor,
        })
    }

    async fn get(&self, ext: &Extensions, params: ProjectName) -> Result<Project, Fault> {
        let row = self.desk.find(&params.project).await?;
        self.desk.shown(row, ext.get::<PeerRef>()).await
    }

    async fn register(&self, ext: &Extensions, params: ProjectRegister) -> Result<Project, Fault> {
        let asker = self.may_register(ext).await?;
        params.name.as_deref().map(check_name).transpose()?;
        let peer = ext.get::<PeerRef>();
        let cwd = peer.and_then(PeerRef::cwd);
        let root = root::root_of(&params.path, cwd.as_deref().map(Path::new), &self.desk.home)?;
        // What a person unregistered, only a person brings back; and a whole home is a project only where a person says so.
        let explicit = matches!(asker, Asker::Person);
        if !explicit && !root::may_be_default(&root, &self.desk.home) {
            let detail = format!(
                "{} as a whole is a project only for a person",
                root.display()
            );
            return Err(Fault::new(ErrorKind::Forbidden, detail));
        }
        let row = self.desk.registered(&root, params.name, explicit).await?;
        if row.unregistered {
            return Err(not_registered(&row.path));
        }
        self.desk.changed(&row, "registered").await;
        self.desk.shown(row, peer).await
    }

    async fn unregister(&self, ext: &Extensions, params: ProjectName) -> Result<Project, Fault> {
        person_only(ext)?;
        let row = self.ours(&params.project).await?;
        let open = self.desk.store.runs.open(Some(row.id)).await?;
        if open > 0 {
            return Err(Fault::new(
                ErrorKind::InUse,
                format!("{open} runs of \"{}\" are open", row.name),
            )
            .hint("wait for them, or cancel them"));
        }
        let (verbs, peer) = (self.clone(), ext.get::<PeerRef>().cloned());
        to_the_end(async move {
            let desk = &verbs.desk;
            let row = desk.modify(row.id, |row| row.unregistered = true).await?;
            verbs.close(&row).await;
            desk.changed(&row, "unregistered").await;
            desk.shown(row, peer.as_ref()).await
        })
        .await
    }

    async fn rename(&self, ext: &Extensions, params: ProjectRename) -> Result<Project, Fault> {
        person_only(ext)?;
        check_name(&params.name)?;
        let row = self.desk.find(&params.project).await?;
        let row = self.desk.modify(row.id, |row| row.name = params.name);
        let row = row.await?;
        self.desk.changed(&row, "renamed").await;
        self.desk.shown(row, ext.get::<PeerRef>()).await
    }

    async fn init(&self, ext: &Extensions, params: ProjectName) -> Result<Project, Fault> {
        let asker = self.may_register(ext).await?;
        let (verbs, peer) = (self.clone(), ext.get::<PeerRef>().cloned());
        if !matches!(asker, Asker::Person) {
            // An agent prepares what is registered; which project is worked in is a person's to say.
            let row = self.ours(&params.project).await?;
            let row = to_the_end(async move { verbs.begin(row).await }).await?;
            return self.desk.shown(row, None).await;
        }
        let row = self.meant(&params.project, peer.as_ref()).await?;
        to_the_end(async move {
            let row = verbs.begin(row).await?;
            verbs.enter(row, peer).await
        })
        .await
    }

    async fn trust(&self, ext: &Extensions, params: ProjectTrust) -> Result<TrustView, Fault> {
        person_only(ext)?;
        self.desk.trust_file(params).await
    }

    async fn activate(&self, ext: &Extensions, params: ProjectName) -> Result<Project, Fault> {
        person_only(ext)?;
        let (verbs, peer) = (self.clone(), ext.get::<PeerRef>().cloned());
        let row = self.meant(&params.project, peer.as_ref()).await?;
        to_the_end(async move { verbs.enter(row, peer).await }).await
    }

    async fn deactivate(&self, ext: &Extensions, _: Nothing) -> Result<Option<Project>, Fault> {
        person_only(ext)?;
        self.leave(ext.get::<PeerRef>().cloned()).await
    }

    async fn stop(&self, ext: &Extensions, params: ProjectName) -> Result<ProjectStopped, Fault> {
        person_only(ext)?;
        let (verbs, peer) = (self.clone(), ext.get::<PeerRef>().cloned());
        let row = self.ours(&params.project).await?;
        to_the_end(async move { verbs.halt(row, peer).await }).await
    }

    async fn sessions(&self, params: ProjectSessions) -> Result<Page<ProjectSession>, Fault> {
        self.desk.conversations(params).await
    }
}
