//! How far a run may go: what person, project, call and parent say of it.

use super::RunDesk;
use crate::{
    config::PolicySettings,
    domain::{
        policy::{self, Ceiling, Policy, PolicyWish, Wishes},
        project_file::ProjectTerms,
        run::Warning,
    },
};

/// What the person has set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policies {
    base: Policy,
    ceiling: Ceiling,
}

impl Policies {
    pub(crate) fn new(settings: &PolicySettings) -> Self {
        Self {
            base: settings.base,
            ceiling: settings.ceiling,
        }
    }

    /// What is left of a policy where these terms may narrow it.
    pub(crate) fn at_most(&self, policy: Policy, terms: &ProjectTerms) -> Policy {
        let wishes = Wishes {
            project: terms.file.policy,
            ..Wishes::default()
        };
        policy::effective(policy, &wishes, self.ceiling).0
    }

    /// The policy of a run in a project with these terms, where nobody wishes anything else.
    pub(crate) fn under(&self, terms: &ProjectTerms) -> Policy {
        let wishes = Wishes {
            project: terms.file.policy,
            project_trusted: terms.trusted,
            ..Wishes::default()
        };
        policy::effective(self.base, &wishes, self.ceiling).0
    }
}

impl RunDesk {
    /// The policy of a run under these terms; what is not as it was asked for becomes a warning.
    pub(super) fn policy(
        &self,
        terms: &ProjectTerms,
        call: Option<PolicyWish>,
        parent: Option<Policy>,
        warnings: &mut Vec<Warning>,
    ) -> Policy {
        let wishes = Wishes {
            project: terms.file.policy,
            project_trusted: terms.trusted,
            call: call.unwrap_or_default(),
            parent,
        };
        let Policies { base, ceiling } = self.policies;
        let (policy, said) = policy::effective(base, &wishes, ceiling);
        warnings.extend(said);
        policy
    }
}

/// A wish as part of a request's fingerprint; one that wishes nothing is none.
pub(super) fn words(wish: Option<PolicyWish>) -> String {
    wish.filter(|wish| *wish != PolicyWish::default())
        .map(|wish| format!("{wish:?}"))
        .unwrap_or_default()
}
