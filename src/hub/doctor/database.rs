//! The database: whether it is sound, and what goes on in it.

use super::Look;
use crate::{
    domain::finding::Finding,
    store::{
        StoreError,
        sql::{self, Glance},
    },
};
use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

/// A larger file is not read through from end to end.
const READ_THROUGH: u64 = 1 << 30;

pub(super) async fn look(look: Look<'_>) -> Vec<Finding> {
    let settings = look.settings;
    if let Some(url) = &settings.store_url {
        return match sql::glance_postgres(url.expose()).await {
            Ok(glance) => {
                let mut findings = vec![Finding::fine("the PostgreSQL database answers")];
                findings.extend(words(&glance));
                findings
            }
            Err(error) => vec![failed("the PostgreSQL database", &error).hint(
                "look at the server and at `store.url`: `eyas config` shows it without its password",
            )],
        };
    }
    let path = &settings.database;
    let Ok(found) = fs::metadata(path) else {
        return vec![Finding::notice(format!(
            "{} is not there yet",
            path.display()
        ))];
    };
    let mut findings = Vec::new();
    if found.mode() & 0o077 != 0 {
        let finding = Finding::wrong(format!("{} is open to other users", path.display()));
        findings.push(finding.hint(format!("chmod 600 {}", path.display())));
    }
    findings.extend(sound(path, found.len()).await);
    match sql::glance_sqlite(path).await {
        Ok(glance) => findings.extend(words(&glance)),
        Err(error) => findings.push(failed("the database", &error)),
    }
    findings
}

async fn sound(path: &Path, bytes: u64) -> Vec<Finding> {
    if bytes > READ_THROUGH {
        let words = format!(
            "{} has {} MiB and was not read through",
            path.display(),
            bytes >> 20
        );
        return vec![Finding::notice(words).hint("`eyas store check` does that")];
    }
    match sql::check_sqlite(path).await {
        Ok(found) if found.faults.is_empty() => vec![Finding::fine(format!(
            "{} is sound: {} runs, {} events, {} KiB",
            path.display(),
            found.runs,
            found.events,
            found.bytes >> 10
        ))],
        Ok(found) => {
            let wrong = |fault: String| {
                Finding::wrong(format!("{}: {fault}", path.display())).hint(
                    "keep a copy (`eyas store backup`), then `eyas store restore` an older one",
                )
            };
            found.faults.into_iter().map(wrong).collect()
        }
        Err(error) => vec![failed("the database", &error)],
    }
}

fn failed(what: &str, error: &StoreError) -> Finding {
    Finding::wrong(format!("{what} cannot be read: {error}"))
}

fn words(glance: &Glance) -> Vec<Finding> {
    let (found, known) = (glance.schema, glance.known);
    if found > known {
        let words = format!("the database has schema {found}, this binary knows up to {known}");
        return vec![Finding::wrong(words).hint("use a newer eyas")];
    }
    if found < known {
        let words = format!("the database has schema {found}; the next hub brings it to {known}");
        return vec![Finding::notice(words)];
    }
    let mut findings = vec![Finding::fine(format!(
        "{} runs have not ended, {} of them are held; {} rows in the outbox",
        glance.open, glance.held, glance.outbox
    ))];
    if glance.asking > 0 {
        findings.push(
            Finding::notice(format!("{} requests wait for a person", glance.asking))
                .hint("`eyas run list --state input_required` shows the runs"),
        );
    }
    if glance.expired > 0 {
        findings.push(
            Finding::notice(format!(
                "{} leases are over and were not taken yet",
                glance.expired
            ))
            .hint("a hub takes them within seconds of its start"),
        );
    }
    if glance.lost > 0 {
        findings.push(Finding::notice(format!(
            "{} attempts of the last day were lost with their hub, or with their lease, and their runs taken from it",
            glance.lost
        )));
    }
    for class in &glance.degraded {
        findings.push(
            Finding::notice(format!(
                "{class} is degraded: too many of its attempts failed"
            ))
            .hint("`eyas hub status` shows it; it comes back by itself once attempts succeed"),
        );
    }
    findings
}
