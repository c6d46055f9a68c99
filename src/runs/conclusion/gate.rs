//! How far a report is trusted.

use crate::{
    domain::{
        conclusion::{Changes, Conclusion, ConclusionSource, ConclusionStatus, FileStatus},
        policy::Grounds,
        run::RunState,
    },
    stdx::text,
};
use std::{
    fs,
    io::ErrorKind,
    path::{Component, Path, PathBuf},
};

/// Of missing files.
const NAMED: usize = 10;
/// Links on the way to one file.
const HOPS: usize = 40;
/// The summary of an answer that has no text.
const SILENT: &str = "The agent ended its turn without saying what came of it.";
const NOTHING: &str = "The run ended before the agent said what came of it.";

/// A run or a turn that did not end by itself cannot have succeeded; what was refused was not even begun.
pub(super) fn cap(conclusion: &mut Conclusion, state: Option<RunState>, stop_reason: Option<&str>) {
    if conclusion.status != ConclusionStatus::Success {
        return;
    }
    let reason = stop_reason.unwrap_or_default();
    let why = match state {
        Some(
            state @ (RunState::Failed
            | RunState::Cancelled
            | RunState::TimedOut
            | RunState::Queued
            | RunState::Running
            | RunState::InputRequired),
        ) if reason.is_empty() || reason == "end_turn" => {
            format!("the run ended as {}", state.as_str())
        }
        _ if reason == "end_turn" => return,
        _ => format!("the last turn ended with \"{}\"", text::head(reason, 40)),
    };
    conclusion.status = if reason == "refusal" {
        ConclusionStatus::Failed
    } else {
        ConclusionStatus::Partial
    };
    conclusion.warnings.push(why);
}

/// Whoever delegated learns nothing from an empty answer: that is no success, whatever was done.
pub(super) fn doubt_silence(conclusion: &mut Conclusion) {
    if conclusion.source != ConclusionSource::Synthesized || !conclusion.summary.is_empty() {
        return;
    }
    if conclusion.status == ConclusionStatus::Success {
        conclusion.status = ConclusionStatus::Partial;
    }
    let text = match conclusion.status {
        ConclusionStatus::Success | ConclusionStatus::Partial => SILENT,
        ConclusionStatus::Failed | ConclusionStatus::Blocked => NOTHING,
    };
    text.clone_into(&mut conclusion.summary);
}

/// A success that cites files which do not exist becomes partial. Only paths inside `grounds` are looked at, and no link is followed out of
/// them; what cannot be told counts as there. Looks at the disk.
pub fn cited(conclusion: &mut Conclusion, grounds: &Grounds) {
    if conclusion.status != ConclusionStatus::Success {
        return;
    }
    let roots = Roots::of(grounds);
    let deleted = |path: &str| deleted_by_run(conclusion.changes.as_ref(), path);
    let missing: Vec<&str> = conclusion
        .artifacts
        .iter()
        .map(String::as_str)
        .filter(|cited| roots.lack(cited) && !deleted(cited))
        .collect();
    if missing.is_empty() {
        return;
    }
    let mut named: Vec<&str> = missing
        .iter()
        .take(NAMED)
        .map(|path| text::head(path, 200))
        .collect();
    let more = missing.len().saturating_sub(NAMED);
    let rest = format!("and {more} more");
    if more > 0 {
        named.push(&rest);
    }
    let warning = format!("cited files do not exist: {}", named.join(", "));
    conclusion.status = ConclusionStatus::Partial;
    conclusion.warnings.push(warning);
}

/// What the run took away may be cited for it.
fn deleted_by_run(changes: Option<&Changes>, cited: &str) -> bool {
    let cited = cited.trim_start_matches("./");
    changes.is_some_and(|changes| {
        changes
            .files
            .iter()
            .any(|file| file.status == FileStatus::Deleted && cited.ends_with(&file.path))
    })
}

/// Where files may be looked for.
struct Roots {
    cwd: PathBuf,
    /// As they were named, and as they are.
    all: Vec<PathBuf>,
}

enum Step {
    There,
    Missing,
    /// Outside, or not to be told.
    Unknown,
}

impl Roots {
    fn of(grounds: &Grounds) -> Self {
        let named = [Some(&grounds.cwd), grounds.workspace.as_ref()];
        let named = named
            .into_iter()
            .flatten()
            .filter(|root| root.is_absolute());
        let all = named
            .flat_map(|root| [Some(root.clone()), root.canonicalize().ok()])
            .flatten()
            .collect();
        Self {
            cwd: grounds.cwd.clone(),
            all,
        }
    }

    /// Whether a cited file is surely not there.
    fn lack(&self, cited: &str) -> bool {
        let cited = cited.trim().trim_matches(['`', '"', '\'']);
        let checkable = !cited.is_empty()
            && !cited.contains("://")
            && !cited.starts_with(['~', '@'])
            && !cited.contains(['*', '?', '[', '{', '\0', '\n'])
            && !cited.starts_with("git@");
        if !checkable || !matches!(self.look(cited), Step::Missing) {
            return false;
        }
        // `src/a.rs:12`, `src/a.rs#L3`; words beside a path make it no path.
        let bare = without_place(cited);
        !cited.contains(char::is_whitespace)
            && (bare == cited || matches!(self.look(bare), Step::Missing))
    }

    fn look(&self, cited: &str) -> Step {
        let mut path = normal(&self.cwd.join(cited));
        for _ in 0..HOPS {
            let Some(root) = self.all.iter().find(|root| path.starts_with(root)) else {
                return Step::Unknown;
            };
            match walk(root, &path) {
                Ok(None) => return Step::There,
                Ok(Some(led)) => path = led,
                Err(step) => return step,
            }
        }
        Step::Unknown
    }
}

/// Goes from a root to a path; stops at the first link and answers where it leads.
fn walk(root: &Path, path: &Path) -> Result<Option<PathBuf>, Step> {
    let mut at = root.to_owned();
    let below: Vec<Component> = path
        .strip_prefix(root)
        .map_err(|_outside| Step::Unknown)?
        .components()
        .collect();
    for (n, part) in below.iter().enumerate() {
        at.push(part);
        let about = at.symlink_metadata().map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                Step::Missing
            } else {
                Step::Unknown
            }
        })?;
        if about.is_symlink() {
            let led = fs::read_link(&at).map_err(|_unreadable| Step::Unknown)?;
            let folder = at.parent().unwrap_or(root).to_owned();
            let rest: PathBuf = below[n + 1..].iter().collect();
            return Ok(Some(normal(&folder.join(led).join(rest))));
        }
    }
    Ok(None)
}

/// Without `.` and `..`, by words alone: the disk is asked step by step.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

fn without_place(cited: &str) -> &str {
    let cited = cited.split_once('#').map_or(cited, |(path, _)| path);
    let mut bare = cited;
    for _ in 0..2 {
        if let Some((path, number)) = bare.rsplit_once(':')
            && !number.is_empty()
            && number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
        {
            bare = path;
        }
    }
    bare
}

#[cfg(test)]
mod tests;
