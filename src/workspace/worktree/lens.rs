//! A look at a tree of files without the repository's own configuration.
//!
//! A lens is a git directory of our own, empty but for the way to the repository's objects. Filters, merge drivers, hooks and monitors are
//! defined in a configuration; here there is none, so a file's attributes may name them and nothing runs. What is written, is written here.

use super::{
    git::{Git, names, parts, unreadable},
    left::Left,
};
use crate::{
    domain::fault::{ErrorKind, Fault},
    stdx::scratch::Scratch,
    workspace::git::copy_regular,
};
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::task::spawn_blocking;

/// Bytes of a list of patterns.
const EXCLUDE: u64 = 1024 * 1024;
/// Bytes of files that are read to see what they are.
const CONTENT: u64 = if cfg!(test) { 1 } else { 1024 } * 1024 * 1024;

/// A git directory of our own over another's objects; gone when dropped.
#[derive(Debug)]
pub(super) struct Lens {
    folder: Scratch,
    project: PathBuf,
}

/// A tree of files as it stands on disk, what git ignores left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// Id of the tree object, which lies in the lens.
    pub(super) tree: String,
    /// Repositories of their own inside, which are in no tree; relative, with a slash at the end.
    pub(super) foreign: Vec<String>,
}

impl Lens {
    /// Over the objects of `repository`. `commit` is one of its ids: it says of which kind they are.
    pub(super) async fn over(repository: &Path, commit: &str) -> Result<Self, Fault> {
        let asked = ["rev-parse", "--path-format=absolute", "--git-common-dir"];
        let common = PathBuf::from(Git::at(repository).run(&asked).await?.text());
        let folder = Scratch::new("eyas-git-").map_err(|e| unreadable(&common, &e))?;
        let (own, sha256) = (folder.path().to_owned(), commit.len() > 40);
        let laid = spawn_blocking(move || {
            lay(&own, &common, sha256).map_err(|error| unreadable(&common, &error))
        });
        laid.await.map_err(Fault::internal)??;
        Ok(Self {
            folder,
            project: repository.to_owned(),
        })
    }

    /// A file in the lens.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Git on the work tree `tree`, with the index at `index`.
    pub(super) fn git(&self, tree: &Path, index: &Path) -> Git {
        Git::by(tree, &self.project, self.folder.path(), index)
    }

    /// What stands in `tree`, looked at from the commit `from`; `name` is that of an index in the lens, which then knows it all. A
    /// repository inside that is as the set-up left it is nobody's work.
    pub(super) async fn snapshot(
        &self,
        tree: &Path,
        from: &str,
        name: &str,
        left: Option<&Arc<Left>>,
    ) -> Result<Snapshot, Fault> {
        let git = self.git(tree, &self.file(name));
        git.run(&["read-tree", from]).await?;
        // Exit 1 says that something differs, which is what we want to know next.
        git.say(&["update-index", "-q", "--really-refresh"], Vec::new())
            .await?;
        // Submodules are not looked into: to ask for their status, git runs in them by their own configuration.
        let raw = [
            "diff-files",
            "--raw",
            "-z",
            "--no-renames",
            "--ignore-submodules=all",
        ];
        let mut seen = Seen::read(&git.run(&raw).await?.out);
        seen.foreign.extend(occupied(&git, tree).await?);
        if !seen.gone.is_empty() {
            let gone = std::mem::take(&mut seen.gone);
            git.run_on(&["update-index", "-z", "--index-info"], gone)
                .await?;
        }
        let others = ["ls-files", "-z", "--others", "--exclude-standard"];
        for path in parts(&git.run(&others).await?.out) {
            seen.other(path);
        }
        if !seen.there.is_empty() {
            bounded(tree, &seen.there).await?;
            let add = [
                "update-index",
                "-z",
                "--add",
                "--remove",
                "--replace",
                "--stdin",
            ];
            git.run_on(&add, seen.there).await?;
        }
        let (root, mut foreign) = (tree.to_owned(), seen.foreign);
        let left = left.cloned();
        let looked = move || {
            if let Some(left) = left {
                foreign.retain(|path| !left.holds(&root, &root.join(path)));
            }
            foreign
        };
        Ok(Snapshot {
            tree: git.run(&["write-tree"]).await?.text(),
            foreign: spawn_blocking(looked).await.map_err(Fault::internal)?,
        })
    }

    /// Files that git ignores and that are not as the set-up left them; `index` knows all others.
    pub(super) async fn ignored(
        &self,
        tree: &Path,
        index: &str,
        left: &Arc<Left>,
    ) -> Result<Vec<String>, Fault> {
        let asked = ["ls-files", "-z", "-o", "-i", "--exclude-standard"];
        let git = self.git(tree, &self.file(index));
        let mut paths: Vec<Vec<u8>> = parts(&git.run(&asked).await?.out)
            .map(<[u8]>::to_vec)
            .collect();
        let (tree, left) = (tree.to_owned(), left.clone());
        let looked = move || {
            paths.retain(|path| !left.holds(&tree, &below(&tree, path)));
            paths
        };
        let paths = spawn_blocking(looked).await.map_err(Fault::internal)?;
        Ok(paths.iter().map(|path| shown(path)).collect())
    }

