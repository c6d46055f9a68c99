//! The folder that an archive is unpacked into. Nothing is written through a link: links are made last, and each must lead to something inside.

use super::{Bounds, Spoilt};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write as _},
    os::unix::fs::{OpenOptionsExt as _, symlink},
    path::{Component, Path, PathBuf},
};
use walkdir::WalkDir;

/// A folder in the making.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    links: Vec<(PathBuf, PathBuf)>,
    bounds: Bounds,
    bytes: u64,
    entries: u64,
}

impl Tree {
    pub(super) fn new(root: &Path, bounds: Bounds) -> io::Result<Self> {
        Ok(Self {
            root: root.canonicalize()?,
            links: Vec::new(),
            bounds,
            bytes: 0,
            entries: 0,
        })
    }

    /// What a tape of it may be long: the bytes, and a head and a margin for each entry.
    pub(super) fn most(&self) -> u64 {
        let heads = self.bounds.entries.saturating_mul(1536);
        self.bounds.bytes.saturating_add(heads)
    }

    /// A folder, with those above it.
    pub(super) fn folder(&mut self, name: &Path) -> Result<(), Spoilt> {
        self.count()?;
        let inner = inside(name)?;
        self.folders(&inner)
    }

    /// A file; its right to be executed is all that is kept of its mode. What an earlier layer has there is replaced.
    pub(super) fn file(
        &mut self,
        name: &Path,
        is_program: bool,
        from: impl Read,
    ) -> Result<(), Spoilt> {
        self.count()?;
        let inner = named(name)?;
        self.folders(inner.parent().unwrap_or(Path::new("")))?;
        let path = self.root.join(&inner);
        free(&path, name)?;
        let mode = if is_program { 0o755 } else { 0o644 };
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)?;
        self.pour(name, from, file)
    }

    /// A file that is a program, in the folder itself.
    pub(super) fn program(&mut self, name: &str, from: impl Read) -> Result<(), Spoilt> {
        let name = Path::new(name).file_name().unwrap_or_default();
        self.file(Path::new(name), true, from)
    }

    /// A link by name, made when all files are there.
    pub(super) fn link(&mut self, name: &Path, target: &Path) -> Result<(), Spoilt> {
        self.count()?;
        let inner = named(name)?;
        self.folders(inner.parent().unwrap_or(Path::new("")))?;
        if target.is_absolute() || target.as_os_str().is_empty() {
            return Err(leaves(name, target));
        }
        self.links.push((inner, target.to_owned()));
        Ok(())
    }

    /// A second name of a file that is there already.
    pub(super) fn twin(&mut self, name: &Path, of: &Path) -> Result<(), Spoilt> {
        self.count()?;
        let (inner, of_inner) = (named(name)?, named(of)?);
        self.folders(inner.parent().unwrap_or(Path::new("")))?;
        let (path, of_path) = (self.root.join(&inner), self.root.join(&of_inner));
        if !self.is_real(&of_inner)
            || !of_path
                .symlink_metadata()
                .is_ok_and(|found| found.is_file())
        {
            return Err(leaves(name, of));
        }
        free(&path, name)?;
        fs::hard_link(of_path, path)?;
        Ok(())
    }

    /// A layer takes away what one below it has.
    pub(super) fn without(&mut self, name: &Path) -> Result<(), Spoilt> {
        let inner = named(name)?;
        let path = self.root.join(&inner);
        if self.is_real(&inner) {
            let gone = match path.symlink_metadata() {
                Ok(found) if found.is_dir() => fs::remove_dir_all(&path),
                Ok(_) => fs::remove_file(&path),
                Err(_) => Ok(()),
            };
            gone?;
        }
        Ok(())
    }

    /// Makes the links, and looks where each in the tree leads once all are there, those of earlier layers too: what a name says does not tell
    /// when a part of it is a link itself, and what a layer puts in the place of a folder leads them elsewhere. Answers what may still come.
    pub(super) fn finish(self) -> Result<Bounds, Spoilt> {
        for (inner, target) in &self.links {
            if !self.is_real(inner) {
                return Err(leaves(inner, target));
            }
            let path = self.root.join(inner);
            free(&path, inner)?;
            symlink(target, &path)?;
        }
        for entry in WalkDir::new(&self.root) {
            let entry = entry.map_err(io::Error::from)?;
            if !entry.path_is_symlink() {
                continue;
            }
            let leads = entry.path().canonicalize();
            if !leads.is_ok_and(|leads| leads.starts_with(&self.root)) {
                let inner = entry.path().strip_prefix(&self.root);
                let inner = inner.unwrap_or(entry.path());
                let target = entry.path().read_link().unwrap_or_default();
                return Err(leaves(inner, &target));
            }
        }
        Ok(Bounds {
            bytes: self.bounds.bytes.saturating_sub(self.bytes),
            entries: self.bounds.entries.saturating_sub(self.entries),
        })
    }

    fn pour(&mut self, name: &Path, from: impl Read, mut to: File) -> Result<(), Spoilt> {
        let left = self.bounds.bytes - self.bytes;
        let copied = io::copy(&mut from.take(left.saturating_add(1)), &mut to)?;
        if copied > left {
            return Err(Spoilt::TooLarge(format!(
                "more than {} bytes come out of it, with {}",
                self.bounds.bytes,
                name.display()
            )));
        }
        self.bytes += copied;
        to.flush()?;
        Ok(())
    }

    fn count(&mut self) -> Result<(), Spoilt> {
        self.entries += 1;
        if self.entries > self.bounds.entries {
            let why = format!("it has more than {} entries", self.bounds.entries);
            return Err(Spoilt::TooLarge(why));
        }
        Ok(())
    }

    fn folders(&self, inner: &Path) -> Result<(), Spoilt> {
        let mut path = self.root.clone();
        for part in inner.components() {
            path.push(part);
            match path.symlink_metadata() {
                Ok(found) if found.is_dir() => {}
                Ok(_) => {
                    let why = format!("{} is below what is no folder", inner.display());
                    return Err(Spoilt::Refused(why));
                }
                Err(_) => fs::create_dir(&path)?,
            }
        }
        Ok(())
    }

    /// No part of the way to it is a link.
    fn is_real(&self, inner: &Path) -> bool {
        let mut path = self.root.clone();
        let above = inner.parent().unwrap_or(Path::new(""));
        above.components().all(|part| {
            path.push(part);
            path.symlink_metadata().is_ok_and(|found| found.is_dir())
        })
    }
}

