//! Where what a request names really lies: a cloned project may hold links to anywhere.

use super::tool::Tool;
use crate::domain::policy::{self, Action, Ask, Grounds};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Looks at the disk for one request; what needs more is not known.
const LOOKS: usize = 4096;
/// Bytes of a path; the system knows none that is longer.
const LONGEST: usize = 4096;

/// What the policy is asked about a tool call without a look at the disk: of where it leads nothing is known.
pub(super) fn unseen(tool: &Tool, action: Action) -> Ask {
    Ask {
        action,
        paths: tool.paths.clone(),
        directories: tool.directories.clone(),
        is_cut: true,
        command: tool.command.clone(),
        given: tool.shows(),
    }
}

/// What the policy is asked about a tool call, with links followed. Blocks as long as the disk does.
pub(super) fn ask(grounds: &Grounds, tool: &Tool, action: Action) -> Ask {
    let mut reach = Reach::new(grounds, action);
    let command = tool.command.as_deref();
    let words = command.map(policy::named).unwrap_or_default();
    let places = tool.directories.iter().map(|place| grounds.cwd.join(place));
    let mut directories = tool.directories.clone();
    for place in [grounds.cwd.clone()].into_iter().chain(places) {
        directories.extend(reach.leads_out(&place));
        for path in &tool.paths {
            reach.follow(&place.join(path));
        }
        for word in &words {
            reach.expand(&place, word);
        }
    }
    Ask {
        paths: tool.paths.iter().cloned().chain(reach.led_out).collect(),
        directories,
        is_cut: tool.is_cut || reach.left == 0,
        ..unseen(tool, action)
    }
}

/// What was found so far.
struct Reach {
    /// Where it may lead.
    homes: Vec<PathBuf>,
    /// Whatever leaves them by a link, or ends among what is guarded.
    led_out: Vec<PathBuf>,
    left: usize,
}

impl Reach {
    fn new(grounds: &Grounds, action: Action) -> Self {
        let reads = !matches!(action, Action::Edit | Action::Delete | Action::Move);
        let workspace = grounds.workspace.as_ref().filter(|_| reads);
        let mut reach = Self {
            homes: Vec::new(),
            led_out: Vec::new(),
            left: LOOKS,
        };
        for home in [Some(&grounds.cwd), workspace].into_iter().flatten() {
            let home = reach.real(home);
            reach.homes.extend(home);
        }
        reach
    }

    fn follow(&mut self, path: &Path) {
        let out = self.leads_out(path);
        self.led_out.extend(out);
    }

    /// Where the path really is, if that is outside or guarded.
    fn leads_out(&mut self, path: &Path) -> Option<PathBuf> {
        let real = self.real(path)?;
        let mut homes = self.homes.iter();
        let rest = homes.find_map(|home| real.strip_prefix(home).ok());
        rest.is_none_or(policy::is_guarded).then_some(real)
    }

    /// The path with links followed as far as there is anything.
    fn real(&mut self, path: &Path) -> Option<PathBuf> {
        if path.as_os_str().len() > LONGEST {
            self.left = 0;
        }
        for there in path.ancestors() {
            self.left = self.left.checked_sub(1)?;
            if let (Ok(found), Ok(rest)) = (there.canonicalize(), path.strip_prefix(there)) {
                return Some(found.join(rest));
            }
        }
        Some(path.to_owned())
    }

    /// Follows whatever a shell might make of a word.
    fn expand(&mut self, place: &Path, word: &Path) {
        let mut found = vec![place.to_owned()];
        for part in word {
            let part = part.to_string_lossy();
            if part.contains(GLOB) {
                found = found
                    .iter()
                    .flat_map(|place| self.entries(place, &part))
                    .collect();
            } else {
                for path in &mut found {
                    path.push(&*part);
                }
            }
        }
        for path in found {
            self.follow(&path);
        }
    }

    /// At least what a pattern matches there.
    fn entries(&mut self, place: &Path, pattern: &str) -> Vec<PathBuf> {
        let head = pattern.split(GLOB).next().unwrap_or_default();
        let tail = pattern.rsplit(GLOB).next().unwrap_or_default();
        let mut entries = Vec::new();
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            let Some(left) = self.left.checked_sub(1) else {
                break;
            };
            self.left = left;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(head) && name.ends_with(tail) {
                entries.push(entry.path());
            }
        }
        entries
    }
}

const GLOB: [char; 4] = ['*', '?', '[', ']'];

#[cfg(test)]
mod tests {
    use super::{Tool, ask};
    use crate::domain::policy::{Action, Decision, Grounds, Policy, decide};
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn a_command_reads_nothing_by_a_link_out_of_the_directories() {
        let (inside, outside) = (tempfile::tempdir(), tempfile::tempdir());
        let (inside, outside) = (inside.expect("a directory"), outside.expect("a directory"));
        let (cwd, out) = (inside.path().to_owned(), outside.path());
        fs::write(out.join("passwd"), "x").expect("a file");
        fs::create_dir_all(cwd.join("src/sub")).expect("a directory");
        fs::write(cwd.join("src/x.rs"), "x").expect("a file");
        symlink(out, cwd.join("docs")).expect("a link");
        fs::create_dir(cwd.join(".git")).expect("a directory");
        symlink(".git", cwd.join("hooks")).expect("a link");
        symlink(out, cwd.join("src/sub/more")).expect("a link");
        symlink(out.join("passwd"), cwd.join("file")).expect("a link");
        let grounds = Grounds {
            cwd,
            workspace: None,
        };
        for (command, directory, expected) in [
            ("cat src/x.rs", "", Decision::Allow),
            ("cat src/*.rs", "", Decision::Allow),
            ("grep -rn needle .", "", Decision::Allow),
            ("cat more/x", "", Decision::Allow),
            ("cat docs/passwd", "", Decision::Ask),
            ("cat file", "", Decision::Ask),
            ("cat f?le", "", Decision::Ask),
            ("cat do*/passwd", "", Decision::Ask),
            ("cat src/s*/more/passwd", "", Decision::Ask),
            ("grep -nffile x", "", Decision::Ask),
            ("grep --file=file x", "", Decision::Ask),
            ("cat x.rs", "src", Decision::Allow),
            ("cat passwd", "docs", Decision::Ask),
            ("cat more/passwd", "src/sub", Decision::Ask),
            ("cat passwd", "/etc", Decision::Ask),
            ("cat .git/x", "", Decision::Allow),
            ("go build ./x", "hooks", Decision::Ask),
            ("go build ./x", "src", Decision::Allow),
        ] {
            let directory = Some(directory).filter(|it| !it.is_empty());
            let tool = Tool {
                command: Some(command.to_owned()),
                directories: directory.into_iter().map(Into::into).collect(),
                ..Tool::default()
            };
            let ask = ask(&grounds, &tool, Action::Execute);
            let got = decide(&Policy::default(), &grounds, &ask);
            assert_eq!(got, expected, "{command} {directory:?}");
        }
    }

    #[test]
    fn what_needs_too_many_looks_is_not_known() {
        let grounds = Grounds {
            cwd: "/p".into(),
            workspace: None,
        };
        let few = Tool {
            paths: vec!["a/b".into(); 8],
            ..Tool::default()
        };
        assert!(!ask(&grounds, &few, Action::Read).is_cut);
        for path in ["a/".repeat(LOTS), "a/".repeat(4)] {
            let many = Tool {
                paths: vec![path.into(); LOTS],
                ..Tool::default()
            };
            assert!(ask(&grounds, &many, Action::Read).is_cut);
        }
    }

    const LOTS: usize = 4000;
}
