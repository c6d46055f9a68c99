//! The conversations of a project.

use super::ProjectDesk;
use crate::{
    api::project::{ProjectSession, ProjectSessions},
    domain::{
        fault::Fault,
        ids::{RunId, SessionId},
        page::Page,
    },
    store::{PageAt, RunFilter, SessionRow},
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
};

impl ProjectDesk {
    /// `project.sessions`
    pub(super) async fn conversations(
        &self,
        params: ProjectSessions,
    ) -> Result<Page<ProjectSession>, Fault> {
        let row = self.find(&params.project).await?;
        let at = PageAt {
            cursor: params.cursor,
            limit: params.limit.unwrap_or(0),
        };
        let page = self.store.runs.sessions(row.id, at).await?;
        let filter = RunFilter {
            project: Some(row.id),
            ..RunFilter::default()
        };
        let newest = PageAt {
            cursor: None,
            limit: 200,
        };
        let mut last: HashMap<SessionId, RunId> = HashMap::new();
        let mut working = HashSet::new();
        for run in self.store.runs.list(filter, newest).await?.items {
            last.entry(run.session).or_insert(run.id);
            if run.state.is_held() {
                working.insert(run.session);
            }
        }
        let sight = self.sight(None).await;
        let open: BTreeSet<&str> = sight
            .of(Path::new(&row.path))
            .filter(|_| row.host.is_none())
            .flat_map(|agent| agent.open.iter().map(String::as_str))
            .collect();
        let shown = |session: SessionRow| ProjectSession {
            last_run: last.get(&session.id).copied(),
            live: working.contains(&session.id)
                || session
                    .agent_session
                    .as_deref()
                    .is_some_and(|name| open.contains(name)),
            session: session.id,
            instance: session.instance,
            persona: session.persona,
            agent: session.agent,
        };
        Ok(Page {
            items: page.items.into_iter().map(shown).collect(),
            next_cursor: page.next_cursor,
        })
    }
}
