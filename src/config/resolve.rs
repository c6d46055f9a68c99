//! Which of flag, variable, file and default sets a value, and what it is then.

use super::{
    Environment,
    keys::{Key, Kind},
};
use crate::domain::fault::Fault;
use serde::Serialize;
use std::{collections::BTreeMap, fmt, path::Path};
use toml::Value;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Flag,
    /// The variable of that name.
    Environment(String),
    /// The home's `config.toml`.
    Config,
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Config => f.write_str("config.toml"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting as `eyas config` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    pub name: String,
    /// Null when it is not set.
    pub value: serde_json::Value,
    #[serde(serialize_with = "as_text")]
    pub origin: Origin,
}

fn as_text<S: serde::Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(origin)
}

/// The three sources, best first, before the defaults.
pub(super) struct Sources<'a> {
    pub(super) flags: &'a BTreeMap<String, String>,
    pub(super) env: &'a Environment,
    pub(super) file: &'a BTreeMap<String, Value>,
    /// Relative paths in the file begin here.
    pub(super) home: &'a Path,
}

impl Sources<'_> {
    /// The value of `key`, from its best source.
    pub(super) fn value(&self, key: &Key) -> Result<Shown, Fault> {
        let (value, origin) = self.find(key)?;
        Ok(Shown {
            name: key.name.to_owned(),
            value,
            origin,
        })
    }

    fn find(&self, key: &Key) -> Result<(serde_json::Value, Origin), Fault> {
        let variable = key.variable();
        if let Some(text) = self.flags.get(key.name) {
            return Ok((self.given(key, text, &self.env.cwd)?, Origin::Flag));
        }
        if let Some(text) = self.env.var(&variable) {
            let value = self.given(key, text, &self.env.cwd);
            return Ok((value?, Origin::Environment(variable)));
        }
        if let Some(value) = self.file.get(key.name) {
            return Ok((self.written(key, value)?, Origin::Config));
        }
        let value = self.given(key, key.default, self.home)?;
        Ok((value, Origin::Default))
    }

    fn given(&self, key: &Key, text: &str, base: &Path) -> Result<serde_json::Value, Fault> {
        Ok(match key.kind {
            Kind::Text | Kind::Path if text.is_empty() => serde_json::Value::Null,
            Kind::Text => text.into(),
            Kind::Path => self.path(text, base).into(),
            Kind::Number => text
                .parse::<u64>()
                .ok()
                .ok_or_else(|| whole(key.name))?
                .into(),
            Kind::Switch => match text {
                "true" | "1" => true.into(),
                "false" | "0" => false.into(),
                _ => return Err(switch(key.name)),
            },
            Kind::Word(words) => one_of(key.name, text, words)?,
            Kind::List => text
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .collect(),
        })
    }

    fn written(&self, key: &Key, value: &Value) -> Result<serde_json::Value, Fault> {
        match (key.kind, value) {
            (Kind::Text, Value::String(text)) => Ok(text.as_str().into()),
            (Kind::Path, Value::String(text)) => Ok(self.path(text, self.home).into()),
            (Kind::Number, Value::Integer(number)) => u64::try_from(*number)
                .map(Into::into)
                .ok()
                .ok_or_else(|| whole(key.name)),
            (Kind::List, Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(serde_json::Value::from))
                .collect::<Option<Vec<_>>>()
                .map(Into::into)
                .ok_or_else(|| Fault::invalid(key.name, "must be a list of text")),
            (Kind::Switch, Value::Boolean(on)) => Ok((*on).into()),
            (Kind::Word(words), Value::String(text)) => one_of(key.name, text, words),
            (Kind::Word(words), _) => one_of(key.name, "", words),
            (Kind::Number, _) => Err(whole(key.name)),
            (Kind::Switch, _) => Err(switch(key.name)),
            (Kind::List, _) => Err(Fault::invalid(key.name, "must be a list of text")),
            (Kind::Text | Kind::Path, _) => Err(Fault::invalid(key.name, "must be text")),
        }
    }

    /// `~/` is the user's home; a relative path begins at `base`.
    fn path(&self, text: &str, base: &Path) -> String {
        let path = match (text.strip_prefix("~/"), &self.env.home_dir) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => base.join(text),
        };
        path.to_string_lossy().into_owned()
    }
}

fn switch(name: &str) -> Fault {
    Fault::invalid(name, "must be true or false")
}

fn one_of(name: &str, text: &str, words: &[&str]) -> Result<serde_json::Value, Fault> {
    if words.contains(&text) {
        return Ok(text.into());
    }
    let words = words.join(", ");
    Err(Fault::invalid(name, format!("must be one of {words}")))
}

fn whole(name: &str) -> Fault {
    Fault::invalid(name, "must be a whole number that is not negative")
}
