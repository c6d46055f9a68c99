//! The programs that may run unasked, and with which options.
//!
//! A program that can run another one, or write where it is told, has its harmless options named, and only those pass: what a later version
//! learns asks until it is looked at here. What can do neither whatever it is told has those named by which it would leave the directories.

/// A program, and some of its subcommands that take the same options.
pub(super) struct Listed {
    pub(super) program: &'static str,
    /// The first word after it; empty: any.
    pub(super) subs: &'static [&'static str],
    pub(super) options: Options,
    /// Words after `--` that begin with a dash; they are meant for a program that this one runs.
    pub(super) handed_on: &'static [&'static str],
    /// `@file` stands for the options in that file.
    pub(super) reads_options: bool,
}

/// Which options pass.
pub(super) enum Options {
    /// The names of long ones, in full, without dashes; the letters of short ones, which are grouped or not (`plain`), or take a value that is
    /// attached or follows (`valued`).
    Only {
        long: &'static [&'static [&'static str]],
        plain: &'static str,
        valued: &'static str,
    },
    /// Go's way: `-name` or `--name`, with or without `=value`.
    Words(&'static [&'static str]),
    /// All but these; a long one in any shorter form that the program might take, a short one among other letters.
    AllBut {
        long: &'static [&'static str],
        short: &'static str,
    },
}

use Options::{AllBut, Only, Words};

const fn reader(
    program: &'static str,
    long: &'static [&'static str],
    short: &'static str,
) -> Listed {
    Listed {
        program,
        subs: &[],
        options: AllBut { long, short },
        handed_on: &[],
        reads_options: false,
    }
}

const fn git(
    subs: &'static [&'static str],
    long: &'static [&'static [&'static str]],
    plain: &'static str,
    valued: &'static str,
) -> Listed {
    Listed {
        program: "git",
        subs,
        options: Only {
            long,
            plain,
            valued,
        },
        handed_on: &[],
        reads_options: false,
    }
}

const fn cargo(
    subs: &'static [&'static str],
    long: &'static [&'static [&'static str]],
    plain: &'static str,
    valued: &'static str,
    handed_on: &'static [&'static str],
) -> Listed {
    Listed {
        program: "cargo",
        subs,
        options: Only {
            long,
            plain,
            valued,
        },
        handed_on,
        reads_options: false,
    }
}

/// Not `ext-diff`, `textconv`, `output`, `no-index`, `show-signature`, `submodule`, `-O`: they run a program, write, or lead out.
const DIFF: &[&str] = &[
    "stat", "shortstat", "numstat", "dirstat", "summary", "compact-summary", "name-only", "name-status", "patch", "no-patch", "raw",
    "patch-with-stat", "patch-with-raw", "cached", "staged", "merge-base", "word-diff", "word-diff-regex", "color", "no-color", "color-words",
    "color-moved", "ignore-space-change", "ignore-all-space", "ignore-blank-lines", "ignore-space-at-eol", "ignore-cr-at-eol", "unified",
    "function-context", "inter-hunk-context", "minimal", "patience", "histogram", "diff-algorithm", "find-renames", "find-copies", "no-renames",
    "diff-filter", "pickaxe-all", "pickaxe-regex", "relative", "no-relative", "text", "binary", "full-index", "exit-code", "quiet", "check",
    "no-prefix", "no-ext-diff", "no-textconv", "ignore-submodules", "abbrev", "no-abbrev", "output-indicator-new", "output-indicator-old",
    "output-indicator-context",
];
const LOG: &[&str] = &[
    "oneline", "graph", "decorate", "no-decorate", "abbrev-commit", "no-abbrev-commit", "format", "pretty", "date", "relative-date", "author",
    "committer", "grep", "all-match", "invert-grep", "regexp-ignore-case", "extended-regexp", "fixed-strings", "perl-regexp", "since", "until",
    "after", "before", "max-count", "skip", "merges", "no-merges", "first-parent", "all", "branches", "tags", "remotes", "reverse", "topo-order",
    "date-order", "author-date-order", "follow", "full-history", "ancestry-path", "cherry-pick", "left-right", "no-walk", "walk-reflogs",
    "notes", "no-notes",
];
const CARGO: &[&str] = &[
    "workspace", "all", "package", "exclude", "lib", "bin", "bins", "example", "examples", "test", "tests", "bench", "benches", "all-targets",
    "release", "profile", "features", "all-features", "no-default-features", "message-format", "verbose", "quiet", "color", "locked", "offline",
    "frozen", "keep-going", "jobs", "manifest-path", "ignore-rust-version",
];
/// Of what runs the tests; `--logfile` writes.
const LIBTEST: &[&str] = &[
    "--nocapture", "--no-capture", "--show-output", "--exact", "--ignored", "--include-ignored", "--list", "--skip", "--test-threads",
    "--quiet", "-q", "--color",
];
const GO: &[&str] = &[
    "v", "x", "n", "race", "count", "run", "skip", "bench", "benchtime", "benchmem", "timeout", "short", "cover", "covermode", "coverpkg",
    "failfast", "fullpath", "json", "parallel", "cpu", "list", "shuffle", "tags", "mod", "p", "a", "trimpath", "buildvcs",
];

