//! Who works: which persona, and which agent.

use super::{RunDesk, delegate::LAST_RESORT};
use crate::{
    api::run::Delegate,
    domain::{
        fault::Fault,
        ids::ProjectId,
        instance::Instance,
        project_file::{ProjectFile, ProjectTerms},
        run::Warning,
    },
};

/// Who prefers which agent, where none is named.
pub(super) struct Preferred<'a> {
    pub(super) persona: Option<&'a str>,
    /// What the project's file says.
    pub(super) project: Option<String>,
}

impl RunDesk {
    pub(super) fn persona(
        &self,
        params: &Delegate,
        instance: Option<&Instance>,
    ) -> Result<Option<String>, Fault> {
        match (&params.persona, instance) {
            (Some(named), Some(instance)) if instance.persona.as_ref() != Some(named) => Err(
                Fault::invalid("persona", "and `instance` both say who works; give one"),
            ),
            (Some(named), _) => self.catalogue.get(named).map(|persona| Some(persona.id)),
            (None, instance) => Ok(instance.and_then(|instance| instance.persona.clone())),
        }
    }

    /// What the file of a project says, as far as it may.
    pub(super) async fn terms_of(&self, project: Option<ProjectId>) -> Result<ProjectTerms, Fault> {
        match project {
            Some(id) => Ok(self.projects.terms(&self.store.projects.get(id).await?)),
            None => Ok(ProjectTerms::default()),
        }
    }

    /// The persona that a project prefers, if it is there.
    pub(super) fn persona_of(
        &self,
        file: &ProjectFile,
        warnings: &mut Vec<Warning>,
    ) -> Option<String> {
        let preferred = file.persona.as_ref()?;
        if let Ok(persona) = self.catalogue.get(preferred) {
            return Some(persona.id);
        }
        warnings.push(Warning::new(
            "persona_skipped",
            format!("the project prefers the persona \"{preferred}\", which is not there"),
        ));
        None
    }

    /// The agent that a delegation to this instance would go to; `project` is the one that its project prefers.
    ///
    /// # Errors
    /// `agent_not_found` when the one set on it is not there.
    pub(crate) fn agent_of(
        &self,
        instance: &Instance,
        project: Option<String>,
        path: Option<&str>,
    ) -> Result<String, Fault> {
        let preferred = Preferred {
            persona: instance.persona.as_deref(),
            project,
        };
        self.choose(instance.agent.clone(), preferred, path, &mut Vec::new())
    }

    /// The agent of a delegation to a project that names neither agent nor persona.
    ///
    /// # Errors
    /// None today: a preference that is not installed is skipped.
    pub(crate) fn agent_in(&self, file: &ProjectFile, path: Option<&str>) -> Result<String, Fault> {
        let preferred = Preferred {
            persona: file.persona.as_deref(),
            project: file.agent.clone(),
        };
        self.choose(None, preferred, path, &mut Vec::new())
    }

    /// An agent that is named must be there; a preference is skipped when it is not, and the run says so.
    pub(super) fn choose(
        &self,
        named: Option<String>,
        preferred: Preferred<'_>,
        path: Option<&str>,
        warnings: &mut Vec<Warning>,
    ) -> Result<String, Fault> {
        if let Some(agent) = named {
            self.agents.find(&agent, path)?;
            return Ok(agent);
        }
        let of_persona = preferred
            .persona
            .and_then(|id| self.catalogue.get(id).ok())
            .and_then(|persona| persona.agent);
        for agent in [of_persona, preferred.project, self.default_agent.clone()]
            .into_iter()
            .flatten()
        {
            match self.agents.find(&agent, path) {
                Ok(_) => return Ok(agent),
                Err(fault) => {
                    let hint = fault
                        .hint
                        .map(|hint| format!(": {hint}"))
                        .unwrap_or_default();
                    warnings.push(Warning::new(
                        "agent_skipped",
                        format!("the preferred agent \"{agent}\" is not installed{hint}"),
                    ));
                }
            }
        }
        Ok(LAST_RESORT.to_owned())
    }
}
