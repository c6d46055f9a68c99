//! The program in what was unpacked.

use super::{Site, is_file, missing};
use crate::domain::{distribution::filled, fault::Fault, version::Version};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Component, Path, PathBuf},
};

/// So many names of what is there instead are told.
const TOLD: usize = 8;

/// Where the program is, below `tree`; it can be executed from now on. `said` is what the definition says of it; without that it is looked
/// for by the name of the agent's command.
pub(super) fn find(
    site: &Site,
    version: &Version,
    said: Option<&str>,
    tree: &Path,
) -> Result<PathBuf, Fault> {
    let command = site.definition.launch.command.as_str();
    let inner = match said {
        Some(said) => {
            let said = filled(said, version.as_str(), &site.platform);
            let inner = PathBuf::from(said.trim_start_matches("./"));
            is_plain(&inner)
                .then_some(inner)
                .filter(|inner| is_file(&tree.join(inner)))
        }
        None => by_name(tree, command),
    };
    let Some(inner) = inner else {
        return Err(missing(format!(
            "there is no program {} in it; there is {}",
            said.unwrap_or(command),
            names(tree)
        )));
    };
    let path = tree.join(&inner);
    let real = path.canonicalize().ok();
    let root = tree.canonicalize().ok();
    if real
        .zip(root)
        .is_none_or(|(real, root)| !real.starts_with(root))
    {
        return Err(missing(format!("{} leads out of it", inner.display())));
    }
    let mode = path
        .metadata()
        .map_or(0o644, |found| found.permissions().mode());
    fs::set_permissions(&path, Permissions::from_mode(mode | 0o755)).map_err(|error| {
        missing(format!(
            "{} cannot be made executable: {error}",
            inner.display()
        ))
    })?;
    Ok(inner)
}

/// It stays in its folder.
pub(super) fn is_plain(inner: &Path) -> bool {
    inner.components().next().is_some()
        && inner
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

/// At the top or in `bin`, or there in the only folder.
fn by_name(tree: &Path, command: &str) -> Option<PathBuf> {
    let name = Path::new(command).file_name()?;
    let mut folders = vec![PathBuf::new()];
    let tops: Vec<PathBuf> = fs::read_dir(tree)
        .ok()?
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| PathBuf::from(entry.file_name()))
        .collect();
    if let [only] = &tops[..] {
        folders.push(only.clone());
    }
    folders
        .iter()
        .flat_map(|folder| [folder.join(name), folder.join("bin").join(name)])
        .find(|inner| is_file(&tree.join(inner)))
}

fn names(tree: &Path) -> String {
    let mut names: Vec<String> = walk(tree, 2)
        .into_iter()
        .map(|path| {
            path.strip_prefix(tree)
                .unwrap_or(&path)
                .display()
                .to_string()
        })
        .collect();
    names.sort();
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let more = names.len().saturating_sub(TOLD);
    names.truncate(TOLD);
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn walk(folder: &Path, depth: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth > 0 => walk(&path, depth - 1),
                _ => vec![path],
            }
        })
        .collect()
}
