//! A caller's own name of a session: its first use opens the session, later ones continue it.

use super::{RunDesk, delegate::scope, lineage::Origin, site::Site};
use crate::{
    api::run::Delegate,
    domain::{fault::Fault, instance::Instance},
    store::SessionKey,
};

impl RunDesk {
    /// Has a delegation continue the session that its key stands for. Answers the key that a new session is to have.
    pub(super) async fn keyed(
        &self,
        params: &mut Delegate,
        origin: &Origin<'_>,
    ) -> Result<Option<SessionKey>, Fault> {
        let Some(key) = params.session_key.clone() else {
            return Ok(None);
        };
        if matches!(origin, Origin::Agent(_)) {
            return Err(Fault::invalid(
                "session_key",
                "cannot be used by an agent: name a run that you began, as `previous`",
            ));
        }
        if params.session.is_some() || params.previous.is_some() {
            return Err(Fault::invalid(
                "session_key",
                "and `session` or `previous` both say what to continue; give one",
            ));
        }
        let instance = match &params.instance {
            Some(named) => Some(self.instance(named).await?),
            None => None,
        };
        let scope = self.scope_of_key(params, instance.as_ref(), origin).await?;
        let key = SessionKey { scope, key };
        let Some(known) = self.store.runs.keyed_session(&key).await? else {
            return Ok(Some(key));
        };
        params.session = Some(known.session);
        // A caller that says the same each time says nothing new.
        if params.extra_system_prompt == known.extra_system_prompt {
            params.extra_system_prompt = None;
        }
        Ok(None)
    }

    /// The project, or the directory where there is none.
    async fn scope_of_key(
        &self,
        params: &Delegate,
        instance: Option<&Instance>,
        origin: &Origin<'_>,
    ) -> Result<String, Fault> {
        let Site { project, cwd, .. } = self.site(params, instance, origin).await?;
        Ok(scope(None, project, &cwd.to_string_lossy()))
    }
}
