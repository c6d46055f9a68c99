//! `eyas config`: each value, and where it came from.

use crate::config::{Settings, Shown};

/// One line per setting: name, value, origin.
#[must_use]
pub fn text(settings: &Settings) -> String {
    let rows = settings.shown();
    let width = |of: fn(&Shown) -> String| rows.iter().map(|row| of(row).len()).max().unwrap_or(0);
    let (names, values) = (width(|row| row.name.clone()), width(value));
    let line = |row: &Shown| {
        let (name, value, origin) = (&row.name, value(row), &row.origin);
        format!("{name:names$}  {value:values$}  {origin}\n")
    };
    rows.iter().map(line).collect()
}

/// The same as a list of `{name, value, origin}`.
#[must_use]
pub fn json(settings: &Settings) -> serde_json::Value {
    serde_json::json!({"items": settings.shown()})
}

fn value(row: &Shown) -> String {
    match &row.value {
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
