//! `eyas doctor`: what is wrong, and what is good to know. Starts no hub.

use crate::{
    config::{Environment, Settings},
    domain::{
        fault::Fault,
        finding::{Diagnosis, Finding, Level},
    },
    faces::cli::print,
    hub::{doctor, join::Connection},
};
use std::process::ExitCode;

/// Looks, and prints what was seen; fails when something is wrong.
pub(super) async fn run(
    settings: &Settings,
    env: &Environment,
    connection: &Connection,
    as_json: bool,
) -> Result<ExitCode, Fault> {
    shown(&doctor::diagnose(settings, env, connection).await?, as_json)
}

/// The settings cannot even be read: that is all there is to say.
pub(super) fn unset(fault: Fault, as_json: bool) -> Result<ExitCode, Fault> {
    let mut finding = Finding::wrong(fault.detail);
    finding.hint = fault.hint;
    shown(&Diagnosis::of(vec![finding], false), as_json)
}

fn shown(diagnosis: &Diagnosis, as_json: bool) -> Result<ExitCode, Fault> {
    if as_json {
        print::json(diagnosis)?;
    } else {
        print::out(&words(diagnosis))?;
    }
    Ok(if diagnosis.sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is wrong comes last, where it is read.
fn words(diagnosis: &Diagnosis) -> String {
    let mut findings: Vec<&Finding> = diagnosis.findings.iter().collect();
    findings.sort_by_key(|one| one.level);
    let mut lines: Vec<String> = Vec::new();
    for one in findings {
        let mark = match one.level {
            Level::Fine => "fine  ",
            Level::Notice => "note  ",
            Level::Wrong => "WRONG ",
        };
        lines.push(format!("{mark} {}", one.what));
        lines.extend(one.hint.iter().map(|hint| format!("        {hint}")));
    }
    lines.push(if diagnosis.sound {
        "nothing is wrong".to_owned()
    } else {
        "something is wrong: see above".to_owned()
    });
    lines.join("\n")
}
