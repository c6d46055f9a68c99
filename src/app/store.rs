//! `eyas store check|backup|restore|move|prune`: the database from outside, without a hub.

use crate::{
    config::{Settings, StoreUrl},
    domain::fault::Fault,
    faces::cli::{StoreVerb, print},
    hub::upkeep,
    store::sql::{Findings, Moved},
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
        StoreVerb::Move { url } => {
            let url = StoreUrl::typed(&url)?;
            moved(&upkeep::transfer(settings, &url).await?, &url)
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

/// The person puts the address into the settings, with the password that is not shown here.
fn moved(moved: &Moved, url: &StoreUrl) -> (Value, String) {
    let line = format!("store.url = \"{url}\"");
    let rows: u64 = moved.tables.iter().map(|(_, rows)| rows).sum();
    let tables: serde_json::Map<String, Value> = moved
        .tables
        .iter()
        .map(|(name, rows)| ((*name).to_owned(), json!(rows)))
        .collect();
    let value = json!({"rows": rows, "tables": tables, "setting": line});
    let mut words = format!("{rows} rows were moved and compared:");
    for (name, rows) in &moved.tables {
        words += &format!(" {name} {rows}");
    }
    words += &format!(
        "\neyas.db is as it was. To use the other one from now on, put this line at the top of config.toml, with the password:\n{line}"
    );
    (value, words)
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
