//! From a definition to a link: launch, then initialize.

use super::{
    claims::Claiming,
    key::{Digest, WarmKey},
    lineage::Lineage,
};
use crate::{
    agents::{
        acp::{Equipment, Link, Manner},
        badge,
        process::{Command, Launcher},
    },
    domain::{
        agent::{AGENT_TOKEN_VARIABLE, AgentDefinition, Carrier, MODEL},
        caller::Token,
        fault::Fault,
    },
};
use std::{collections::BTreeMap, path::PathBuf};

/// All that is needed to start an agent somewhere.
#[derive(Clone)]
pub struct Launch {
    pub definition: AgentDefinition,
    /// Where its program was found.
    pub program: PathBuf,
    /// Its whole environment.
    pub env: BTreeMap<String, String>,
    /// The part of it that belongs to this agent alone, which decides who may share it.
    pub own_env: BTreeMap<String, String>,
    /// Root it serves, and the directory its process starts in.
    pub root: PathBuf,
    /// How its sessions get tools of ours, if they do.
    pub equipment: Option<Equipment>,
    /// What it takes with its process: see [`Launch::fitted`].
    pub manner: Manner,
}

/// Environment values stay out of every log.
impl std::fmt::Debug for Launch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Launch")
            .field("agent", &self.definition.id)
            .field("program", &self.program)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Launch {
    /// For sessions with this persona and model. An agent that takes them with its process, as its definition says, is shared only by those
    /// who want the same.
    #[must_use]
    pub fn fitted(mut self, persona: Option<&str>, model: Option<&str>) -> Self {
        let rules = &self.definition.session;
        let model = model.filter(|model| !model.is_empty() && !rules.model_args.is_empty());
        let persona = persona.filter(|_| rules.persona_file.is_some());
        self.manner = Manner {
            persona: persona.map(str::to_owned),
            model: model.map(str::to_owned),
            mode: rules.mode.clone(),
        };
        self
    }

    /// With those that choose the model.
    fn args(&self) -> Vec<String> {
        let mut args = self.definition.launch.args.clone();
        if let Some(model) = &self.manner.model {
            let all = self.definition.session.model_args.iter();
            args.extend(all.map(|arg| arg.replace(MODEL, model)));
        }
        args
    }

    pub(super) fn key(&self) -> WarmKey {
        WarmKey {
            root: self.root.clone(),
            agent: self.definition.id.clone(),
            launch: Digest::of_launch(
                &self.program.to_string_lossy(),
                &self.args(),
                &self.telling_env(),
            ),
        }
    }

    /// What tells this launch from others: the values of its own names, the text of the file that one of them will name, and the mode that
    /// every session gets.
    fn telling_env(&self) -> BTreeMap<String, String> {
        let mut env = self.own_env.clone();
        if let (Some(name), Some(persona)) =
            (&self.definition.session.persona_file, &self.manner.persona)
        {
            env.insert(name.clone(), persona.clone());
        }
        // No name of the environment can be this.
        env.extend(
            self.manner
                .mode
                .clone()
                .map(|mode| ("=mode".to_owned(), mode)),
        );
        env
    }

    /// As [`Launch::link`], serving its root until the process has gone.
    pub(super) async fn serve(
        self,
        launcher: &Launcher,
        lineage: &Lineage,
        claiming: Option<Claiming>,
    ) -> Result<Link, Fault> {
        let claim = match claiming {
            Some(claiming) => Some(claiming.take().await?),
            None => None,
        };
        let link = self.link(launcher, lineage).await?;
        let gone = link.process().gone();
        tokio::spawn(async move {
            gone.await;
            drop(claim);
        });
        Ok(link)
    }

    /// Ours in `lineage` from its first moment to its last: an agent may call the hub before it has said hello.
    ///
    /// # Errors
    /// Those of starting it and of its hello.
    pub async fn link(self, launcher: &Launcher, lineage: &Lineage) -> Result<Link, Fault> {
        let (transport, limits) = (self.definition.transport, self.definition.limits);
        let is_dialled = transport.kind != Carrier::Stdio;
        let token = is_dialled.then(badge::secret).transpose();
        let token = token.map_err(Fault::internal)?;
        let mut env = self.env.clone();
        if let Some(Token(token)) = &token {
            env.insert(AGENT_TOKEN_VARIABLE.to_owned(), token.clone());
        }
        let aside = match (&self.definition.session.persona_file, &self.manner.persona) {
            (Some(name), Some(persona)) => {
                let file = launcher.set_aside(persona)?;
                env.insert(name.clone(), file.path().to_string_lossy().into_owned());
                Some(file)
            }
            _ => None,
        };
        let args = self.args();
        let agent = self.definition.id;
        let command = Command {
            agent: agent.clone(),
            program: self.program,
            args,
            env,
            cwd: self.root,
        };
        let process = launcher.launch(command).await?;
        lineage.watch(process.handle.pid(), process.handle.gone());
        if let Some(file) = aside {
            let gone = process.handle.gone();
            tokio::spawn(async move {
                gone.await;
                drop(file);
            });
        }
        let link = match &token {
            Some(token) => Link::dial(process, &transport, limits, &agent, token).await?,
            None => Link::connect(process, limits, &agent).await?,
        };
        link.tell_manner(self.manner);
        if let Some(equipment) = self.equipment {
            link.equip(equipment, self.definition.mcp_scope);
        }
        Ok(link)
    }
}
