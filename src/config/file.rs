//! `config.toml`: read into dotted names, every name known.

use super::keys::KEYS;
use crate::domain::fault::{ErrorKind, Fault};
use std::{collections::BTreeMap, io, path::Path};
use toml::{Table, Value};

/// The settings in the file at `path`, by dotted name; none when there is no file.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Value>, Fault> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map_err(|fault| Fault {
            detail: format!("{}: {}", path.display(), fault.detail),
            ..fault
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(Fault::new(
            ErrorKind::InvalidParams,
            format!("failed to read {}: {error}", path.display()),
        )),
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, Value>, Fault> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        Fault::new(ErrorKind::InvalidParams, error.to_string().trim())
    })?;
    let mut found = BTreeMap::new();
    flatten("", table, &mut found);
    match found.keys().find(|name| !known(name)) {
        Some(name) => Err(unknown(name)),
        None => Ok(found),
    }
}

fn known(name: &str) -> bool {
    KEYS.iter().any(|key| key.name == name)
}

fn unknown(name: &str) -> Fault {
    let fault = Fault::new(
        ErrorKind::InvalidParams,
        format!("unknown setting `{name}`"),
    )
    .field(name);
    match crate::stdx::nearest(name, KEYS.iter().map(|key| key.name)) {
        Some(near) => fault.hint(format!("did you mean `{near}`? `eyas config` shows all")),
        None => fault.hint("`eyas config` shows all"),
    }
}

fn flatten(prefix: &str, table: Table, into: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let name = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}.{name}")
        };
        if let Value::Table(inner) = value {
            flatten(&name, inner, into);
        } else {
            into.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn tables_are_read_as_dotted_names() {
        let found = parse("log = \"info\"\n[warm]\nmax_concurrent = 2\n").expect("both are known");
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            ["log", "warm.max_concurrent"]
        );
    }

    #[test]
    fn an_unknown_name_is_a_fault_with_the_nearest_known_one() {
        let fault = parse("[warm]\nmax_concurent = 2\n").expect_err("a slip");
        assert_eq!(fault.field.as_deref(), Some("warm.max_concurent"));
        assert!(
            fault
                .hint
                .is_some_and(|hint| hint.contains("warm.max_concurrent"))
        );
    }

    #[test]
    fn text_that_is_not_toml_is_a_fault() {
        assert!(parse("= 3").is_err());
    }
}
