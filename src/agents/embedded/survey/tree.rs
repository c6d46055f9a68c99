//! The files of a project.

use super::{
    budget::{Budget, Stopped},
    ignore::{self, Rules},
    language::{self, Language, Purpose},
    scan::{self, Scan},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use walkdir::{DirEntry, WalkDir};

/// Deeper directories are not entered.
const MAX_DEPTH: usize = 64;

/// One regular file.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) full: PathBuf,
    /// Relative to the root, with `/`.
    pub(super) path: String,
    /// Of `path`: it says exactly how the file is called, and can be handed on.
    pub(super) exact: bool,
    pub(super) size: u64,
    pub(super) language: Option<Language>,
}

impl Found {
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// How many directories lie between it and the root.
    pub(super) fn depth(&self) -> usize {
        self.path.matches('/').count()
    }
}

/// What the walk saw, in the order of paths.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: Vec<Found>,
    /// Directories and entries that could not be read.
    unreadable: usize,
    links: usize,
}

/// The tree in numbers.
#[derive(Debug)]
pub(in super::super) struct Summary {
    pub(in super::super) files: usize,
    pub(in super::super) bytes: u64,
    pub(in super::super) unreadable: usize,
    pub(in super::super) links: usize,
    /// Name, files and lines, most lines of code first.
    pub(in super::super) languages: Vec<(&'static str, usize, usize)>,
    /// The main one: the most code.
    pub(in super::super) main: Option<&'static str>,
    /// Top directories with their number of files, largest first.
    pub(in super::super) folders: Vec<(String, usize)>,
}

/// Walks the project. Symbolic links are counted and never followed, so there is no way out and no loop.
pub(super) fn walk(root: &Path, budget: &mut Budget) -> Result<Tree, Stopped> {
    let mut tree = Tree::default();
    let mut rules: Vec<(usize, String, Rules)> = Vec::new();
    let mut entries = WalkDir::new(root)
        .max_depth(MAX_DEPTH)
        .follow_root_links(true)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = entries.next() {
        if !budget.goes_on()? {
            break;
        }
        let Ok(entry) = entry else {
            tree.unreadable += 1;
            continue;
        };
        let depth = entry.depth();
        rules.retain(|(of, _, _)| *of < depth);
        let path = relative(root, &entry);
        let is_dir = entry.file_type().is_dir();
        if depth > 0 && is_left_out(&entry, &path, is_dir, &rules) {
            if is_dir {
                entries.skip_current_dir();
            }
            continue;
        }
        if is_dir {
            let own = scan::read_small(&entry.path().join(".gitignore"), 64 * 1024);
            if let Some(own) = own.and_then(|text| Rules::parse(&text)) {
                rules.push((depth, path, own));
            }
        } else if entry.file_type().is_file() {
            if !budget.take_file() {
                break;
            }
            tree.take(entry, path);
        } else if entry.file_type().is_symlink() {
            tree.links += 1;
        }
    }
    Ok(tree)
}

fn relative(root: &Path, entry: &DirEntry) -> String {
    let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
    path.to_string_lossy().into_owned()
}

/// Hidden, of others, or ignored: the rules nearest to the entry speak first.
fn is_left_out(
    entry: &DirEntry,
    path: &str,
    is_dir: bool,
    rules: &[(usize, String, Rules)],
) -> bool {
    if ignore::is_skipped(&entry.file_name().to_string_lossy(), is_dir) {
        return true;
    }
    rules
        .iter()
        .rev()
        .find_map(|(_, folder, rules)| {
            let below = path.strip_prefix(folder.as_str()).unwrap_or(path);
            rules.ignores(below.trim_start_matches('/'), is_dir)
        })
        .unwrap_or(false)
}

impl Tree {
    fn take(&mut self, entry: DirEntry, path: String) {
        let Ok(about) = entry.metadata() else {
            self.unreadable += 1;
            return;
        };
        let name = entry.file_name().to_string_lossy();
        self.files.push(Found {
            language: language::of(&name),
            exact: entry.path().to_str().is_some() && !path.contains(char::is_control),
            size: about.len(),
            path,
            full: entry.into_path(),
        });
    }

    /// One line about the walk.
    pub(super) fn told(&self) -> String {
        format!("{} files", self.files.len())
    }

    /// The numbers, with the lines that the scan counted.
    pub(super) fn summary(&self, scan: &Scan) -> Summary {
        let mut languages: BTreeMap<&'static str, (Purpose, usize, usize)> = BTreeMap::new();
        let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, file) in self.files.iter().enumerate() {
            if let Some(language) = file.language
                && !language::is_generated(file.name())
            {
                let sum = languages
                    .entry(language.name)
                    .or_insert((language.purpose, 0, 0));
                sum.1 += 1;
                sum.2 += scan.lines.get(index).copied().unwrap_or(0);
            }
            if let Some((folder, _)) = file.path.split_once('/') {
                *folders.entry(folder).or_default() += 1;
            }
        }
        let mut languages: Vec<_> = languages.into_iter().collect();
        languages.sort_by_key(|(_, (purpose, files, lines))| {
            (
                *purpose != Purpose::Code,
                usize::MAX - lines,
                usize::MAX - files,
            )
        });
        let main = languages
            .first()
            .filter(|(_, (purpose, _, _))| *purpose == Purpose::Code)
            .map(|(name, _)| *name);
        let mut folders: Vec<_> = folders
            .into_iter()
            .map(|(folder, files)| (folder.to_owned(), files))
            .collect();
        folders.sort_by_key(|(_, files)| usize::MAX - files);
        Summary {
            files: self.files.len(),
            bytes: self.files.iter().map(|file| file.size).sum(),
            unreadable: self.unreadable + scan.unreadable,
            links: self.links,
            languages: languages
                .into_iter()
                .map(|(name, (_, files, lines))| (name, files, lines))
                .collect(),
            main,
            folders,
        }
    }
}