    /// Paths in which two trees differ.
    pub(super) async fn between(&self, from: &str, to: &str) -> Result<Vec<String>, Fault> {
        let none = self.file("none");
        let git = self.git(self.folder.path(), &none);
        let asked = [
            "diff-tree",
            "-r",
            "-z",
            "--name-only",
            "--no-renames",
            from,
            to,
        ];
        Ok(names(&git.run(&asked).await?.out))
    }
}

fn lay(own: &Path, common: &Path, sha256: bool) -> io::Result<()> {
    for folder in ["objects/info", "refs", "info"] {
        fs::create_dir_all(own.join(folder))?;
    }
    let config = if sha256 {
        "[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectformat = sha256\n"
    } else {
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
    };
    fs::write(own.join("config"), config)?;
    fs::write(own.join("HEAD"), "ref: refs/heads/none\n")?;
    let mut objects = common.join("objects").into_os_string().into_encoded_bytes();
    objects.push(b'\n');
    fs::write(own.join("objects/info/alternates"), objects)?;
    // A list of patterns, nothing that runs. An agent may have put a pipe in its place, which nobody writes to.
    let exclude = Path::new("info/exclude");
    copy_regular(&common.join(exclude), &own.join(exclude), EXCLUDE)
}

/// Places of submodules in which something stands. None is ever filled here, and git, not asked into them, sees no file in one that it has
/// not made itself.
async fn occupied(git: &Git, tree: &Path) -> Result<Vec<String>, Fault> {
    let listed = git.run(&["ls-files", "-z", "--stage"]).await?.out;
    let links: Vec<Vec<u8>> = parts(&listed)
        .filter(|line| line.starts_with(b"160000 "))
        .filter_map(|line| line.splitn(2, |byte| *byte == b'\t').nth(1))
        .map(<[u8]>::to_vec)
        .collect();
    let tree = tree.to_owned();
    let looked = move || {
        let holds = |path: &Vec<u8>| !is_empty(&below(&tree, path));
        let held = links.iter().filter(|path| holds(path));
        held.map(|path| format!("{}/", shown(path))).collect()
    };
    spawn_blocking(looked).await.map_err(Fault::internal)
}

/// What is to be read must not fill the disk: all of it is copied, compressed, into the lens.
async fn bounded(tree: &Path, paths: &[u8]) -> Result<(), Fault> {
    let (tree, paths) = (tree.to_owned(), paths.to_vec());
    let weighed = move || {
        let mut whole: u64 = 0;
        for path in parts(&paths) {
            let about = below(&tree, path).symlink_metadata();
            whole = whole.saturating_add(about.map_or(0, |about| about.len()));
            if whole > CONTENT {
                let detail = format!(
                    "what is new or changed in {} is more than {CONTENT} bytes, {} among it",
                    tree.display(),
                    shown(path)
                );
                let fault = Fault::new(ErrorKind::TooLarge, detail);
                return Err(fault.hint("look at it with git itself; have git ignore what is no source, or move it away"));
            }
        }
        Ok(())
    };
    spawn_blocking(weighed).await.map_err(Fault::internal)?
}

/// There is no such directory, or nothing in it. One that cannot be read is not empty.
fn is_empty(folder: &Path) -> bool {
    match folder.symlink_metadata() {
        Ok(about) if about.is_dir() => {
            fs::read_dir(folder).is_ok_and(|mut listed| listed.next().is_none())
        }
        Ok(_) | Err(_) => true,
    }
}

fn below(tree: &Path, path: &[u8]) -> PathBuf {
    tree.join(OsStr::from_bytes(path))
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// What differs on disk, in the forms in which git takes it.
#[derive(Debug, Default)]
struct Seen {
    /// For `--index-info`: these are no more.
    gone: Vec<u8>,
    /// For `--stdin`: these are as they stand on disk.
    there: Vec<u8>,
    foreign: Vec<String>,
}

impl Seen {
    /// Reads `diff-files --raw -z`.
    fn read(out: &[u8]) -> Self {
        let mut seen = Self::default();
        let mut fields = parts(out);
        while let (Some(about), Some(path)) = (fields.next(), fields.next()) {
            let about = String::from_utf8_lossy(about);
            let mut words = about.split(' ');
            let (mode, id) = (words.nth(1), words.next());
            // A repository in the place of a file: the file is gone, the repository is not ours to take.
            let foreign = mode == Some("160000");
            if foreign {
                seen.foreign.push(format!("{}/", shown(path)));
            }
            if foreign || about.ends_with('D') {
                let zeros = "0".repeat(id.map_or(40, str::len));
                seen.gone.extend(format!("0 {zeros}\t").bytes());
                seen.gone.extend(path.iter().chain(&[0]));
            } else {
                seen.there.extend(path.iter().chain(&[0]));
            }
        }
        seen
    }

    fn other(&mut self, path: &[u8]) {
        if path.ends_with(b"/") {
            self.foreign.push(shown(path));
        } else {
            self.there.extend(path.iter().chain(&[0]));
        }
    }
}
