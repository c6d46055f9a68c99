//! `hub.*`: who is there, what goes on, and how it ends.

use super::{
    doctor::{self, Look},
    endpoint,
    ground::{Ground, Work},
    peers::PeerRef,
    rights::person_only,
};
use crate::{
    api::hub::{HubApiServer, HubJoin, HubShutdown, HubView, Nothing, PeerView},
    domain::{
        caller::Caller,
        fault::{ErrorKind, Fault},
        finding::Diagnosis,
        ids::RunId,
        page::Page,
        time::Timestamp,
    },
    stdx::clock,
};
use jsonrpsee::{Extensions, core::async_trait};
use std::sync::Arc;

/// Answers for the hub itself.
#[derive(Debug)]
pub struct Desk {
    ground: Ground,
    work: Arc<dyn Work>,
    endpoint: Option<String>,
    env_names: Vec<String>,
    started_at: Timestamp,
}

impl Desk {
    /// `endpoint` is where the hub listens, if on a socket.
    #[must_use]
    pub fn new(ground: Ground, work: Arc<dyn Work>, endpoint: Option<String>) -> Self {
        let mut env_names = work.env_names();
        env_names.extend(ground.settings.agent.env_passthrough.iter().cloned());
        env_names.sort();
        env_names.dedup();
        Self {
            ground,
            work,
            endpoint,
            env_names,
            started_at: Timestamp(clock::now_ms()),
        }
    }

    async fn view(&self) -> Result<HubView, Fault> {
        let settings = &self.ground.settings;
        let mut env_names = self.env_names.clone();
        env_names.extend(self.work.project_env_names());
        Ok(HubView {
            id: self.ground.hub,
            version: settings.version.clone(),
            revision: endpoint::revision(settings),
            pid: std::process::id(),
            home: settings.home.to_string_lossy().into_owned(),
            endpoint: self.endpoint.clone(),
            started_at: self.started_at,
            peers: self.ground.peers.count(),
            open_runs: self.work.open_run_count().await?,
            agents: self.work.agents().await,
            broken: self.work.broken().await,
            classes: Vec::new(),
            hosts: self.work.hosts().await,
            draining: self.ground.ending.draining(),
            runs_retention_ms: Some(settings.runs.retention_ms).filter(|ms| *ms > 0),
            env_names,
        })
    }
}

#[async_trait]
impl HubApiServer for Desk {
    async fn join(&self, extensions: &Extensions, params: HubJoin) -> Result<HubView, Fault> {
        if let Some(peer) = extensions.get::<PeerRef>() {
            self.ground.peers.join(peer, params)?;
            self.work.joined().await;
        }
        self.view().await
    }

    async fn info(&self, _: Nothing) -> Result<HubView, Fault> {
        Ok(HubView {
            classes: self.work.classes().await?,
            ..self.view().await?
        })
    }

    async fn peers(&self, _: Nothing) -> Result<Page<PeerView>, Fault> {
        Ok(Page {
            items: self.ground.peers.list(),
            next_cursor: None,
        })
    }

    async fn doctor(&self, extensions: &Extensions, _: Nothing) -> Result<Diagnosis, Fault> {
        person_only(extensions)?;
        let ground = &self.ground;
        let values = ground.vault.values_for(None);
        let look = Look {
            settings: &ground.settings,
            env: &ground.env,
            values: &values,
            is_hub: true,
        };
        Ok(doctor::examine(look).await)
    }

    async fn shutdown(
        &self,
        extensions: &Extensions,
        params: HubShutdown,
    ) -> Result<HubView, Fault> {
        if extensions.get::<Caller>() != Some(&Caller::Person) {
            return Err(Fault::new(
                ErrorKind::Forbidden,
                "only a person may end the hub",
            ));
        }
        let ending = &self.ground.ending;
        let open = self.work.open_runs().await?;
        if params.now || open.is_empty() {
            ending.begin();
        } else if params.wait {
            ending.drain();
        } else {
            return Err(busy(&open));
        }
        self.view().await
    }
}

fn busy(open: &[RunId]) -> Fault {
    const NAMED: usize = 8;
    let names: Vec<String> = open.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match open.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Fault::new(
        ErrorKind::Busy,
        format!(
            "{} run(s) have not ended: {}{more}",
            open.len(),
            names.join(", ")
        ),
    )
    .hint("`--wait` waits for them to end, `--now` sends them back to the queue")
}
