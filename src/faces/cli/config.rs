//! `eyas config`: each value, and where it came from.

use super::context::CliContext;
use crate::{
    config::{Settings, Shown},
    domain::fault::Fault,
};
use serde_json::json;
use std::process::ExitCode;

pub(super) fn run(context: &CliContext) -> Result<ExitCode, Fault> {
    let settings = &context.settings;
    context.show(&json!({"items": settings.shown()}), || text(settings))?;
    Ok(ExitCode::SUCCESS)
}

/// One line per setting: name, value, origin.
fn text(settings: &Settings) -> String {
    let rows = settings.shown();
    let width = |of: fn(&Shown) -> String| rows.iter().map(|row| of(row).len()).max().unwrap_or(0);
    let (names, values) = (width(|row| row.name.clone()), width(value));
    let line = |row: &Shown| {
        let (name, value, origin) = (&row.name, value(row), &row.origin);
        format!("{name:names$}  {value:values$}  {origin}\n")
    };
    rows.iter().map(line).collect()
}

fn value(row: &Shown) -> String {
    if row.value.is_null() {
        return "-".to_owned();
    }
    let text = row.value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| row.value.to_string())
}
