//! The decision about one request.

use super::{Action, Ask, Asking, Given, Grounds, Policy, Security, command, guarded::is_guarded};
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
        (Asking::Always, Decision::Allow) if !is_mere(ask) => ruling(
            Decision::Ask,
            "ask is always: whatever leaves traces is asked",
        ),
        (Asking::Off | Asking::Always | Asking::OnMiss, _) => by_itself,
    }
}

/// What a request comes to. A kind that would change nothing is believed only as far as the input says no more: a shell's command line is one
/// whatever it is called.
fn meant(ask: &Ask) -> Action {
    match (ask.action, ask.given) {
        (Action::Read | Action::Search | Action::Think, Given::Runs) => Action::Execute,
        (Action::Read | Action::Search | Action::Think, Given::More)
        | (Action::Edit, Given::Runs) => Action::Other,
        (action, Given::Nothing | Given::Looks | Given::More | Given::Runs) => action,
    }
}

/// It can leave no trace, here or elsewhere, by what it shows; what shows nothing may do anything.
fn is_mere(ask: &Ask) -> bool {
    let says_where = !ask.paths.is_empty() || !ask.directories.is_empty();
    match meant(ask) {
        Action::Read => says_where,
        // Where it is not said it is the directory of the run.
        Action::Search => says_where || ask.given == Given::Looks,
        Action::Think => ask.given == Given::Looks,
        Action::Edit
        | Action::Delete
        | Action::Move
        | Action::Execute
        | Action::Fetch
        | Action::Other => false,
    }
}

fn unasked(security: Security, grounds: &Grounds, ask: &Ask) -> Ruling {
    let looks = is_mere(ask) && stays(grounds, ask, true);
    match security {
        Security::Full => ruling(Decision::Allow, "security is full"),
        Security::Deny | Security::Allowlist if looks => {
            ruling(Decision::Allow, "only looks, inside its directories")
        }
        Security::Deny => ruling(
            Decision::Deny,
            "security is deny: nothing but looking inside its directories",
        ),
        Security::Allowlist => allowlist(grounds, ask),
    }
}

fn allowlist(grounds: &Grounds, ask: &Ask) -> Ruling {
    let (allowed, why) = match meant(ask) {
        Action::Edit => (
            !ask.paths.is_empty() && stays(grounds, ask, false) && !in_guarded(grounds, &ask.paths),
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
        Action::Read
        | Action::Search
        | Action::Think
        | Action::Delete
        | Action::Move
        | Action::Fetch
        | Action::Other => (false, ""),
    };
    // What is built or noted is left where a command runs.
    if allowed && !in_guarded(grounds, &ask.directories) {
        ruling(Decision::Allow, why)
    } else {
        ruling(Decision::Ask, "not on the allowlist")
    }
}

/// One of them is guarded. Above the directory of the run names mean nothing.
fn in_guarded(grounds: &Grounds, paths: &[PathBuf]) -> bool {
    paths.iter().any(|path| {
        let full = normal(&grounds.cwd.join(path));
        full.strip_prefix(&grounds.cwd).is_ok_and(is_guarded)
    })
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
    use super::{Action, Ask, Asking, Decision, Given, Grounds, Policy, Security, decide};
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
            given: command.map_or(Given::Nothing, |_| Given::Runs),
        }
    }

    /// A kind is the agent's own word: what is given decides.
    #[test]
    fn no_kind_stands_for_what_is_shown() {
        use Decision::{Allow, Ask, Deny};
        let [read, search, think] = [Action::Read, Action::Search, Action::Think];
        let [nothing, looks, more] = [Given::Nothing, Given::Looks, Given::More];
        let given = |action, given, paths: &[&str]| super::Ask {
            given,
            ..ask(action, paths, None)
        };
        let run = |action, line: Option<&str>| super::Ask {
            given: Given::Runs,
            ..ask(action, &["a"], line)
        };
        for (request, expected) in [
            (given(read, nothing, &[]), Ask),
            (given(read, looks, &[]), Ask),
            (given(read, more, &["a"]), Ask),
            (given(read, nothing, &["a"]), Allow),
            (given(read, looks, &["a"]), Allow),
            (given(search, nothing, &[]), Ask),
            (given(search, looks, &[]), Allow),
            (given(search, looks, &["/etc"]), Ask),
            (given(search, more, &["a"]), Ask),
            (given(think, nothing, &[]), Ask),
            (given(think, nothing, &["a"]), Ask),
            (given(think, looks, &[]), Allow),
            (given(think, looks, &["/etc"]), Ask),
            (given(think, more, &["a"]), Ask),
            (run(read, Some("rm a")), Ask),
            (run(read, Some("cat a")), Allow),
            (run(search, Some("rg x")), Allow),
            (run(search, None), Ask),
            (run(think, Some("curl x")), Ask),
            (run(Action::Edit, Some("git status")), Ask),
            (run(Action::Edit, None), Ask),
            (given(Action::Edit, more, &["a"]), Allow),
        ] {
            let got = asked(Security::Allowlist, Asking::OnMiss, &request);
            assert_eq!(got, expected, "{request:?}");
            let mere = expected == Allow && request.given < Given::More;
            let strict = asked(Security::Deny, Asking::OnMiss, &request);
            assert_eq!(strict, if mere { Allow } else { Deny }, "{request:?}");
            let all = asked(Security::Full, Asking::Always, &request);
            let outside = request.paths.iter().any(|path| path.is_absolute());
            let quiet = mere || (outside && request.given == looks);
            assert_eq!(all, if quiet { Allow } else { Ask }, "{request:?}");
        }
    }

    #[test]
    fn what_runs_by_itself_is_never_edited_unasked() {
        for path in [
            ".git/hooks/pre-commit",
            ".git",
            ".eyas.toml",
            "sub/.EYAS/x",
            ".vscode/tasks.json",
            ".claude/settings.json",
            ".mcp.json",
            "x/../.husky/pre-commit",
            "/p/.envrc",
        ] {
            let edit = ask(Action::Edit, &["src/a", path], None);
            let got = asked(Security::Allowlist, Asking::OnMiss, &edit);
            assert_eq!(got, Decision::Ask, "{path}");
            let within = Ask {
                directories: vec![path.into()],
                ..ask(Action::Execute, &[], Some("go build ./x"))
            };
            let got = asked(Security::Allowlist, Asking::OnMiss, &within);
            assert_eq!(got, Decision::Ask, "{path}");
        }
        let grounds = Grounds {
            cwd: PathBuf::from("/p/.claude/worktrees/x"),
            workspace: None,
        };
        for path in [
            "src/.gitignore",
            "/p/.claude/worktrees/x/a",
            ".github/workflows/x.yml",
        ] {
            let edit = ask(Action::Edit, &[path], None);
            let got = decide(&Policy::default(), &grounds, &edit);
            assert_eq!(got, Decision::Allow, "{path}");
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
