//! Reading a sub-agent file for `persona_create from:`. A model names the path, so it is opened one component at a time below a place
//! where such files are kept, through no link, and its content is never quoted.

use super::FaceContext;
use crate::domain::fault::{ErrorKind, Fault};
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, fstat, openat},
    io::Errno,
};
use std::{
    fs::File,
    io::Read as _,
    path::{Component, Path, PathBuf},
};

/// The largest file, in bytes.
const LARGEST: u64 = 256 * 1024;

/// Whether `from` is a path and not the id of a persona.
pub(super) fn is_path(from: &str) -> bool {
    from.contains(['/', '\\', '.', '~']) || from.contains(char::is_whitespace)
}

/// The text of a sub-agent file below the project or `~/.claude/agents`.
///
/// # Errors
/// `forbidden` outside of these, or through a link; `not_found`; `too_large`; `invalid_params` for what is no sub-agent file.
pub(super) async fn read(context: &FaceContext, from: &str) -> Result<String, Fault> {
    let (root, below) = place(context, from)?;
    let from = from.to_owned();
    tokio::task::spawn_blocking(move || {
        open(&root, &below)
            .map_err(|error| refused(&from, error))
            .and_then(take)
    })
    .await
    .map_err(Fault::internal)?
}

/// The fault of a file that is something else.
pub(super) fn no_front_matter() -> Fault {
    Fault::invalid("from", "is not a sub-agent file").hint(
        "it must be Markdown that begins with YAML front matter between two lines of ---, with name and description",
    )
}

/// Under which root a path lies, and where below it.
fn place(context: &FaceContext, from: &str) -> Result<(PathBuf, PathBuf), Fault> {
    let given = match (from.strip_prefix("~/"), &context.home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => context.cwd.join(from),
    };
    if given.extension().is_none_or(|ending| ending != "md") {
        return Err(
            Fault::invalid("from", "must be a persona id or the path of a .md file")
                .hint("list personas with persona_list"),
        );
    }
    let Some(path) = without_dots(&given) else {
        return Err(outside(context));
    };
    for root in roots(context) {
        let real = root.canonicalize().ok();
        for base in [Some(root.clone()), real].into_iter().flatten() {
            if let Ok(below) = path.strip_prefix(&base) {
                return Ok((root, below.to_owned()));
            }
        }
    }
    Err(outside(context))
}

/// Where sub-agent files are kept. A whole home, or the whole machine, is no project.
fn roots(context: &FaceContext) -> Vec<PathBuf> {
    let home = context.home.as_deref();
    let is_project = |path: &&Path| path.parent().is_some() && Some(*path) != home;
    let tree = context
        .cwd
        .ancestors()
        .find(|folder| folder.join(".git").exists());
    let mut roots: Vec<PathBuf> = [tree, Some(context.cwd.as_path())]
        .into_iter()
        .flatten()
        .filter(is_project)
        .map(Path::to_owned)
        .collect();
    roots.extend(home.map(|home| home.join(".claude/agents")));
    roots
}

/// The path without `.` and `..`, as its letters say; none when it goes above the root of all.
fn without_dots(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
        }
    }
    Some(plain)
}

/// Opens component by component: `O_NOFOLLOW` speaks of the last one only.
fn open(root: &Path, below: &Path) -> Result<File, Errno> {
    let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // Not blocking, as a FIFO may lie there.
    let file = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at = openat(CWD, root, folder, Mode::empty())?;
    let mut parts = below.components().peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else {
            return Err(Errno::LOOP);
        };
        let flags = if parts.peek().is_some() {
            folder | OFlags::NOFOLLOW
        } else {
            file
        };
        at = openat(&at, name, flags, Mode::empty())?;
    }
    Ok(File::from(at))
}

fn take(file: File) -> Result<String, Fault> {
    let stat = fstat(&file)
        .map_err(|error| Fault::internal(format!("failed to look at a file: {error}")))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Fault::invalid("from", "is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Fault::internal(format!("failed to read a file: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Fault::new(
            ErrorKind::TooLarge,
            format!("`from` is larger than {LARGEST} bytes"),
        )
        .field("from"));
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| has_front_matter(text))
        .ok_or_else(no_front_matter)
}

/// A line of three dashes, some lines, another line of three dashes.
fn has_front_matter(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines();
    lines.next().is_some_and(|first| first.trim_end() == "---")
        && lines.any(|line| line.trim_end() == "---")
}

fn refused(from: &str, error: Errno) -> Fault {
    let from = crate::stdx::text::head(from, 200);
    match error {
        Errno::NOENT => Fault::new(ErrorKind::NotFound, format!("no file {from:?}"))
            .field("from")
            .hint("give a path below the project or ~/.claude/agents, or a persona id from persona_list"),
        // NOTDIR is what a link on the way there gives.
        Errno::LOOP | Errno::NOTDIR | Errno::MLINK => Fault::new(
            ErrorKind::Forbidden,
            format!("{from:?} leads through a link or is no file"),
        )
        .field("from")
        .hint("give the file's own path"),
        other => Fault::new(
            ErrorKind::Forbidden,
            format!("{from:?} cannot be opened: {other}"),
        )
        .field("from"),
    }
}

fn outside(context: &FaceContext) -> Fault {
    Fault::new(
        ErrorKind::Forbidden,
        "`from` is outside of the project and of ~/.claude/agents",
    )
    .field("from")
    .hint(format!("the project here is {}", context.cwd.display()))
}

#[cfg(test)]
mod tests {
    use super::{has_front_matter, is_path, without_dots};
    use std::path::Path;

    #[test]
    fn a_persona_id_is_no_path() {
        assert!(!is_path("code-reviewer"));
        for path in ["a.md", "./a", "a/b", "~/x.md", "..", "id rsa"] {
            assert!(is_path(path), "{path}");
        }
    }

    #[test]
    fn dots_are_taken_by_their_letters() {
        let plain = without_dots(Path::new("/a/./b/../c")).expect("within");
        assert_eq!(plain, Path::new("/a/c"));
        assert_eq!(without_dots(Path::new("/..")), None);
    }

    #[test]
    fn front_matter_is_closed() {
        assert!(has_front_matter("---\nname: x\n---\nbody"));
        assert!(has_front_matter("\u{feff}---\r\nname: x\r\n---\r\n"));
        for not in [
            "",
            "---\nname: x\n",
            "-----BEGIN KEY-----\n---\n",
            "# a\n---\n---\n",
        ] {
            assert!(!has_front_matter(not), "{not:?}");
        }
    }
}