/// Programs that read, build or test; anything else asks.
pub(super) const LISTED: &[Listed] = &[
    // What follows links while it walks would leave the directories by any of them.
    reader("ls", &["dereference"], "L"),
    reader("cat", &[], ""),
    reader("head", &[], ""),
    reader("tail", &[], ""),
    reader("wc", &["files0-from"], ""),
    reader("grep", &["dereference-recursive"], "R"),
    reader("pwd", &[], ""),
    Listed {
        program: "rg",
        subs: &[],
        options: Only {
            long: &[&[
                "line-number", "no-line-number", "ignore-case", "smart-case", "case-sensitive", "files-with-matches", "files-without-match",
                "count", "count-matches", "word-regexp", "line-regexp", "fixed-strings", "regexp", "glob", "iglob", "type", "type-not",
                "type-list", "after-context", "before-context", "context", "only-matching", "invert-match", "multiline", "multiline-dotall",
                "max-count", "max-depth", "max-columns", "max-filesize", "heading", "no-heading", "with-filename", "no-filename", "hidden",
                "no-hidden", "no-ignore", "no-ignore-vcs", "unrestricted", "files", "json", "stats", "sort", "sortr", "column", "color",
                "replace", "pretty", "trim", "vimgrep", "text", "null", "pcre2", "passthru", "no-messages", "no-config", "quiet", "crlf",
                "encoding", "one-file-system", "byte-offset",
            ]],
            plain: "niSslcwxFovUaHINpuPqb0.",
            valued: "egtTABCmdrjME",
        },
        handed_on: &[],
        reads_options: false,
    },
    git(
        &["status"],
        &[&[
            "short", "branch", "porcelain", "long", "untracked-files", "ignored", "ignore-submodules", "show-stash", "ahead-behind",
            "no-ahead-behind", "renames", "no-renames", "find-renames", "column", "no-column", "null", "verbose",
        ]],
        "sbzv",
        "u",
    ),
    git(&["diff"], &[DIFF], "psuwbaRzWq", "UMCBSGDl"),
    git(
        &["log", "show"],
        &[DIFF, LOG],
        "psuwbaRzWqiEFPgcmtr",
        "nUMCBSGDlL",
    ),
    git(
        &["blame"],
        &[&[
            "porcelain", "line-porcelain", "show-email", "show-name", "show-number", "show-stats", "date", "abbrev", "since", "root",
            "first-parent", "incremental", "score-debug",
        ]],
        "wcltpefns",
        "LMC",
    ),
    git(
        &["rev-parse"],
        &[&[
            "abbrev-ref", "short", "show-toplevel", "show-prefix", "show-cdup", "git-dir", "absolute-git-dir", "git-common-dir",
            "is-inside-work-tree", "is-inside-git-dir", "is-bare-repository", "is-shallow-repository", "verify", "quiet", "symbolic-full-name",
            "all", "branches", "tags", "remotes",
        ]],
        "q",
        "",
    ),
    git(
        &["ls-files"],
        &[&[
            "cached", "deleted", "modified", "others", "ignored", "stage", "unmerged", "killed", "directory", "no-empty-directory", "eol",
            "full-name", "error-unmatch", "exclude-standard", "abbrev", "deduplicate", "recurse-submodules",
        ]],
        "cdmoisuktvz",
        "",
    ),
    cargo(&["check", "build"], &[CARGO], "vqr", "pjF", &[]),
    cargo(
        &["test"],
        &[CARGO, &["doc", "no-run", "no-fail-fast"]],
        "vqr",
        "pjF",
        LIBTEST,
    ),
    cargo(
        &["clippy"],
        &[CARGO, &["no-deps"]],
        "vqr",
        "pjF",
        &["-D", "-W", "-A", "-F"],
    ),
    cargo(
        &["fmt"],
        &[&[
            "all",
            "check",
            "package",
            "verbose",
            "quiet",
            "manifest-path",
            "message-format",
        ]],
        "vq",
        "p",
        &["--check", "-l"],
    ),
    cargo(
        &["metadata"],
        &[CARGO, &["no-deps", "format-version", "filter-platform"]],
        "vq",
        "F",
        &[],
    ),
    cargo(
        &["tree"],
        &[CARGO, &["invert", "edges", "duplicates", "depth", "prefix", "no-dedupe", "format", "prune", "charset"]],
        "vqd",
        "pieFf",
        &[],
    ),
    // Not `o`, `C`, `exec`, `toolexec`, `vettool`, the flags for its tools, profiles: they write or run what they are told.
    Listed {
        program: "go",
        subs: &["build", "test", "vet"],
        options: Words(GO),
        handed_on: &[],
        reads_options: false,
    },
    Listed {
        program: "go",
        subs: &["list"],
        options: Words(&["m", "f", "json", "deps", "e", "test", "find", "tags", "mod", "u", "versions", "retracted"]),
        handed_on: &[],
        reads_options: false,
    },
    Listed {
        program: "npm",
        subs: &["test", "ls"],
        options: Only {
            long: &[&["silent", "json", "all", "long", "depth", "if-present"]],
            plain: "sal",
            valued: "",
        },
        handed_on: &["--watch", "--watchAll", "--run", "--ci", "--silent", "--verbose", "--runInBand", "--bail"],
        reads_options: false,
    },
    // Not `basetemp`, `junit-xml`, `log-file`, `cov-report`, `pastebin`, `-p`, `-c`, `-o`, `rootdir`: they write, send or load what they are told.
    Listed {
        program: "pytest",
        subs: &[],
        options: Only {
            long: &[&[
                "quiet", "verbose", "exitfirst", "maxfail", "last-failed", "lf", "failed-first", "ff", "new-first", "nf", "stepwise", "sw",
                "collect-only", "co", "tb", "durations", "durations-min", "no-header", "no-summary", "disable-warnings", "color", "capture",
                "strict-markers", "strict-config", "showlocals", "timeout", "cov", "markers", "fixtures", "setup-show",
            ]],
            plain: "qvxsl",
            valued: "kmrnW",
        },
        handed_on: &[],
        reads_options: true,
    },
];
