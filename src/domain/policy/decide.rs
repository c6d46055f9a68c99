//! The decision about one request.

use super::{Action, Ask, Asking, Grounds, Policy, Security, command};
use std::path::{Component, Path, PathBuf};

/// What is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// A person should say.
    Ask,
    Deny,
}

/// A decision and the rule behind it, for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    pub decision: Decision,
    pub why: &'static str,
}

/// Decides a request under a policy (product contract, section 11).
#[must_use]
pub fn decide(policy: &Policy, grounds: &Grounds, ask: &Ask) -> Decision {
    rule(policy, grounds, ask).decision
}

/// Decides a request under a policy, and says by which rule.
#[must_use]
pub fn rule(policy: &Policy, grounds: &Grounds, ask: &Ask) -> Ruling {
    let by_itself = unasked(policy.security, grounds, ask);
    match (policy.ask, by_itself.decision) {
        (Asking::Off, Decision::Ask) => ruling(
            Decision::Deny,
            "not on the allowlist, and ask is off: nobody is asked",
        ),
        (Asking::Always, Decision::Allow) if leaves_traces(ask.action) => ruling(
            Decision::Ask,
            "ask is always: whatever leaves traces is asked",
        ),
        (Asking::Off | Asking::Always | Asking::OnMiss, _) => by_itself,
    }
}

/// Whatever may change something, here or elsewhere; what is not known does.
fn leaves_traces(action: Action) -> bool {
    match action {
        Action::Read | Action::Search | Action::Think => false,
        Action::Edit
        | Action::Delete
        | Action::Move
        | Action::Execute
        | Action::Fetch
        | Action::Other => true,
    }
}

fn unasked(security: Security, grounds: &Grounds, ask: &Ask) -> Ruling {
    match security {
        Security::Full => ruling(Decision::Allow, "security is full"),
        Security::Deny => match ask.action {
            Action::Read | Action::Search if stays(grounds, ask, true) => {
                ruling(Decision::Allow, "reads inside its directories")
            }
            Action::Think => ruling(Decision::Allow, "only thinks"),
            Action::Read
            | Action::Search
            | Action::Edit
            | Action::Delete
            | Action::Move
            | Action::Execute
            | Action::Fetch
            | Action::Other => ruling(
                Decision::Deny,
                "security is deny: nothing but reading inside its directories",
            ),
        },
        Security::Allowlist => allowlist(grounds, ask),
    }
}

fn allowlist(grounds: &Grounds, ask: &Ask) -> Ruling {
    let (allowed, why) = match ask.action {
        Action::Think => (true, "only thinks"),
        Action::Read | Action::Search => {
            (stays(grounds, ask, true), "reads inside its directories")
        }
        Action::Edit => (
            !ask.paths.is_empty()
                && stays(grounds, ask, false)
                && !ask.paths.iter().any(|path| is_of_git(path)),
            "edits inside the directory",
        ),
        Action::Execute => (
            stays(grounds, ask, true)
                && ask
                    .command
                    .as_deref()
                    .is_some_and(|line| command::is_listed(grounds, line)),
            "a listed command",
        ),
        Action::Delete | Action::Move | Action::Fetch | Action::Other => (false, ""),
    };
    if allowed {
        ruling(Decision::Allow, why)
    } else {
        ruling(Decision::Ask, "not on the allowlist")
    }
}

/// A repository's own files are no part of its work tree: a hook or a line of its configuration runs programs for whoever uses git there.
#[must_use]
pub fn is_of_git(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str().eq_ignore_ascii_case(".git"))
}

fn ruling(decision: Decision, why: &'static str) -> Ruling {
    Ruling { decision, why }
}

/// All that it names, and wherever it is to happen, is known and inside.
fn stays(grounds: &Grounds, ask: &Ask, reading: bool) -> bool {
    !ask.is_cut
        && within(grounds, &ask.paths, reading)
        && within(grounds, &ask.directories, reading)
}

/// Every path stays below cwd (or the workspace, when reading) once `.` and `..` are taken out.
pub(super) fn within(grounds: &Grounds, paths: &[PathBuf], reading: bool) -> bool {
    paths.iter().all(|path| {
        let full = normal(&grounds.cwd.join(path));
        full.starts_with(&grounds.cwd)
            || (reading
                && grounds
                    .workspace
                    .as_ref()
                    .is_some_and(|w| full.starts_with(w)))
    })
}

fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Action, Ask, Asking, Decision, Grounds, Policy, Security, decide};
    use std::path::PathBuf;

    fn asked(security: Security, ask: Asking, request: &Ask) -> Decision {
        let policy = Policy {
            security,
            ask,
            ..Policy::default()
        };
        let grounds = Grounds {
            cwd: PathBuf::from("/p"),
            workspace: Some(PathBuf::from("/w")),
        };
        decide(&policy, &grounds, request)
    }

    fn ask(action: Action, paths: &[&str], command: Option<&str>) -> Ask {
        Ask {
            action,
            paths: paths.iter().map(PathBuf::from).collect(),
            directories: Vec::new(),
            is_cut: false,
            command: command.map(str::to_owned),
        }
    }

    #[test]
    fn a_listed_command_asks_where_it_happens_or_names_something_outside() {
        let run = |paths: &[&str], directory: &str, is_cut| Ask {
            directories: vec![directory.into()],
            is_cut,
            ..ask(Action::Execute, paths, Some("cat passwd"))
        };
        for (request, expected) in [
            (run(&[], "/p/sub", false), Decision::Allow),
            (run(&[], "/w", false), Decision::Allow),
            (run(&[], "/etc", false), Decision::Ask),
            (run(&[], "..", false), Decision::Ask),
            (run(&["/etc/passwd"], "/p", false), Decision::Ask),
            (run(&[], "/p", true), Decision::Ask),
        ] {
            let got = asked(Security::Allowlist, Asking::OnMiss, &request);
            assert_eq!(got, expected, "{request:?}");
        }
    }

    #[test]
    fn the_allowlist_reads_and_edits_inside_and_runs_listed_simple_commands() {
        use Decision::{Allow, Ask};
        let run = |line| ask(Action::Execute, &[], Some(line));
        for (request, expected) in [
            (ask(Action::Read, &["/p/a", "/w/MEMORY.md"], None), Allow),
            (ask(Action::Read, &["/etc/passwd"], None), Ask),
            (ask(Action::Read, &["../secret"], None), Ask),
            (ask(Action::Edit, &["src/x"], None), Allow),
            (ask(Action::Edit, &["/w/SOUL.md"], None), Ask),
            (ask(Action::Edit, &["/p/../etc/x"], None), Ask),
            (ask(Action::Edit, &[], None), Ask),
            (ask(Action::Edit, &["src/x", "sub/.GIT/hooks/x"], None), Ask),
            (ask(Action::Edit, &[".gitignore"], None), Allow),
            (run("git status"), Allow),
            (run("git push"), Ask),
            (ask(Action::Execute, &[], None), Ask),
            (ask(Action::Delete, &["a"], None), Ask),
            (ask(Action::Other, &[], None), Ask),
        ] {
            assert_eq!(
                asked(Security::Allowlist, Asking::OnMiss, &request),
                expected,
                "{request:?}"
            );
        }
    }

    #[test]
    fn security_and_asking_decide_together() {
        use Decision::{Allow, Ask, Deny};
        let read = ask(Action::Read, &["a"], None);
        let edit = ask(Action::Edit, &["a"], None);
        let push = ask(Action::Execute, &[], Some("git push"));
        let [deny, listed, full] = [Security::Deny, Security::Allowlist, Security::Full];
        let [off, always, on_miss] = [Asking::Off, Asking::Always, Asking::OnMiss];
        for (security, asking, expected) in [
            (deny, off, [Allow, Deny, Deny]),
            (deny, always, [Allow, Deny, Deny]),
            (deny, on_miss, [Allow, Deny, Deny]),
            (listed, off, [Allow, Allow, Deny]),
            (listed, always, [Allow, Ask, Ask]),
            (listed, on_miss, [Allow, Allow, Ask]),
            (full, off, [Allow, Allow, Allow]),
            (full, always, [Allow, Ask, Ask]),
            (full, on_miss, [Allow, Allow, Allow]),
        ] {
            let got = [&read, &edit, &push].map(|request| asked(security, asking, request));
            assert_eq!(got, expected, "{security:?} {asking:?}");
        }
    }
}