/// The name is free, or a file has it that gives way.
fn free(path: &Path, name: &Path) -> Result<(), Spoilt> {
    match path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(found) if found.is_dir() => Err(Spoilt::Refused(format!(
            "{} is a folder and something else",
            name.display()
        ))),
        Ok(_) => Ok(fs::remove_file(path)?),
    }
}

/// A name that stays where it is put: no root, no `..`, no prefix.
fn inside(name: &Path) -> Result<PathBuf, Spoilt> {
    let mut inner = PathBuf::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => inner.push(part),
            Component::CurDir => {}
            Component::RootDir | Component::ParentDir | Component::Prefix(_) => {
                return Err(Spoilt::Refused(format!(
                    "the name {} leads out of it",
                    name.display()
                )));
            }
        }
    }
    Ok(inner)
}

/// As [`inside`], and there is something left of it.
fn named(name: &Path) -> Result<PathBuf, Spoilt> {
    let inner = inside(name)?;
    if inner.as_os_str().is_empty() {
        return Err(Spoilt::Refused("it has an entry without a name".to_owned()));
    }
    Ok(inner)
}

fn leaves(name: &Path, target: &Path) -> Spoilt {
    Spoilt::Refused(format!(
        "the link {} leads to {}, which is not in it",
        name.display(),
        target.display()
    ))
}
