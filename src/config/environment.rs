//! What the process was given by the one that started it, read once.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// A snapshot of the process: variables, directories, its own program.
#[derive(Clone, Default)]
pub struct Environment {
    /// Variables whose name and value are UTF-8; others cannot travel as JSON.
    pub vars: BTreeMap<String, String>,
    /// The directory the process runs in; `/` when that was removed.
    pub cwd: PathBuf,
    /// The user's home directory.
    pub home_dir: Option<PathBuf>,
    /// Where short-lived things go.
    pub temp_dir: PathBuf,
    /// The running program.
    pub exe: PathBuf,
}

impl Environment {
    /// Reads the process's environment.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn read() -> Self {
        Self {
            vars: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            home_dir: std::env::home_dir().filter(|home| home.is_absolute()),
            temp_dir: std::env::temp_dir(),
            exe: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("eyas")),
        }
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The variables that `names` let through; a trailing `*` stands for any ending.
    #[must_use]
    pub fn pick(&self, names: &[String]) -> BTreeMap<String, String> {
        self.vars
            .iter()
            .filter(|(name, _)| names.iter().any(|pattern| lets_through(pattern, name)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

fn lets_through(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

/// Values may be secrets: only their number is shown.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("vars", &self.vars.len())
            .field("cwd", &self.cwd)
            .field("home_dir", &self.home_dir)
            .field("temp_dir", &self.temp_dir)
            .field("exe", &self.exe)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn names_are_picked_whole_or_by_their_beginning() {
        let env = Environment {
            vars: ["LC_ALL", "LC_TIME", "LANG", "SECRET"]
                .map(|name| (name.to_owned(), "x".to_owned()))
                .into(),
            ..Environment::default()
        };
        let picked = env.pick(&["LC_*".to_owned(), "LANG".to_owned()]);
        assert_eq!(
            picked.keys().collect::<Vec<_>>(),
            ["LANG", "LC_ALL", "LC_TIME"]
        );
        assert!(!format!("{env:?}").contains("SECRET"));
    }
}
