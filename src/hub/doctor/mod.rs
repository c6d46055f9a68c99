//! A look at a home and all around it, which changes nothing and says only what it saw. With a hub or without one.

mod agents;
mod database;
mod home;
mod left;
mod setup;

use super::join::Connection;
use crate::{
    config::{Environment, Settings},
    domain::{
        fault::{ErrorKind, Fault},
        finding::{Diagnosis, Finding},
    },
};
use std::collections::BTreeMap;

/// Who looks, and from where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    pub(super) settings: &'a Settings,
    pub(super) env: &'a Environment,
    /// What agents may be given: of the hub all that it knows, of a shell its own.
    pub(super) values: &'a BTreeMap<String, String>,
    /// It is the hub itself that looks.
    pub(super) is_hub: bool,
}

/// Looks at everything.
pub(super) async fn examine(look: Look<'_>) -> Diagnosis {
    let mut findings = home::look(look);
    findings.extend(database::look(look).await);
    findings.extend(setup::look(look));
    findings.extend(agents::look(look));
    findings.extend(left::look(look));
    Diagnosis::of(findings, look.is_hub)
}

/// Asks the hub of this home to look, or looks from here when there is none: none is started.
///
/// # Errors
/// None that comes of the home: those are findings.
pub async fn diagnose(
    settings: &Settings,
    env: &Environment,
    connection: &Connection,
) -> Result<Diagnosis, Fault> {
    let why = match connection.consult("hub.doctor").await {
        Ok(Some(diagnosis)) => return Ok(diagnosis),
        Ok(None) => None,
        // Another process has the home for itself alone.
        Err(fault) if fault.kind == ErrorKind::Busy => Some(Finding::notice(fault.detail)),
        Err(fault) => Some(unheard(&fault)),
    };
    let look = Look {
        settings,
        env,
        values: &env.vars,
        is_hub: false,
    };
    let mut diagnosis = examine(look).await;
    diagnosis.findings.extend(why);
    Ok(Diagnosis::of(diagnosis.findings, false))
}

fn unheard(fault: &Fault) -> Finding {
    let finding = Finding::wrong(format!(
        "the hub of this home gave no answer: {}",
        fault.detail
    ));
    finding.hint(fault.hint.clone().unwrap_or_else(|| {
        "end it with `eyas hub stop --now`; another one starts when it is needed".to_owned()
    }))
}
