//! What two warm agents must share to be one.

use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// An agent serves whoever has its root and launch. `launch` is a digest of the program, its arguments and the values of the agent's own
/// environment names, so that two editors with different keys never share an agent, and two with different PATHs do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct WarmKey {
    pub root: PathBuf,
    pub agent: String,
    pub launch: Digest,
}

/// SHA-256, shown by its first bytes: enough to tell two apart in a log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Digest {
    /// Of a launch; every part is preceded by its length, so that no two launches run together.
    #[must_use]
    pub fn of_launch(program: &str, args: &[String], own_env: &BTreeMap<String, String>) -> Self {
        let pairs = own_env
            .iter()
            .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        Self::of(
            [program]
                .into_iter()
                .chain(args.iter().map(String::as_str))
                .chain(pairs),
        )
    }

    /// Of some texts, in order.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for text in texts {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        }
        Self(hash.finalize().into())
    }

    /// All of it, in hexadecimal.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
