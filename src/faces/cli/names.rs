//! Names for the ids that a run carries, for people's eyes.

use super::context::heard;
use crate::{
    api::{
        instance::{InstanceApiClient, InstanceList},
        project::{ProjectApiClient, ProjectList},
    },
    domain::ids::{InstanceId, ProjectId},
};
use jsonrpsee::core::client::Client;
use std::collections::HashMap;

/// The most that a page holds; who has more sees ids.
const PAGE: u32 = 200;

/// Names by id. What is not known shows as its id.
#[derive(Debug, Default)]
pub(super) struct Names {
    instances: HashMap<InstanceId, String>,
    projects: HashMap<ProjectId, String>,
}

impl Names {
    /// Asks for them; a name that cannot be had is no reason to fail.
    pub(super) async fn ask(client: &Client) -> Self {
        let instances = InstanceList {
            limit: Some(PAGE),
            ..InstanceList::default()
        };
        let projects = ProjectList {
            limit: Some(PAGE),
            ..ProjectList::default()
        };
        let (instances, projects) = tokio::join!(
            InstanceApiClient::list(client, instances),
            ProjectApiClient::list(client, projects)
        );
        let instances = heard(instances).map(|page| page.items).unwrap_or_default();
        let projects = heard(projects).map(|page| page.items).unwrap_or_default();
        Self {
            instances: instances
                .into_iter()
                .map(|one| (one.id, one.name))
                .collect(),
            projects: projects.into_iter().map(|one| (one.id, one.name)).collect(),
        }
    }

    pub(super) fn instance(&self, id: Option<InstanceId>) -> String {
        id.map(|id| {
            self.instances
                .get(&id)
                .cloned()
                .unwrap_or_else(|| id.to_string())
        })
        .unwrap_or_default()
    }

    pub(super) fn project(&self, id: Option<ProjectId>) -> String {
        id.map(|id| {
            self.projects
                .get(&id)
                .cloned()
                .unwrap_or_else(|| id.to_string())
        })
        .unwrap_or_default()
    }
}
