//! Where the `git` program is.

use rustix::fs::{Access, access};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Where programs lie when nobody said.
const USUAL: &str = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/run/current-system/sw/bin";

/// One per process, as the process has one PATH: set once by whoever has read it.
static PATH: OnceLock<OsString> = OnceLock::new();

/// Looks for `git` in the folders of `path` from now on; the first word holds.
pub fn look_in(path: &OsStr) {
    PATH.get_or_init(|| path.to_owned());
}

/// The program, and the folders it may look in itself. A folder that is not absolute, or lies in one of the trees that are looked at, is the
/// tree's to fill.
pub(super) fn find(trees: &[&Path]) -> Option<(PathBuf, OsString)> {
    find_in(
        PATH.get().map_or(OsStr::new(USUAL), OsString::as_os_str),
        trees,
    )
}

fn find_in(path: &OsStr, trees: &[&Path]) -> Option<(PathBuf, OsString)> {
    let real: Vec<PathBuf> = trees
        .iter()
        .filter_map(|tree| tree.canonicalize().ok())
        .collect();
    // By its name as by where its links lead: either may be the tree's to change.
    let is_theirs = |found: &Path| {
        let inside = |place: &Path| {
            let named = trees.iter().any(|tree| place.starts_with(tree));
            named || real.iter().any(|tree| place.starts_with(tree))
        };
        inside(found) || found.canonicalize().is_ok_and(|real| inside(&real))
    };
    let folders: Vec<PathBuf> = std::env::split_paths(path)
        .filter(|folder| folder.is_absolute() && !is_theirs(folder))
        .collect();
    let runs = |file: &PathBuf| file.is_file() && access(file, Access::EXEC_OK).is_ok();
    let program = folders
        .iter()
        .map(|folder| folder.join("git"))
        .find(|file| runs(file) && !is_theirs(file))?;
    Some((program, std::env::join_paths(folders).ok()?))
}

#[cfg(test)]
mod tests {
    use super::find_in;
    use std::{
        env::join_paths,
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
        path::Path,
    };

    fn program(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let file = folder.join("git");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn no_program_of_a_tree_is_found_by_whatever_way() {
        let home = tempfile::tempdir().unwrap();
        let at = home.path().canonicalize().unwrap();
        let (project, worktree, system) = (at.join("project"), at.join("work"), at.join("usr/bin"));
        for folder in [&project.join("bin"), &worktree.join("bin"), &system] {
            program(folder);
        }
        symlink(&project, at.join("alias")).unwrap();
        symlink(project.join("bin"), at.join("tools")).unwrap();
        fs::create_dir(at.join("links")).unwrap();
        symlink(project.join("bin/git"), at.join("links/git")).unwrap();
        let ways = ["project/bin", "work/bin", "alias/bin", "tools", "links"];
        for root in [&project, &at.join("alias")] {
            for way in ways {
                let path = join_paths([&at.join(way), &system]).unwrap();
                let (found, folders) = find_in(&path, &[&worktree, root]).unwrap();
                assert_eq!(found, system.join("git"), "{way}");
                assert_eq!(way == "links", folders == path, "{way}");
            }
        }
    }
}
