//! What is known of runs beside what they are now: what can be said to them, their past, and what they add up to.

use super::RunDesk;
use crate::{
    api::run::{RunArchive, RunStatsOf},
    domain::{
        fault::{ErrorKind, Fault},
        ids::RunId,
        input::{InputState, Interaction, InteractionState},
        page::Page,
        run::Run,
        snapshot::{Snapshot, TURNING_POINTS, snapshots},
        stats::RunStats,
    },
    store::StatsFilter,
};

impl RunDesk {
    pub(super) async fn interaction_with(&self, id: RunId) -> Result<Interaction, Fault> {
        let run = self.store.runs.get(id).await?;
        let mut pending_inputs = self.store.inputs.of(id).await?;
        pending_inputs.retain(|input| input.state == InputState::Pending);
        Ok(Interaction {
            state: InteractionState::of(run.state),
            pending_inputs,
            requests: run.requests,
        })
    }

    pub(super) async fn snapshots_of(&self, id: RunId) -> Result<Page<Snapshot>, Fault> {
        self.store.runs.get(id).await?;
        let told = self.store.events.of_kinds(id, &TURNING_POINTS).await?;
        Ok(Page {
            items: snapshots(&told),
            next_cursor: None,
        })
    }

    pub(super) async fn archived(&self, params: RunArchive) -> Result<Run, Fault> {
        let state = self.store.runs.archive(params.id, params.archived).await?;
        if !state.is_terminal() {
            let detail = format!("run {} is {}", params.id, state.as_str());
            return Err(Fault::new(ErrorKind::InUse, detail)
                .hint("only an ended run is archived; end it with run.cancel first"));
        }
        Ok(self.store.runs.get(params.id).await?)
    }

    pub(super) async fn stats_of(&self, params: RunStatsOf) -> Result<RunStats, Fault> {
        let project = match &params.project {
            Some(named) => Some(self.projects.find(named).await?.id),
            None => None,
        };
        let instance = match &params.instance {
            Some(named) => Some(self.instance(named).await?.id),
            None => None,
        };
        let filter = StatsFilter {
            project,
            instance,
            agent: params.agent,
            since: params.since,
        };
        Ok(self.store.runs.stats(filter).await?)
    }
}
