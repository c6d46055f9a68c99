//! Reading a command line: one simple command whose program and subcommand are listed, and which can run nothing else.
//!
//! A list of programs alone is no bound: many run others when an option says so. What cannot be read with certainty is not listed, and a
//! person is asked; so too few are allowed rather than one too many.

use super::{
    Grounds,
    decide::within,
    listed::{LISTED, Listed, Options},
};
use std::path::{Component, Path, PathBuf};

/// Some agents have each command read by a shell of their choice, which reads no more into a simple one than we do.
const SHELLS: [&str; 6] = ["sh", "bash", "zsh", "/bin/sh", "/bin/bash", "/usr/bin/bash"];

/// Whether a command line may run unasked.
pub(super) fn is_listed(grounds: &Grounds, line: &str) -> bool {
    let Some(words) = simple(line) else {
        return false;
    };
    let Some((program, arguments)) = words.split_first() else {
        return false;
    };
    LISTED
        .iter()
        .filter(|listed| listed.program == program)
        .any(|listed| match (listed.subs, arguments.split_first()) {
            ([], _) => listed.passes(grounds, arguments),
            (subs, Some((sub, rest))) => {
                subs.contains(&sub.as_str()) && listed.passes(grounds, rest)
            }
            (_, None) => false,
        })
}

impl Listed {
    fn passes(&self, grounds: &Grounds, arguments: &[String]) -> bool {
        let own = arguments.iter().take_while(|word| *word != "--").count();
        arguments.iter().enumerate().all(|(at, word)| {
            let is_option = word.starts_with('-') && word != "-" && word != "--";
            let safe = match (is_option, at < own) {
                (false, _) => !(self.reads_options && word.starts_with('@')),
                (true, true) => self.options.pass(word),
                (true, false) => self.hands_on(word),
            };
            safe && stays_inside(grounds, word)
        })
    }

    /// Behind `--` a word is no option of ours, unless the dashes were the value of one; so it must be harmless either way.
    fn hands_on(&self, word: &str) -> bool {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        self.handed_on.iter().any(|safe| {
            // Its value may be attached to a letter.
            *safe == name || (safe.len() == 2 && word.starts_with(safe))
        })
    }
}

impl Options {
    /// Whether an option is harmless.
    fn pass(&self, word: &str) -> bool {
        let is_long = word.starts_with("--");
        let bare = word.trim_start_matches('-');
        let name = bare.split_once('=').map_or(bare, |(name, _)| name);
        match self {
            Self::Only { long, .. } if is_long => long.iter().any(|some| some.contains(&name)),
            Self::Only { plain, valued, .. } => letters_pass(bare, plain, valued),
            Self::Words(safe) => safe.contains(&name),
            Self::AllBut { long, .. } if is_long => !long.iter().any(|bad| bad.starts_with(name)),
            Self::AllBut { short, .. } => !bare.contains(|letter| short.contains(letter)),
        }
    }
}

/// Whether each letter is harmless; behind one that takes a value all is value. A number is a count.
fn letters_pass(letters: &str, plain: &str, valued: &str) -> bool {
    if letters.chars().all(|c| c.is_ascii_digit()) {
        return true;
    }
    for letter in letters.chars() {
        if valued.contains(letter) {
            return true;
        }
        if !plain.contains(letter) {
            return false;
        }
    }
    true
}

/// All that may name a file in a command line, so that links can be followed; nothing of one that cannot be read, which is never listed.
#[must_use]
pub fn named(line: &str) -> Vec<PathBuf> {
    let words = simple(line).unwrap_or_default();
    let arguments = words.iter().skip(1);
    arguments.flat_map(|word| meant(word)).collect()
}

/// A word may be a path, or have one behind `=`, before `:` (a test's name), or behind a short option's letters.
fn meant(word: &str) -> Vec<PathBuf> {
    let is_short = word.starts_with('-') && !word.starts_with("--");
    let tails = word.char_indices().skip(2).filter(|_| is_short);
    let tails = tails.map(|(at, _)| &word[at..]);
    let whole = Some(word).filter(|word| !word.starts_with('-'));
    let value = word.split_once('=').map(|(_, value)| value);
    let file = whole.and_then(|word| Some(word.split_once(':')?.0));
    let all = [whole, value, file].into_iter().flatten().chain(tails);
    all.filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect()
}

