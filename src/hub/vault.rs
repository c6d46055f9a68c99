//! The values that agents may see, as peers sent them. In memory only: never stored, never logged.

use crate::{
    config::{Environment, Settings},
    domain::ids::PeerId,
};
use std::{
    collections::BTreeMap,
    fmt, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Values = BTreeMap<String, String>;

/// A cheap handle on what peers sent.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    own: Values,
    env_file: Option<PathBuf>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_peer: BTreeMap<PeerId, Values>,
    /// The last value seen for a name, whoever sent it.
    last: Values,
}

impl Vault {
    /// A vault that falls back to the settings' `agent.env_file`, then to the hub's own environment.
    #[must_use]
    pub fn new(settings: &Settings, env: &Environment) -> Self {
        Self(Arc::new(Inner {
            own: env.vars.clone(),
            env_file: settings.agent.env_file.clone(),
            kept: Mutex::default(),
        }))
    }

    /// Keeps what a peer sent, instead of what it sent before.
    pub fn keep(&self, peer: PeerId, values: Values) {
        let mut kept = self.kept();
        kept.last
            .extend(values.iter().map(|(n, v)| (n.clone(), v.clone())));
        kept.by_peer.insert(peer, values);
    }

    /// Drops a peer's values; the last seen for each name stay.
    pub fn forget(&self, peer: PeerId) {
        self.kept().by_peer.remove(&peer);
    }

    /// For each name the peer's value, else the last seen, else the file's, else the hub's own. Everything: what an agent may see of it
    /// is its definition's to say.
    #[must_use]
    pub fn values_for(&self, peer: Option<PeerId>) -> Values {
        let mut values = self.0.own.clone();
        if let Some(path) = &self.0.env_file {
            values.extend(read(path));
        }
        let kept = self.kept();
        let sent = peer.and_then(|peer| kept.by_peer.get(&peer));
        for (name, value) in kept.last.iter().chain(sent.into_iter().flatten()) {
            values.insert(name.clone(), value.clone());
        }
        values
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

/// The `NAME=value` lines of a file that nobody else may read. Read anew for each attempt, so that a person may change it.
fn read(path: &Path) -> Values {
    let open = || {
        let mode = fs::metadata(path)?.mode() & 0o777;
        if mode | 0o700 != 0o700 {
            return Err(io::Error::other("others may read it, set its mode to 0600"));
        }
        fs::read_to_string(path)
    };
    let text = open().unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), %error, "agent.env_file is not read");
        String::new()
    });
    text.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || name.starts_with('#') {
        return None;
    }
    let bare = ['"', '\''].into_iter().find_map(|quote| {
        value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    });
    Some((name.to_owned(), bare.unwrap_or(value).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Values, Vault, parse};
    use crate::{
        config::{Environment, Flags, Settings},
        domain::ids::PeerId,
    };
    use std::os::unix::fs::PermissionsExt as _;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn a_value_is_the_peers_else_the_last_seen_else_the_files_else_our_own() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("env");
        std::fs::write(&file, "FILE=file\nLAST=file\nPEER=file\n").expect("a file");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("ours");
        let env = Environment {
            vars: values(&[
                ("EYAS_HOME", &home.path().to_string_lossy()),
                ("EYAS_AGENT_ENV_FILE", &file.to_string_lossy()),
                ("OWN", "own"),
                ("FILE", "own"),
            ]),
            ..Environment::default()
        };
        let settings = Settings::load(&env, &Flags::default()).expect("nothing is wrong");
        let vault = Vault::new(&settings, &env);
        let [first, second] = [PeerId(crate::stdx::mint()), PeerId(crate::stdx::mint())];
        vault.keep(first, values(&[("PEER", "first"), ("LAST", "first")]));
        vault.keep(second, values(&[("PEER", "second")]));
        let seen = vault.values_for(Some(first));
        let get = |name: &str| seen.get(name).map(String::as_str);
        assert_eq!(get("PEER"), Some("first"));
        assert_eq!(get("LAST"), Some("first"));
        assert_eq!(get("FILE"), Some("file"));
        assert_eq!(get("OWN"), Some("own"));
        vault.forget(first);
        assert_eq!(vault.values_for(Some(first))["PEER"], "second");
        assert!(!format!("{vault:?}").contains("second"));
    }

    #[test]
    fn lines_are_read_as_shells_write_them() {
        let pair = |n: &str, v: &str| Some((n.to_owned(), v.to_owned()));
        assert_eq!(parse("A=b=c"), pair("A", "b=c"));
        assert_eq!(parse(" export A = \"b c\" "), pair("A", "b c"));
        assert_eq!(parse("# A=b"), None);
        assert_eq!(parse("words"), None);
    }
}
