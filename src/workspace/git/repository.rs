//! Where a work tree's repository lies, and what its own files tell without git.

use crate::stdx::beneath;
use std::path::{Path, PathBuf};

/// Of `.git` as a file, of `commondir`, of a ref.
const SMALL: u64 = 4096;
const CONFIG: u64 = 1024 * 1024;
const PACKED: u64 = 32 * 1024 * 1024;

/// The folders of a repository.
#[derive(Clone, Debug)]
pub(super) struct Repository {
    /// HEAD and index of this work tree.
    pub(super) folder: PathBuf,
    /// Objects and refs; another than `folder` in a linked worktree.
    pub(super) common: PathBuf,
}

impl Repository {
    /// Of the work tree at `root` and no other: a folder above is somebody else's.
    pub(super) fn at(root: &Path) -> Option<Self> {
        let git = root.join(".git");
        let about = git.symlink_metadata().ok()?;
        let folder = if about.is_file() {
            let line = small(root, ".git")?;
            root.join(line.strip_prefix("gitdir: ")?)
        } else {
            git
        };
        // A name that ends a line would end one of the lists in which it is handed on.
        let plain = folder.to_str().is_none_or(|path| !path.contains('\n'));
        let looks_right = folder.join("HEAD").symlink_metadata().is_ok();
        let common = match small(&folder, "commondir") {
            // It is given as a way up from the worktree's own folder.
            Some(line) => {
                let given = folder.join(line);
                given.canonicalize().unwrap_or(given)
            }
            None => folder.clone(),
        };
        (plain && looks_right && common.join("objects").is_dir()).then_some(Self { folder, common })
    }

    /// The main work tree of a repository that has one.
    pub(super) fn project(&self) -> Option<&Path> {
        let named = self.common.file_name().is_some_and(|name| name == ".git");
        self.common.parent().filter(|_| named)
    }

    /// Its objects have long ids.
    pub(super) fn is_sha256(&self) -> bool {
        let config = beneath::read(&self.common, Path::new("config"), CONFIG).unwrap_or_default();
        let config = String::from_utf8_lossy(&config).to_ascii_lowercase();
        let mut lines = config.lines().filter_map(|line| line.split_once('='));
        lines.any(|(key, value)| key.trim() == "objectformat" && value.trim() == "sha256")
    }

    /// The commit that HEAD leads to, where plain files tell.
    pub(super) fn head(&self) -> Option<String> {
        let head = small(&self.folder, "HEAD")?;
        let Some(name) = head.strip_prefix("ref: ") else {
            return id(&head);
        };
        let name = name.trim();
        if let Some(loose) = small(&self.common, name) {
            return id(&loose);
        }
        let packed = beneath::read(&self.common, Path::new("packed-refs"), PACKED).ok()?;
        let packed = String::from_utf8(packed).ok()?;
        let line = packed
            .lines()
            .find(|line| line.split_once(' ').is_some_and(|(_, of)| of == name))?;
        id(line.split_once(' ')?.0)
    }
}

fn small(folder: &Path, name: &str) -> Option<String> {
    let bytes = beneath::read(folder, Path::new(name), SMALL).ok()?;
    Some(String::from_utf8(bytes).ok()?.trim().to_owned())
}

/// An object's id and nothing else.
fn id(text: &str) -> Option<String> {
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hex && matches!(text.len(), 40 | 64)).then(|| text.to_owned())
}
