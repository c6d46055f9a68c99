//! Where things lie: one home that holds everything, or the two directories of the XDG base directory specification.

use super::Environment;
use crate::domain::fault::{ErrorKind, Fault};
use std::path::{Path, PathBuf};

/// The two roots of a home.
pub(super) struct Layout {
    /// What a person edits.
    pub(super) home: PathBuf,
    /// Everything else.
    pub(super) data: PathBuf,
}

impl Layout {
    /// `given` (a flag or `$EYAS_HOME`) holds both; without it XDG decides.
    pub(super) fn find(env: &Environment, given: Option<&str>) -> Result<Self, Fault> {
        if let Some(given) = given {
            let home = env.cwd.join(given);
            return Ok(Self {
                data: home.clone(),
                home,
            });
        }
        Ok(Self {
            home: xdg(env, "XDG_CONFIG_HOME", ".config")?,
            data: xdg(env, "XDG_DATA_HOME", ".local/share")?,
        })
    }
}

/// A relative path in an XDG variable is to be ignored, says the specification.
fn xdg(env: &Environment, variable: &str, below_home: &str) -> Result<PathBuf, Fault> {
    absolute(env, variable)
        .or_else(|| env.home_dir.as_ref().map(|home| home.join(below_home)))
        .map(|base| base.join("eyas"))
        .ok_or_else(|| {
            Fault::new(
                ErrorKind::RequiredField,
                "there is no home directory to keep anything in",
            )
            .hint("set EYAS_HOME to a directory")
            .field("EYAS_HOME")
        })
}

/// The absolute path in a variable.
pub(super) fn absolute(env: &Environment, variable: &str) -> Option<PathBuf> {
    env.var(variable)
        .map(Path::new)
        .filter(|path| path.is_absolute())
        .map(Path::to_owned)
}
