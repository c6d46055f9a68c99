//! The same placement asked for twice, by whoever heard no answer.

use super::{InstanceDesk, place::may_create_at_all};
use crate::{
    agents::pool::Digest,
    api::instance::{InstanceCreate, InstanceView},
    domain::{fault::Fault, rights::Who},
    store::Idempotency,
};

/// The key of a placement, which no other caller's is.
///
/// # Errors
/// `invalid_params` for a key that is none; those of serialization, which do not occur.
pub(super) fn key(params: &InstanceCreate, who: &Who) -> Result<Option<Idempotency>, Fault> {
    let Some(key) = params.idempotency_key.clone() else {
        return Ok(None);
    };
    let field = "idempotency_key";
    if key.is_empty() {
        return Err(Fault::invalid(field, "is empty; leave it out"));
    }
    if key.len() > 256 || key.chars().any(char::is_control) {
        return Err(Fault::invalid(
            field,
            "must be at most 256 bytes of plain text",
        ));
    }
    let asked = InstanceCreate {
        idempotency_key: None,
        dry_run: false,
        ..params.clone()
    };
    let asked = serde_json::to_string(&asked).map_err(Fault::internal)?;
    Ok(Some(Idempotency {
        scope: scope(who),
        key,
        fingerprint: Digest::of(["instance", &asked]).hex(),
    }))
}

fn scope(who: &Who) -> String {
    match who {
        Who::Person | Who::Stray => "instances".to_owned(),
        Who::Agent(standing) => {
            let project = standing.project.map(|id| id.to_string());
            let instance = standing.instance.as_deref().unwrap_or_default();
            format!("instances/{}/{instance}", project.unwrap_or_default())
        }
    }
}

impl InstanceDesk {
    /// What the key stood for before, if it did.
    ///
    /// # Errors
    /// `idempotency_conflict` when that was another request; `forbidden`.
    pub(super) async fn placed_before(
        &self,
        key: Option<&Idempotency>,
        who: &Who,
    ) -> Result<Option<InstanceView>, Fault> {
        let Some(key) = key else { return Ok(None) };
        may_create_at_all(who)?;
        let rows = &self.parts.instances;
        let Some(id) = rows.keyed(key).await? else {
            return Ok(None);
        };
        Ok(Some(InstanceView {
            instance: rows.get(id).await?,
            files: Vec::new(),
            kept: Vec::new(),
            duplicate: Some(true),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::key;
    use crate::{
        api::instance::InstanceCreate,
        domain::rights::{Standing, Who},
    };

    #[test]
    fn a_key_is_of_its_caller_and_its_request() {
        let asked = |name: &str| InstanceCreate {
            name: name.to_owned(),
            idempotency_key: Some("k".to_owned()),
            ..InstanceCreate::default()
        };
        let person = key(&asked("kim"), &Who::Person).unwrap().unwrap();
        let again = key(&asked("kim"), &Who::Person).unwrap().unwrap();
        assert_eq!(person, again);
        let other = key(&asked("lee"), &Who::Person).unwrap().unwrap();
        assert_ne!(person.fingerprint, other.fingerprint);
        let agent = Who::Agent(Standing::default());
        assert_ne!(
            key(&asked("kim"), &agent).unwrap().unwrap().scope,
            person.scope
        );
        assert!(
            key(&InstanceCreate::default(), &Who::Person)
                .unwrap()
                .is_none()
        );
        let empty = InstanceCreate {
            idempotency_key: Some(String::new()),
            ..asked("kim")
        };
        assert!(key(&empty, &Who::Person).is_err());
    }
}
