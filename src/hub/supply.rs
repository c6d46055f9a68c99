//! What the hub gives an attempt: agent, environment, persona, policy.

use super::{
    agent::AgentDesk,
    briefing::briefing,
    project::{is_initialized, needs_init, terms_of},
    run::{NOT_KNOWN, Policies, RunValues, Setup, Worktrees},
    vault::Vault,
};
use crate::{
    agents::{
        acp::{Equipment, Manner, Reporting},
        definitions::{self, PolicyRoute},
        environment,
        pool::{Launch, Lineage},
        process::Launcher,
    },
    domain::{
        agent::AgentDefinition,
        event::{EventKind, NewEvent},
        fault::{ErrorKind, Fault},
        ids::RunId,
        instance::{Instance, InstanceStatus, Role},
        persona::Persona,
        policy::{Asking, Policy, Security},
        project::ProjectRow,
        project_file::ProjectTerms,
        run::Warning,
        turn_form::{PromptBy, TurnForm},
        worktree::Worktree,
    },
    runs::{Brief, Supply},
    store::{Claimed, SessionRow, Store},
    templates::{Catalogue, Identity, IdentityContext},
    workspace,
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The hub's own answer to [`Supply`].
#[derive(Clone, Debug)]
pub(crate) struct Stockroom {
    pub(crate) store: Store,
    pub(crate) agents: AgentDesk,
    pub(crate) catalogue: Catalogue,
    pub(crate) values: RunValues,
    pub(crate) vault: Vault,
    /// Names that every agent may see, beside its own.
    pub(crate) passthrough: Vec<String>,
    pub(crate) identity: Identity,
    /// What this host lets runs do that were accepted on another one.
    pub(crate) policies: Policies,
    /// How sessions get tools of ours.
    pub(crate) equipment: Option<Equipment>,
    /// No agent is warm in a project without a file of its own.
    pub(crate) require_init: bool,
    pub(crate) worktrees: Worktrees,
    /// Starts what prepares a worktree.
    pub(crate) launcher: Launcher,
    pub(crate) lineage: Lineage,
}

impl Stockroom {
    /// How the agent of a session is launched, with `values` as the environment to choose from; `named` are the names that its project's
    /// trusted file adds. Like an agent's own they decide who may share it.
    ///
    /// # Errors
    /// `agent_not_found`; `environment_missing` naming what the agent cannot work without.
    pub(crate) fn launch(
        &self,
        agent: &str,
        root: PathBuf,
        values: &BTreeMap<String, String>,
        named: &[String],
        policy: &Policy,
    ) -> Result<Launch, Fault> {
        let (definition, program) = self
            .agents
            .find(agent, values.get("PATH").map(String::as_str))?;
        let missing = environment::missing(values, &definition);
        if !missing.is_empty() {
            return Err(Fault::new(
                ErrorKind::EnvironmentMissing,
                format!("agent \"{agent}\" needs {}", missing.join(", ")),
            )
            .hint("set it in the editor's environment, or in the file of agent.env_file"));
        }
        let passed = [self.passthrough.as_slice(), named].concat();
        let mut env = environment::select(values, &definition, &passed);
        let mut own_env = environment::own_values(values, &definition);
        own_env.extend(environment::named(values, &passed));
        own_env.extend(definition.launch.env.clone());
        // One that is run once a turn is told with each turn.
        if definition.by_turn().is_none()
            && let PolicyRoute::Environment(rules) =
                definitions::policy_route(&definition, told(policy))
        {
            definitions::overlay(&mut env, &rules);
            own_env.extend(rules);
        }
        self.store
            .redactor
            .remember(environment::secrets(values, &definition, &passed).into_iter());
        Ok(Launch {
            definition,
            program,
            env,
            own_env,
            root,
            equipment: self.equipment.clone(),
            manner: Manner::default(),
        }
        .fitted(None, None))
    }

    /// Those that came with the run, over the last that were seen, the file's and the hub's: a face that has joined since may have
    /// brought what was missing.
    pub(crate) fn values(&self, run: Option<RunId>) -> BTreeMap<String, String> {
        let mut values = self.vault.values_for(None);
        values.extend(run.and_then(|run| self.values.of(run)).unwrap_or_default());
        values
    }

    /// The instance of a session. A delegation starts one that is `created`: it is `running` from here on, but not pinned, so that its agent
    /// ends when it is idle, and the hub with it.
    async fn instance(&self, session: &SessionRow) -> Result<Option<Instance>, Fault> {
        let Some(id) = session.instance else {
            return Ok(None);
        };
        let mut instance = self.store.instances.get(id).await?;
        if instance.status == InstanceStatus::Created && self.store.instances.begin(id).await? {
            instance.status = InstanceStatus::Running;
            self.tell_begun(&instance).await;
        }
        // It was stopped or deleted after the run had been accepted, and before its runs were cancelled.
        if instance.status == InstanceStatus::Stopped || instance.deleted_at.is_some() {
            let detail = format!("instance \"{}\" was stopped", instance.name);
            return Err(Fault::new(ErrorKind::InstanceNotRunning, detail));
        }
        Ok(Some(instance))
    }

    async fn tell_begun(&self, instance: &Instance) {
        let data = serde_json::json!({"name": instance.name, "status": instance.status, "change": "begun"});
        let kind = EventKind::InstanceChanged;
        let told =
            self.store
                .events
                .record(instance.project, Some(instance.id), NewEvent { kind, data });
        if let Err(error) = told.await {
            tracing::warn!(instance = %instance.name, %error, "an event was not recorded");
        }
    }

    /// What a captain is told when a conversation of it begins in a project that it leads. That it cannot be told is no reason not to work.
    async fn briefing(&self, claimed: &Claimed, instance: Option<&Instance>) -> Option<String> {
        let project = claimed.session.project?;
        let captain = instance.filter(|one| one.role == Some(Role::Captain))?;
        let leads = captain.project.is_none_or(|own| own == project);
        if !leads || claimed.session.agent_session.is_some() {
            return None;
        }
        let told = briefing(&self.store, captain, project, claimed.lease.run);
        told.await
            .inspect_err(|fault| tracing::warn!(run.id = %claimed.lease.run, %fault, "a captain was not briefed"))
            .ok()
    }

    /// Why no warm agent may serve there. What a person unregistered is never kept warm, also where a conversation goes on in it. That
    /// another process serves it the pool says.
    fn cold(
        &self,
        session: &SessionRow,
        project: Option<&ProjectRow>,
        workspace: Option<&Path>,
    ) -> Option<Fault> {
        let unregistered = match project {
            Some(row) => row.unregistered,
            None => workspace.is_none_or(|workspace| workspace != Path::new(&session.cwd)),
        };
        if unregistered {
            let detail = "no warm agent may serve: the directory is not a registered project";
            return Some(Fault::new(ErrorKind::WarmCapReached, detail));
        }
        project
            .filter(|row| self.require_init && !is_initialized(Path::new(&row.path)))
            .map(needs_init)
    }

    /// The workspace's own files, so that a person's edits count; without an instance they are rendered in memory.
    fn text(
        &self,
        workspace: Option<&Path>,
        persona: Option<&Persona>,
    ) -> Result<Option<String>, Fault> {
        match (workspace, persona) {
            (Some(workspace), _) => Ok(workspace::persona_text(workspace)),
            (None, None) => Ok(None),
            (None, persona) => {
                let context = IdentityContext {
                    persona,
                    ..IdentityContext::default()
                };
                Ok(workspace::text_of(&self.identity.render(&context)?, None))
            }
        }
    }

    /// As an instance's delegations will want it, for an agent that takes who it is with its process.
    pub(crate) fn fitted(&self, launch: Launch, instance: &Instance) -> Result<Launch, Fault> {
        let persona = instance.persona.as_ref();
        let persona = persona.and_then(|id| self.catalogue.get(id).ok());
        let text = self.text(Some(Path::new(&instance.workspace)), persona.as_ref())?;
        let model = instance.model.clone();
        let model = model.or_else(|| persona.and_then(|persona| persona.model));
        Ok(launch.fitted(text.as_deref(), model.as_deref()))
    }

    /// The run's worktree, ready to be worked in.
    async fn worktree(
        &self,
        claimed: &Claimed,
        env: &BTreeMap<String, String>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Worktree>, Fault> {
        let Some(ready) = self.worktrees.ready(claimed).await? else {
            return Ok(None);
        };
        warnings.extend(ready.warnings);
        if let (true, Some(project)) = (ready.bare, claimed.session.project) {
            let terms = terms_of(&self.store.projects.get(project).await?);
            let setup = Setup {
                launcher: &self.launcher,
                lineage: &self.lineage,
                env,
                worktree: Path::new(&ready.worktree.path),
            };
            warnings.extend(setup.run(&terms, claimed.run.policy.security).await);
            if terms.trusted && !terms.file.setup.commands.is_empty() {
                self.worktrees.set_up(&ready.worktree.path).await;
            }
        }
        Ok(Some(ready.worktree))
    }

    /// Of a run that was accepted where neither the project's file nor what is set here was known: no more than both allow.
    fn narrowed(&self, claimed: &Claimed, terms: &ProjectTerms) -> (Policy, Vec<Warning>) {
        let asked = claimed.run.policy;
        let known = |warning: &Warning| warning.kind != NOT_KNOWN;
        if claimed.run.warnings.iter().all(known) {
            return (asked, Vec::new());
        }
        let policy = self.policies.at_most(asked, terms);
        let narrowed = (policy != asked).then(|| {
            let detail =
                "the project's file or the settings of its host allow less than was asked for";
            Warning::new("policy_capped", detail)
        });
        (policy, narrowed.into_iter().collect())
    }

    fn persona(&self, session: &SessionRow, instance: Option<&Instance>) -> Option<Persona> {
        let id = instance
            .and_then(|instance| instance.persona.as_ref())
            .or(session.persona.as_ref())?;
        self.catalogue.get(id).ok()
    }
}

#[async_trait]
impl Supply for Stockroom {
    async fn brief(&self, claimed: &Claimed) -> Result<Brief, Fault> {
        let session = &claimed.session;
        let instance = self.instance(session).await?;
        let persona = self.persona(session, instance.as_ref());
        let values = self.values(Some(claimed.lease.run));
        let project = match session.project {
            Some(id) => Some(self.store.projects.get(id).await?),
            None => None,
        };
        // Its trusted file may add names.
        let terms = project.as_ref().map(terms_of).unwrap_or_default();
        let (policy, told) = self.narrowed(claimed, &terms);
        let launch = self.launch(
            &session.agent,
            PathBuf::from(&session.cwd),
            &values,
            &terms.file.environment,
            &policy,
        )?;
        let workspace = instance
            .as_ref()
            .map(|instance| PathBuf::from(&instance.workspace));
        let text = self.text(workspace.as_deref(), persona.as_ref())?;
        let text = with_more(text, claimed.extra_system_prompt.as_deref());
        let mut warnings = unenforced(&launch.definition, &policy);
        warnings.extend(told);
        warnings.extend(strange(session, persona.as_ref()));
        let own = instance
            .as_ref()
            .and_then(|instance| instance.model.clone());
        let mut cold = self.cold(session, project.as_ref(), workspace.as_deref());
        if launch.definition.by_turn().is_some() {
            cold = Some(once_a_turn(&session.agent, &launch));
        }
        let worktree = self.worktree(claimed, &launch.env, &mut warnings).await?;
        if worktree.is_some() {
            cold = Some(Fault::new(
                ErrorKind::WarmCapReached,
                "a worktree of its own",
            ));
        }
        let briefing = self.briefing(claimed, instance.as_ref()).await;
        let model = own.or_else(|| persona.as_ref().and_then(|persona| persona.model.clone()));
        Ok(Brief {
            launch: launch.fitted(text.as_deref(), model.as_deref()),
            persona: text,
            model,
            policy,
            reporting: Some(reporting(instance.as_ref(), persona.as_ref())),
            workspace,
            cold,
            briefing,
            worktree,
            warnings,
        })
    }

    fn ended(&self, run: RunId) {
        self.values.forget(run);
        self.worktrees.ended(run);
    }

    fn kept(&self) -> Vec<RunId> {
        let mut kept = self.values.kept();
        kept.extend(self.worktrees.waited_for());
        kept
    }
}

/// Of a run that names a persona which is not here: it was accepted on another host, or the persona was deleted.
fn strange(session: &SessionRow, persona: Option<&Persona>) -> Option<Warning> {
    let named = session.persona.as_ref().filter(|_| persona.is_none())?;
    let detail = format!("the persona \"{named}\" is not there, so its agent works without one");
    Some(Warning::new("persona_skipped", detail))
}

/// Who an agent is, and what whoever opened its session adds.
fn with_more(text: Option<String>, more: Option<&str>) -> Option<String> {
    match (text, more) {
        (Some(text), Some(more)) => Some(format!("{}\n\n{more}", text.trim_end())),
        (text, more) => text.or_else(|| more.map(str::to_owned)),
    }
}

/// What an agent is told by its own configuration: one whose every act is asked about must ask, whatever it may do then.
fn told(policy: &Policy) -> Security {
    match (policy.security, policy.ask) {
        (Security::Full, Asking::Always) => Security::Allowlist,
        (security, Asking::Off | Asking::Always | Asking::OnMiss) => security,
    }
}

/// What a session's own tools offer: who stands above others may delegate to them.
fn reporting(instance: Option<&Instance>, persona: Option<&Persona>) -> Reporting {
    let role = match instance {
        Some(instance) => instance.role,
        None => persona.and_then(|persona| persona.hierarchy_role),
    };
    Reporting {
        may_delegate: matches!(role, Some(Role::Commander | Role::Captain)),
    }
}

/// Why an agent that does not speak ACP is never warm.
fn once_a_turn(agent: &str, launch: &Launch) -> Fault {
    let program = &launch.definition.launch.command;
    let detail = format!("agent \"{agent}\" is `{program}`, which is run once a turn");
    Fault::new(ErrorKind::WarmCapReached, detail)
        .hint("ask for mode auto or cold, or install its program that speaks ACP")
}

/// An agent of which nobody knows whether it asks before it acts, or that shows what nobody else should see.
fn unenforced(definition: &AgentDefinition, policy: &Policy) -> Vec<Warning> {
    if let Some(form) = definition.by_turn() {
        return unenforced_by_turn(definition, form, policy);
    }
    match definitions::policy_route(definition, told(policy)) {
        PolicyRoute::Asks | PolicyRoute::Environment(_) => Vec::new(),
        PolicyRoute::Unknown => {
            let detail = format!(
                "agent \"{}\" may act without asking; what it does ask is decided by the policy",
                definition.id
            );
            vec![Warning::new("policy_not_enforced", detail)]
        }
    }
}

fn unenforced_by_turn(
    definition: &AgentDefinition,
    form: &TurnForm,
    policy: &Policy,
) -> Vec<Warning> {
    let id = &definition.id;
    let security = definitions::told_by_turn(policy);
    let gap = match form.policy.under(security) {
        Some(told) => told.gap.clone(),
        None if security == Security::Full => None,
        None => Some("may act without asking, and cannot be told not to".to_owned()),
    };
    let gap = gap.map(|gap| Warning::new("policy_not_enforced", format!("agent \"{id}\" {gap}")));
    let seen = (form.prompt == PromptBy::Argument).then(|| {
        let detail = format!("agent \"{id}\" takes its prompt as an argument, which everybody on the machine can read");
        Warning::new("prompt_visible", detail)
    });
    gap.into_iter().chain(seen).collect()
}
