//! Every method with its parameters and result: the one list behind `rpc.discover` and the check of every call.

use super::{agent, events, host, hub, input, instance, persona, project, run, schedule, session};
use crate::domain::{
    agent::Agent,
    conclusion::Report,
    event::Event,
    fault::{ErrorKind, Fault},
    finding::Diagnosis,
    host::{Forgotten, Host},
    input::Interaction,
    instance::Instance,
    page::Page,
    persona::Persona,
    probe::Probe,
    project::Project,
    run::{Attempt, Run},
    schedule::Schedule,
    snapshot::Snapshot,
    stats::RunStats,
};
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// A method of the API.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// `noun.verb`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Reads the parameters and throws them away: the fault says what is wrong with them.
    pub check: fn(&RawValue) -> Result<(), Fault>,
    /// Schema of the parameters.
    pub params: fn(&mut SchemaGenerator) -> Schema,
    /// Schema of the result.
    pub result: fn(&mut SchemaGenerator) -> Schema,
}

macro_rules! methods {
    ($($name:literal, $summary:literal: $params:ty => $result:ty;)*) => {
        /// All methods, by noun.
        pub const ALL: &[Method] = &[$(Method {
            name: $name,
            summary: $summary,
            check: check::<$params>,
            params: SchemaGenerator::subschema_for::<$params>,
            result: SchemaGenerator::subschema_for::<$result>,
        }),*];
    };
}

