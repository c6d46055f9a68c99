//! From a definition to a link: launch, then initialize.

use super::{
    claims::Claiming,
    key::{Digest, WarmKey},
    lineage::Lineage,
};
use crate::{
    agents::{
        acp::{Equipment, Link},
        process::{Command, Launcher},
    },
    domain::{agent::AgentDefinition, fault::Fault},
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
    pub(super) fn key(&self) -> WarmKey {
        WarmKey {
            root: self.root.clone(),
            agent: self.definition.id.clone(),
            launch: Digest::of_launch(
                &self.program.to_string_lossy(),
                &self.definition.launch.args,
                &self.own_env,
            ),
        }
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
    pub(super) async fn link(self, launcher: &Launcher, lineage: &Lineage) -> Result<Link, Fault> {
        let command = Command {
            agent: self.definition.id.clone(),
            program: self.program,
            args: self.definition.launch.args,
            env: self.env,
            cwd: self.root,
        };
        let process = launcher.launch(command).await?;
        lineage.watch(process.handle.pid(), process.handle.gone());
        let link = Link::connect(process, self.definition.limits, &self.definition.id).await?;
        if let Some(equipment) = self.equipment {
            link.equip(equipment, self.definition.mcp_scope);
        }
        Ok(link)
    }
}