/// The words of one simple command, which a shell may have been given to read.
fn simple(line: &str) -> Option<Vec<String>> {
    let words = words(line)?;
    match &words[..] {
        [shell, how, script]
            if SHELLS.contains(&shell.as_str()) && matches!(how.as_str(), "-c" | "-lc") =>
        {
            self::words(script)
        }
        _ => Some(words),
    }
}

/// The words of one simple command, freed from its quotes; `None` when a shell might read more into it than is seen here.
fn words(line: &str) -> Option<Vec<String>> {
    const OPERATORS: [char; 10] = [';', '|', '&', '$', '(', ')', '<', '>', '`', '\\'];
    if line.contains(OPERATORS) || line.chars().any(|c| c.is_control() && c != '\t') {
        return None;
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    // A bare glob at the head of a word may become an option; further on it can only become a path.
    let mut is_plain = true;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            (None, '{' | '}' | '!' | '#') => return None,
            (None, '*' | '?' | '[') => {
                let head = word.get_or_insert_default();
                // Some shells take two stars for any depth.
                is_plain &= !head.is_empty() && !head.starts_with('-') && !head.ends_with('*');
                head.push(c);
            }
            (None, '~') => {
                let head = word.get_or_insert_default();
                is_plain &= !head.is_empty() && !head.ends_with(['=', ':']);
                head.push(c);
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (quote.is_none() && is_plain).then_some(words)
}

/// No path in the word leads out of the run's directories: commands may read no more than the agent's own tools.
fn stays_inside(grounds: &Grounds, word: &str) -> bool {
    let whole = if !word.starts_with('-') {
        word
    } else if word.starts_with("--") {
        ""
    } else {
        // A value may be attached to a short option.
        word.find('/').map_or("", |at| &word[at..])
    };
    let value = word.split_once('=').map_or("", |(_, value)| value);
    [whole, value].into_iter().all(|path| {
        let leads_out = Path::new(path).is_absolute()
            || Path::new(path)
                .components()
                .any(|part| part == Component::ParentDir);
        !leads_out || within(grounds, &[PathBuf::from(path)], true)
    })
}

#[cfg(test)]
mod tests {
    use super::{Grounds, is_listed};

    fn listed(line: &str) -> bool {
        let grounds = Grounds {
            cwd: "/p".into(),
            workspace: Some("/w".into()),
        };
        is_listed(&grounds, line)
    }

    #[test]
    fn what_reads_builds_and_tests_runs_unasked() {
        for line in [
            "git status",
            "git log --oneline -5 main..HEAD",
            "git log --format='%h %s' -- src/lib.rs",
            "git diff --stat --output-indicator-new=x",
            "git show HEAD~1:src/lib.rs",
            "cargo test --workspace name -- --nocapture",
            "cargo clippy --all-targets",
            "go test ./... -run TestIt -count=1",
            "npm test",
            "npm ls --depth=0",
            "npm test -- --watch=no",
            "pytest -q tests/test_it.py",
            "rg -n --glob '*.rs' \"fn main\" src",
            "grep -rn needle src/*.rs",
            "ls -la /p/src /w",
            "cat a\tb",
            "ls src/*.rs",
            "bash -lc 'git status'",
            "/bin/bash -c 'rg -n needle src'",
            "git log -n5 -p --since=yesterday -- src",
            "git diff -U5 --cached",
            "cargo clippy --tests -- -D warnings -Wclippy::pedantic",
            "cargo test -p eyas --lib -- --exact --test-threads=1",
            "go list -f x ./...",
            "pytest -xvs -kname --maxfail=1",
        ] {
            assert!(listed(line), "{line}");
        }
    }

    #[test]
    fn what_is_more_than_one_listed_command_asks() {
        for line in [
            "",
            "git status; rm -rf /",
            "git status && rm x",
            "git status\nrm x",
            "ls $(whoami)",
            "ls `whoami`",
            "cat a > b",
            "ls $HOME",
            "/tmp/ls",
            "./git status",
            "A=b git status",
            "PAGER=/tmp/x git log",
            "env git status",
            "sudo ls",
            "xargs ls",
            "find . -exec rm x",
            "find . -delete",
        ] {
            assert!(!listed(line), "{line}");
        }
    }

    const ASKED: &[&str] = &[
        "git push",
        "git",
        "git -c alias.status='!sh' status",
        "git -c core.pager=sh log",
        "git --exec-path=/tmp status",
        "git -C /elsewhere status",
        "git --paginate log",
        "git diff --ext-diff",
        "git diff --ext",
        "git diff '--ext-diff'",
        "git diff --ext'-diff'",
        "git diff \"--output=x\"",
        "git diff --outp x",
        "git log --output=../x",
        "git diff --no-index a ../secret",
        "git diff {--ext-diff,HEAD}",
        "git diff *",
        "git diff -*",
        "rg --pre sh needle",
        "rg --pre=./evil needle",
        "rg --hostname-bin=./evil x",
        "rg -iz x",
        "rg -L x",
        "rg --foll x",
        "grep -nR x .",
        "ls -RL",
        "wc --files0-from=list",
        "ls src/**/x",
        "rg -- \\x",
        "cargo +nightly build",
        "cargo --config x=y build",
        "cargo build --config target.runner=x",
        "cargo test -Zunstable",
        "cargo build --manifest-path /elsewhere/Cargo.toml",
        "cargo build --target-dir=/tmp/x",
        "cargo run",
        "go test -exec ./evil",
        "go build --toolexec=./evil",
        "go vet -vettool ./evil",
        "go run .",
        "npm test --script-shell=./evil",
        "npm ls --prefix x",
        "pytest -p evil",
        "pytest -pevil",
        "pytest --basetemp=src",
        "cat /etc/passwd",
        "cat ~/.ssh/id_rsa",
        "cat ../../secret",
        "cat ../secret=1",
        "cat x=~/secret",
        "grep -f/etc/passwd x",
        "grep --file=/etc/passwd x",
        "cat 'unfinished",
        // Written where an option says.
        "git diff --output=.git/hooks/x",
        "git log -p --output .git/hooks/x",
        "git status --git-dir=x",
        "git --git-dir=x status",
        "git --work-tree=x status",
        "git -c core.pager=./x log",
        "git blame --contents x y",
        "git log --show-signature",
        "git log -O x",
        "git log -S -- --output=x",
        "git diff --submodule=diff",
        "cargo build --target-dir x",
        "cargo build --out-dir x",
        "cargo build --artifact-dir=x",
        "cargo test --target evil.json",
        "cargo clippy --fix",
        "cargo clippy -- -C linker=./x",
        "cargo clippy -- --emit=link -o x",
        "cargo fmt -- --config-path x",
        "cargo test -- --logfile x",
        "cargo test -- --logfile=x",
        "cargo check --from-the-future",
        "go build -o .git/hooks/pre-commit",
        "go build -o=x",
        "go test -c",
        "go test -coverprofile=x",
        "go test -test.coverprofile=x",
        "go test -args -test.trace=x",
        "go build -ldflags=-extld=./x",
        "go build -C x",
        "npm test --prefix x",
        "npm --prefix x test",
        "npm test -- --outputFile=x",
        "pytest --junit-xml=x",
        "pytest -vo x=y",
        "pytest -c x",
        "pytest --cov-report=html:x",
        "pytest @x",
        "rg -f x needle",
        "rg --from-the-future x",
        // Other programs, and the same ones from elsewhere.
        "make -f x",
        "make -C x",
        "sort -o x y",
        "tar --to-command=./x -xf y",
        "find . -fprint x",
        "./cargo check",
        "/p/cargo check",
        "bin/git status",
        "FOO=x cargo check",
        "bash -lc 'git push'",
        "bash -lc 'git status; rm x'",
        "bash -c 'git status' x",
        "bash --rcfile x -c 'git status'",
        "./bash -c 'git status'",
        "bash -c \"bash -c 'git push'\"",
        "git status\u{b}x",
        "git\u{a0}status",
    ];

    #[test]
    fn options_that_run_something_else_or_lead_out_ask() {
        for line in ASKED {
            assert!(!listed(line), "{line}");
        }
    }
}