methods! {
    "persona.list", "Personas by id": persona::PersonaList => Page<Persona>;
    "persona.get", "One persona": persona::PersonaId => Persona;
    "persona.create", "A new persona in the home": persona::PersonaCreate => Persona;
    "persona.update", "Changes a persona; null clears a field": persona::PersonaUpdate => Persona;
    "persona.delete", "Removes a user's persona": persona::PersonaDelete => Persona;
    "persona.import", "Takes in a sub-agent file": persona::PersonaImport => Persona;
    "persona.export", "Gives a persona out as a sub-agent file": persona::PersonaId => persona::PersonaText;
    "persona.preview", "The text by which a persona reaches an agent": persona::PersonaId => persona::PersonaText;
    "instance.list", "Instances by name": instance::InstanceList => Page<Instance>;
    "instance.get", "One instance with its identity files": instance::InstanceName => instance::InstanceView;
    "instance.create", "Places a persona in a workspace": instance::InstanceCreate => instance::InstanceView;
    "instance.update", "Changes an instance": instance::InstanceUpdate => instance::InstanceView;
    "instance.start", "Launches and pins its agent": instance::InstanceName => instance::InstanceView;
    "instance.stop", "Cancels its runs and unpins its agent": instance::InstanceName => instance::InstanceView;
    "instance.restart", "Stops and starts": instance::InstanceName => instance::InstanceView;
    "instance.delete", "Moves it to the trash": instance::InstanceName => instance::InstanceView;
    "instance.restore", "Brings it back from the trash": instance::InstanceName => instance::InstanceView;
    "instance.render", "Renders its identity files anew": instance::InstanceName => instance::InstanceView;
    "project.list", "Registered projects": project::ProjectList => Page<Project>;
    "project.get", "One project": project::ProjectName => Project;
    "project.register", "Registers a directory": project::ProjectRegister => Project;
    "project.unregister", "Forgets a project": project::ProjectName => Project;
    "project.rename", "Gives a project another name": project::ProjectRename => Project;
    "project.init", "Writes its .eyas.toml when there is none, and activates it": project::ProjectName => Project;
    "project.trust", "Trusts its .eyas.toml as it is": project::ProjectTrust => project::TrustView;
    "project.activate", "Makes it the caller's active project and starts its agent": project::ProjectName => Project;
    "project.deactivate", "The caller has no active project any more": hub::Nothing => Option<Project>;
    "project.stop", "Ends its runs and its warm agents": project::ProjectName => project::ProjectStopped;
    "project.sessions", "Its conversations": project::ProjectSessions => Page<project::ProjectSession>;
    "agent.list", "Agents with a definition": agent::AgentList => Page<Agent>;
    "agent.get", "One agent": agent::AgentId => Agent;
    "agent.resolve", "Finds an agent's program": agent::AgentId => Agent;
    "agent.install", "Installs a version of an agent and pins it; for a person alone": agent::AgentInstall => Agent;
    "agent.remove", "Removes versions of an agent; for a person alone": agent::AgentRemove => Agent;
    "agent.add", "Writes definitions of agents that a registry lists; for a person alone": agent::AgentAdd => Page<Agent>;
    "agent.probe", "Starts an agent and asks what it can do; for a person alone": agent::AgentId => Probe;
    "agent.doctor", "Looks at all that an agent needs; for a person alone": agent::AgentId => Diagnosis;
    "agent.reset", "Lets an agent be started again that ended by itself too often": agent::AgentId => agent::AgentReset;
    "run.delegate", "Accepts a durable run": run::Delegate => Run;
    "run.get", "One run": run::RunRef => Run;
    "run.list", "Runs, newest first": run::RunList => Page<Run>;
    "run.wait", "Waits for the end of a run": run::RunWait => Run;
    "run.cancel", "Asks for the end of a run": run::RunCancel => Run;
    "run.input", "A further prompt for a run's agent": input::RunInput => input::RunDelivery;
    "run.interaction", "What can be said to a run, and what waits": run::RunRef => Interaction;
    "run.snapshots", "A run's states over time": run::RunRef => Page<Snapshot>;
    "run.archive", "Hides an ended run from lists": run::RunArchive => Run;
    "run.stats", "What runs add up to": run::RunStatsOf => RunStats;
    "run.answer", "Answers what a run's agent asks; for a person alone": run::RunAnswer => Run;
    "run.events", "What has happened in a run": run::RunEvents => Page<Event>;
    "run.attempts", "Attempts of a run": run::RunRef => Page<Attempt>;
    "run.apply", "Takes over what a run did in its worktree": run::RunRef => Run;
    "run.keep", "Keeps a run's worktree": run::RunRef => Run;
    "run.drop", "Removes a run's worktree": run::RunDrop => Run;
    "run.diff", "What a run did in its worktree": run::RunRef => run::RunDiff;
    "schedule.list", "Schedules by name": schedule::ScheduleList => Page<Schedule>;
    "schedule.get", "One schedule with its next times": schedule::ScheduleName => Schedule;
    "schedule.create", "A new schedule; for a person alone": schedule::ScheduleCreate => Schedule;
    "schedule.update", "Changes a schedule; for a person alone": schedule::ScheduleUpdate => Schedule;
    "schedule.delete", "Removes a schedule; for a person alone": schedule::ScheduleName => Schedule;
    "schedule.fire", "Begins a schedule's run now; for a person alone": schedule::ScheduleFire => Run;
    "session.conclude", "An agent reports on its own run": Report => session::Heard;
    "session.progress", "An agent says how far its own run is": session::SessionProgress => session::Heard;
    "session.ask", "An agent asks a person and waits for the answer": session::SessionAsk => session::Reply;
    "host.list", "Machines that share the store": hub::Nothing => Page<Host>;
    "host.drain", "Has a host begin nothing new, or take work again; for a person alone": host::HostDrain => Host;
    "host.forget", "Gives the queued runs of a host that is gone to another; for a person alone": host::HostForget => Forgotten;
    "hub.join", "A face says where it runs": hub::HubJoin => hub::HubView;
    "hub.info", "The hub as it is now": hub::Nothing => hub::HubView;
    "hub.peers", "Connected faces": hub::Nothing => Page<hub::PeerView>;
    "hub.doctor", "Looks at the home and all around it; for a person alone": hub::Nothing => Diagnosis;
    "hub.shutdown", "Ends the hub": hub::HubShutdown => hub::HubView;
    "events.watch", "Subscription: the log from a cursor, then live": events::Watch => Event;
}

/// The method of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Method> {
    ALL.iter().find(|method| method.name == name)
}

fn check<P: DeserializeOwned>(params: &RawValue) -> Result<(), Fault> {
    serde_json::from_str::<P>(params.get())
        .map(drop)
        .map_err(|error| explain(&error.to_string()))
}

/// serde's words as a fault that names the field.
#[must_use]
pub fn explain(message: &str) -> Fault {
    let field = message.split('`').nth(1).map(str::to_owned);
    let (message, _) = message.rsplit_once(" at line ").unwrap_or((message, ""));
    let fault = if message.starts_with("missing field") {
        Fault::required(field.as_deref().unwrap_or_default())
    } else {
        Fault::new(ErrorKind::InvalidParams, message)
    };
    match field {
        Some(field) => fault.field(field),
        None => fault,
    }
}
