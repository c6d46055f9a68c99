//! Runs that a schedule begins: nobody is there who asks for them.

use super::{RunDesk, lineage::Origin};
use crate::{
    api::run::Delegate,
    domain::{fault::Fault, run::Run},
    hub::peers::PeerRef,
    store::Occasion,
};

impl RunDesk {
    /// Whether it could be accepted later, as far as that can be told now. Answers the directory to work in, unless that is its instance's.
    ///
    /// # Errors
    /// Those of a delegation that names what is not there.
    pub(crate) async fn rehearse(
        &self,
        params: &Delegate,
        peer: Option<&PeerRef>,
    ) -> Result<Option<String>, Fault> {
        self.check(params)?;
        let instance = match &params.instance {
            Some(named) => Some(self.instance(named).await?),
            None => None,
        };
        self.persona(params, instance.as_ref())?;
        let origin = Origin::Person(peer);
        if let Some(agent) = &params.agent {
            let values = self.values_of(&origin);
            self.agents
                .find(agent, values.get("PATH").map(String::as_str))?;
        }
        if instance.is_some() && params.project.is_none() {
            return Ok(None);
        }
        let site = self.site(params, instance.as_ref(), &origin).await?;
        Ok(Some(site.cwd.to_string_lossy().into_owned()))
    }

    /// Accepts the run of an occasion, with the last values that were seen of any face.
    ///
    /// # Errors
    /// `busy` when the occasion is taken or an earlier run of it is open; those of a delegation.
    pub(crate) async fn begin_for(
        &self,
        params: Delegate,
        occasion: Occasion,
    ) -> Result<Run, Fault> {
        self.accept(params, Origin::Person(None), None, Some(occasion))
            .await
    }
}
