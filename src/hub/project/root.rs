//! From a path that somebody named to the root of a project.

use super::same;
use crate::domain::fault::{ErrorKind, Fault};
use std::path::{Path, PathBuf};

/// The project that `path` lies in: the enclosing git work tree, else the directory; canonical.
///
/// # Errors
/// `required_field` when empty, `not_found` when there is no such directory, `invalid_params` when it is no directory.
pub(super) fn root_of(path: &str, cwd: Option<&Path>, home: &Path) -> Result<PathBuf, Fault> {
    if path.is_empty() {
        return Err(Fault::required("path"));
    }
    if path.contains('\0') {
        return Err(Fault::invalid("path", "contains a NUL"));
    }
    let full = match path.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(&rest[1..]),
        _ if Path::new(path).is_absolute() => PathBuf::from(path),
        _ => cwd
            .ok_or_else(|| {
                Fault::invalid(
                    "path",
                    "is relative, and the caller's directory is not known",
                )
            })?
            .join(path),
    };
    let real = full.canonicalize().map_err(|error| {
        Fault::new(
            ErrorKind::NotFound,
            format!("no directory \"{}\": {error}", full.display()),
        )
        .field("path")
    })?;
    if !real.is_dir() {
        return Err(Fault::invalid(
            "path",
            format!("is not a directory: {}", real.display()),
        ));
    }
    let root = same::as_on_disk(&work_tree(&real, home));
    if root.to_str().is_none() {
        // It stands in the store and on the wire as text; a changed path would be another directory.
        let shown = root.display();
        return Err(Fault::invalid("path", format!("is not UTF-8: {shown}")));
    }
    Ok(root)
}

/// A home that is itself a work tree (dotfiles in git) does not swallow every directory below it.
fn work_tree(real: &Path, home: &Path) -> PathBuf {
    real.ancestors()
        .take_while(|folder| folder.parent().is_some() && *folder != home)
        .find(|folder| folder.join(".git").exists())
        .unwrap_or(real)
        .to_owned()
}

/// `/` and the home directory are nobody's project unless somebody says so.
pub(super) fn may_be_default(root: &Path, home: &Path) -> bool {
    root.parent().is_some() && root != home
}

#[cfg(test)]
mod tests {
    use super::{may_be_default, root_of};
    use std::{fs, path::Path};

    #[test]
    fn the_root_is_the_enclosing_work_tree_below_home() {
        let home = tempfile::tempdir().unwrap();
        let real = home.path().canonicalize().unwrap();
        fs::create_dir_all(real.join("p/.git")).unwrap();
        fs::create_dir_all(real.join("p/src/deep")).unwrap();
        fs::create_dir_all(real.join("plain")).unwrap();
        fs::create_dir(real.join(".git")).unwrap();
        let at = |path: &str| root_of(path, Some(&real), &real).unwrap();
        assert_eq!(at("p/src/deep"), real.join("p"));
        assert_eq!(at("~/p/"), real.join("p"));
        assert_eq!(at("plain"), real.join("plain"));
        assert_eq!(at("p/../p"), real.join("p"));
        assert!(root_of("absent", Some(&real), &real).is_err());
        assert!(root_of("plain", None, &real).is_err());
        assert!(root_of("a\0b", Some(&real), &real).is_err());
        assert!(!may_be_default(&real, &real) && !may_be_default(Path::new("/"), &real));
    }
}
