//! A delegation to a project or an instance of another host: it is accepted here, and waits there.
//!
//! What that machine alone knows is left to it: the project's file, which agent it would prefer, whether a persona of its own is there. It
//! narrows the run's policy by what it finds when an attempt begins ([`NOT_KNOWN`]).

use super::{RunDesk, delegate::LAST_RESORT, isolation::Spot, lineage::Origin};
use crate::{
    api::run::Delegate,
    domain::{
        fault::{ErrorKind, Fault},
        host::{Host, HostState},
        ids::{RunId, SessionId},
        instance::Instance,
        run::Warning,
        worktree::Isolation,
    },
    store::SessionRow,
};
use std::collections::BTreeMap;

/// Kind of the warning of a run that was accepted where its project's file could not be read.
pub(crate) const NOT_KNOWN: &str = "project_file_unknown";

/// Something of another host, which is not done from this one.
pub(crate) fn elsewhere(field: &str, what: &str, host: &str) -> Fault {
    Fault::invalid(field, format!("{what} is on host {host}")).hint("do it on that machine")
}

impl RunDesk {
    /// The host of that name; `None` stands for this one.
    pub(super) async fn host(&self, name: Option<&str>) -> Result<Option<Host>, Fault> {
        match name {
            Some(name) => Ok(Some(self.store.hosts.named(name).await?)),
            None => Ok(None),
        }
    }

    /// What whoever delegates to another host should know.
    pub(super) fn warn_of(away: Option<&Host>, warnings: &mut Vec<Warning>) {
        let Some(host) = away else { return };
        let name = &host.name;
        let detail =
            format!("what the project's file says is on host {name}, which keeps to it there");
        warnings.push(Warning::new(NOT_KNOWN, detail));
        let detail = match host.state {
            HostState::Alive if host.draining => {
                format!("host {name} is draining: the run waits until it takes work again")
            }
            HostState::Alive => return,
            HostState::Silent | HostState::Away | HostState::Forgotten => format!(
                "host {name} was seen last at {}: the run waits for it",
                host.seen_at
            ),
        };
        warnings.push(Warning::new("host_away", detail));
    }

    /// Keeps the environment of a run that is worked on here; another machine has its own.
    pub(super) fn keep(
        &self,
        (run, away): (RunId, Option<&Host>),
        values: BTreeMap<String, String>,
    ) {
        if away.is_none() {
            self.values.keep(run, values);
        }
    }

    /// The persona that is named, whether it is there or not.
    pub(super) fn persona_away(
        params: &Delegate,
        instance: Option<&Instance>,
    ) -> Result<Option<String>, Fault> {
        match (&params.persona, instance) {
            (Some(named), Some(instance)) if instance.persona.as_ref() != Some(named) => Err(
                Fault::invalid("persona", "and `instance` both say who works; give one"),
            ),
            (named, instance) => Ok(named
                .clone()
                .or_else(|| instance.and_then(|instance| instance.persona.clone()))),
        }
    }

    /// As it says of itself: one that is named must be there, and what is preferred is skipped where it is not.
    pub(super) fn agent_away(
        &self,
        host: &Host,
        named: Option<String>,
        persona: Option<&str>,
        warnings: &mut Vec<Warning>,
    ) -> Result<String, Fault> {
        let name = &host.name;
        if let Some(agent) = named {
            if host.agents.contains(&agent) {
                return Ok(agent);
            }
            let detail = format!("agent \"{agent}\" is not on host {name}");
            let known = host.agents.join(", ");
            return Err(Fault::new(ErrorKind::AgentNotFound, detail)
                .field("agent")
                .hint(format!("it has {known}")));
        }
        let of_persona = persona
            .and_then(|id| self.catalogue.get(id).ok())
            .and_then(|persona| persona.agent);
        for agent in [of_persona, host.default_agent.clone()]
            .into_iter()
            .flatten()
        {
            if host.agents.contains(&agent) {
                return Ok(agent);
            }
            let detail = format!("the preferred agent \"{agent}\" is not on host {name}");
            warnings.push(Warning::new("agent_skipped", detail));
        }
        Ok(LAST_RESORT.to_owned())
    }

    /// Where the run works there: in its project's tree, which takes its turns by that host's name of it.
    pub(super) async fn settle_away(
        &self,
        params: &Delegate,
        origin: &Origin<'_>,
        session: &SessionRow,
        host: &Host,
    ) -> Result<(Spot, Option<String>), Fault> {
        let name = &host.name;
        if params.isolation == Some(Isolation::Worktree) {
            let detail = format!("worktree is for projects of this machine, not of host {name}");
            return Err(Fault::invalid("isolation", detail).hint("delegate on that machine"));
        }
        let project = match session.project {
            Some(id) => Some(self.store.projects.get(id).await?),
            None => None,
        };
        if project.is_some_and(|row| row.path != session.cwd) {
            let detail = format!("is a conversation in a worktree on host {name}");
            return Err(Fault::invalid("session", detail).hint("continue it on that machine"));
        }
        let waits = !params.concurrent && session.agent != LAST_RESORT;
        let tree = waits.then(|| session.cwd.clone());
        self.not_waiting_for_its_parent(origin, tree.as_deref(), Some(host))
            .await?;
        Ok((Spot::shared(), tree))
    }

    /// Passes what is worked on here.
    pub(super) async fn must_be_here(&self, session: SessionId) -> Result<(), Fault> {
        match self.store.hosts.elsewhere(session).await? {
            Some(host) => Err(elsewhere("id", "its worktree", &host.name)),
            None => Ok(()),
        }
    }
}
