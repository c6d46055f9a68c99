//! `eyas store check|backup|restore|prune`: the database from outside, without a hub.

use crate::{
    config::Settings,
    domain::fault::Fault,
    faces::cli::{StoreVerb, print},
    hub::upkeep,
    store::sql::Findings,
};
use serde_json::{Value, json};
use std::{path::Path, process::ExitCode};

/// Does it, and prints what came of it. A database with faults is a failure.
pub(super) async fn run(
    verb: StoreVerb,
    settings: &Settings,
    cwd: &Path,
    as_json: bool,
) -> Result<ExitCode, Fault> {
    let mut code = ExitCode::SUCCESS;
    let (value, words) = match verb {
        StoreVerb::Check => {
            let found = upkeep::check(settings).await?;
            if !found.faults.is_empty() {
                code = ExitCode::FAILURE;
            }
            findings(&found)
        }
        StoreVerb::Backup { path } => {
            let path = cwd.join(path);
            upkeep::back_up(settings, &path).await?;
            let words = format!("backed up to {}", path.display());
            (json!({"path": path}), words)
        }
        StoreVerb::Restore { path } => {
            let aside = upkeep::restore(settings, &cwd.join(&path)).await?;
            let mut words = format!("restored from {}", path.display());
            if let Some(aside) = &aside {
                words += &format!("; what was there is {}", aside.display());
            }
            (json!({"aside": aside}), words)
        }
        StoreVerb::Prune => {
            let gone = upkeep::prune(settings).await?;
            let words = gone.map_or_else(
                || "runs are kept for ever: runs.retention_ms is 0".to_owned(),
                |gone| format!("{gone} runs removed"),
            );
            (json!({"removed": gone}), words)
        }
    };
    if as_json {
        print::json(&value)?;
    } else {
        print::out(&words)?;
    }
    Ok(code)
}

fn findings(found: &Findings) -> (Value, String) {
    let (runs, open, events) = (found.runs, found.open, found.events);
    let value = json!({
        "schema": found.schema, "runs": runs, "open_runs": open, "events": events,
        "bytes": found.bytes, "faults": found.faults,
    });
    let mut words = format!(
        "schema {} · {runs} runs, {open} of them open · {events} events · {} bytes",
        found.schema, found.bytes
    );
    if found.faults.is_empty() {
        words += "\nall is well";
    }
    for fault in &found.faults {
        words += &format!("\n{fault}");
    }
    (value, words)
}
