//! Reading a command line: one simple command whose program and subcommand are listed, and which can run nothing else.
//!
//! A list of programs alone is no bound: many run others when an option says so. What cannot be read with certainty is not listed, and a
//! person is asked; so too few are allowed rather than one too many.

use super::{Grounds, decide::within};
use std::path::{Component, Path, PathBuf};

/// A program that may run unasked.
struct Program {
    name: &'static str,
    /// The first word after it; empty: any.
    subs: &'static [&'static str],
    /// The options that run another program, read a configuration that can, or write where they are told.
    unsafe_options: &'static [Opt],
}

/// How an option is spelt on a command line.
enum Opt {
    /// `--name`, `--name=value`, and any shorter form of it that the program might take.
    Long(&'static str),
    /// `-x`, alone, with its value attached, or among other letters.
    Short(char),
    /// `-name` or `--name`, with or without `=value`: the way of Go's flags.
    Word(&'static str),
    /// Every option before `--` but these.
    AllBut(&'static [&'static str]),
}

use Opt::{AllBut, Long, Short, Word};

/// Programs that read, build or test; anything else asks.
const LISTED: &[Program] = &[
    // What follows links while it walks would leave the directories by any of them.
    any("ls", &[Long("dereference"), Short('L')]),
    any("cat", &[]),
    any("head", &[]),
    any("tail", &[]),
    any("wc", &[Long("files0-from")]),
    any("grep", &[Long("dereference-recursive"), Short('R')]),
    any(
        "rg",
        &[
            Long("pre"),
            Long("hostname-bin"),
            Long("search-zip"),
            Short('z'),
            Long("follow"),
            Short('L'),
        ],
    ),
    any("pwd", &[]),
    Program {
        name: "git",
        subs: &[
            "status",
            "diff",
            "log",
            "show",
            "blame",
            "rev-parse",
            "ls-files",
        ],
        unsafe_options: &[
            Long("ext-diff"),
            Long("output"),
            Long("open-files-in-pager"),
            Long("textconv"),
            Long("exec-path"),
        ],
    },
    Program {
        name: "cargo",
        subs: &[
            "check", "build", "test", "clippy", "fmt", "metadata", "tree",
        ],
        unsafe_options: &[Long("config"), Short('Z'), Short('C')],
    },
    Program {
        name: "go",
        subs: &["build", "test", "vet", "list"],
        unsafe_options: &[
            Word("exec"),
            Word("toolexec"),
            Word("vettool"),
            Word("ldflags"),
            Word("gccgoflags"),
            Word("gcflags"),
            Word("asmflags"),
            Word("compiler"),
            Word("modfile"),
            Word("overlay"),
            Word("C"),
        ],
    },
    Program {
        name: "npm",
        subs: &["test", "ls"],
        unsafe_options: &[AllBut(&[
            "-s", "--silent", "--json", "--all", "-a", "--long", "-l", "--depth",
        ])],
    },
    any(
        "pytest",
        &[
            Short('p'),
            Short('c'),
            Short('o'),
            Long("pdbcls"),
            Long("override-ini"),
            Long("config-file"),
            Long("basetemp"),
        ],
    ),
];

const fn any(name: &'static str, unsafe_options: &'static [Opt]) -> Program {
    Program {
        name,
        subs: &[],
        unsafe_options,
    }
}

/// Whether a command line may run unasked.
pub(super) fn is_listed(grounds: &Grounds, line: &str) -> bool {
    let Some(words) = words(line) else {
        return false;
    };
    let Some((program, arguments)) = words.split_first() else {
        return false;
    };
    let Some(program) = LISTED.iter().find(|listed| listed.name == program) else {
        return false;
    };
    let arguments = if program.subs.is_empty() {
        arguments
    } else {
        match arguments.split_first() {
            Some((sub, rest)) if program.subs.contains(&sub.as_str()) => rest,
            Some(_) | None => return false,
        }
    };
    let own = arguments.iter().take_while(|word| *word != "--").count();
    arguments.iter().enumerate().all(|(at, word)| {
        let safe = program
            .unsafe_options
            .iter()
            .all(|option| !option.is(word, at < own));
        safe && stays_inside(grounds, word)
    })
}

/// All that may name a file in a command line, so that links can be followed; nothing of one that cannot be read, which is never listed.
#[must_use]
pub fn named(line: &str) -> Vec<PathBuf> {
    let words = words(line).unwrap_or_default();
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

impl Opt {
    /// Whether `word` is this option. `is_own`: it stands before any `--`.
    fn is(&self, word: &str, is_own: bool) -> bool {
        if !word.starts_with('-') || word == "-" || word == "--" {
            return false;
        }
        let bare = word.trim_start_matches('-');
        let name = bare.split_once('=').map_or(bare, |(name, _)| name);
        match self {
            Self::Long(long) => word.starts_with("--") && long.starts_with(name),
            Self::Short(letter) => !word.starts_with("--") && bare.contains(*letter),
            Self::Word(flag) => name == *flag,
            Self::AllBut(safe) => {
                is_own
                    && !safe
                        .iter()
                        .any(|one| word.split_once('=').map_or(word, |(name, _)| name) == *one)
            }
        }
    }
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

    #[test]
    fn options_that_run_something_else_or_lead_out_ask() {
        for line in [
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
            "git status\u{b}x",
            "git\u{a0}status",
        ] {
            assert!(!listed(line), "{line}");
        }
    }
}
