//! The floors hold: who may name whom, who owns which crate, and that no file outgrows its purpose.

#![allow(clippy::unwrap_used, reason = "a broken checkout may stop a test")]

use regex::Regex;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// Floors by longest path, ground first, and what each may name. `stdx` and a floor's own modules are always allowed. The rooms of one
/// floor that may name more stand on their own.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("stdx", &[]),
    ("domain", &[]),
    ("config", &["domain"]),
    ("store", &["domain"]),
    ("templates", &["domain"]),
    ("workspace", &["domain", "templates"]),
    ("agents", &["domain", "workspace"]),
    ("runs", &["domain", "store", "workspace", "agents"]),
    ("api", &["domain"]),
    (
        "hub",
        &[
            "domain",
            "config",
            "store",
            "templates",
            "workspace",
            "agents",
            "runs",
            "api",
        ],
    ),
    ("faces", &["domain", "api", "hub::join"]),
    ("faces/cli", &["domain", "api", "hub::join", "config"]),
    ("app", EVERYTHING),
    ("lib", EVERYTHING),
    ("main", EVERYTHING),
];

const EVERYTHING: &[&str] = &["*"];

/// Crates that only these floors, or rooms of one, may name.
const OWNED: &[(&str, &[&str])] = &[
    ("tempfile", &["stdx"]),
    ("clap", &["faces/cli"]),
    ("clap_complete", &["faces/cli"]),
    ("comfy_table", &["faces/cli"]),
    ("croner", &["domain/schedule"]),
    ("sqlx", &["store"]),
    ("rusqlite", &["store"]),
    ("rust_embed", &["templates"]),
    ("handlebars", &["templates"]),
    ("walkdir", &["agents/embedded", "agents/fetch/unpack"]),
    ("semver", &["domain/version", "agents/sources"]),
    ("reqwest", &["agents/fetch"]),
    ("rustls", &["agents/fetch"]),
    ("tar", &["agents/fetch/unpack"]),
    ("zip", &["agents/fetch/unpack"]),
    ("flate2", &["agents/fetch/unpack"]),
    ("bzip2", &["agents/fetch/unpack"]),
    ("lzma_rust2", &["agents/fetch/unpack"]),
    ("oci_client", &["agents/sources"]),
    ("agent_client_protocol", &["agents", "faces/acp"]),
    ("which", &["agents"]),
    ("jsonrpsee", &["api", "hub", "faces"]),
    ("rmcp", &["faces/mcp", "faces/session"]),
];

/// What only one place may say: a pattern in code, where it is at home, and why.
const SAID_ONLY_IN: &[(&str, &str, &str)] = &[
    (
        r#""\s*(SELECT|INSERT|UPDATE|DELETE|CREATE TABLE|PRAGMA)\s"#,
        "store",
        "SQL lies in the store",
    ),
    (
        r"\b(print|println|eprint|eprintln|dbg)!",
        "faces/cli/print",
        "one place prints",
    ),
    (
        r"\bunsafe\s*(\{|fn|impl)",
        "nowhere",
        "rustix makes the system calls",
    ),
];

/// Lines, tests included. Look twice above 400.
const LONGEST_FILE: usize = 600;

/// A source file without its comments and unit tests, and where it stands: `faces/cli/run`.
struct Source {
    path: PathBuf,
    room: String,
    code: String,
    lines: usize,
}

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| sources("src"));

#[test]
fn every_floor_names_only_the_floors_below_it() {
    let mut wrong = Vec::new();
    for source in &*SOURCES {
        let Some((floor, allowed)) = longest(MAY_NAME, &source.room) else {
            wrong.push(format!(
                "{}: say in tests/architecture.rs which floor it is",
                source.path.display()
            ));
            continue;
        };
        let own = floor.split('/').next().unwrap();
        for name in named(source) {
            let first = name.split("::").next().unwrap();
            let free = first == own || first == "stdx" || *allowed == EVERYTHING;
            if !free
                && !allowed
                    .iter()
                    .any(|known| *known == first || *known == name)
            {
                wrong.push(format!(
                    "{}: `{floor}` may not name `crate::{name}`, only {allowed:?}; to call up, take a channel from above",
                    source.path.display()
                ));
            }
        }
    }
    report(&wrong);
}

#[test]
fn every_crate_is_named_only_by_its_owners() {
    let mut wrong = Vec::new();
    for (krate, owners) in OWNED {
        let uses = regex(&format!(r"(^|[\s(&<,{{!=\[*|]){krate}::|\buse {krate}\b"));
        for source in SOURCES.iter().filter(|source| uses.is_match(&source.code)) {
            if !owners.iter().any(|owner| is_in(owner, &source.room)) {
                wrong.push(format!(
                    "{}: `{krate}` belongs to {owners:?}",
                    source.path.display()
                ));
            }
        }
    }
    report(&wrong);
}

#[test]
fn what_is_said_in_one_place_is_said_nowhere_else() {
    let mut wrong = Vec::new();
    for (pattern, home, why) in SAID_ONLY_IN {
        let said = regex(pattern);
        for source in SOURCES.iter().filter(|source| !is_in(home, &source.room)) {
            if let Some(found) = said.find(&source.code) {
                wrong.push(format!(
                    "{}: {:?}, but {why} ({home})",
                    source.path.display(),
                    found.as_str()
                ));
            }
        }
    }
    report(&wrong);
}

#[test]
fn no_file_outgrows_its_purpose() {
    let tests = sources("tests");
    let long = SOURCES
        .iter()
        .chain(&tests)
        .filter(|source| source.lines > LONGEST_FILE);
    let wrong: Vec<_> = long
        .map(|source| {
            format!(
                "{}: {} lines, at most {LONGEST_FILE}: split it by noun or phase",
                source.path.display(),
                source.lines
            )
        })
        .collect();
    report(&wrong);
}

#[test]
fn the_reader_of_names_sees_groups_and_climbing_paths() {
    let source = |room: &str, code: &str| Source {
        path: PathBuf::new(),
        room: room.to_owned(),
        code: code.to_owned(),
        lines: 1,
    };
    let group = "use crate::{\n api::{self, run::{A, B}}, hub::join::C,\n stdx,\n}; fn f() { crate::store::x() }";
    let expected = ["api", "hub::join", "stdx", "store::x"].map(str::to_owned);
    assert_eq!(
        named(&source("faces/cli/run", group)),
        BTreeSet::from(expected)
    );
    let climbing = "use super::given; use super::super::store::sqlite;";
    assert_eq!(
        named(&source("api/persona", climbing)),
        BTreeSet::from(["store::sqlite".to_owned()])
    );
}

fn report(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "the house does not hold:\n  {}\n",
        wrong.join("\n  ")
    );
}

/// The names below the crate's root that a file uses: a floor, with the module after it where one is named.
fn named(source: &Source) -> BTreeSet<String> {
    static START: LazyLock<Regex> = LazyLock::new(|| regex(r"\b(?:crate::|((?:super::)+))"));
    static PATH: LazyLock<Regex> = LazyLock::new(|| regex(r"^\s*([a-z_]\w*)(?:::([a-z_]\w*))?"));
    let depth = source.room.split('/').count();
    let mut names = BTreeSet::new();
    for start in START.captures_iter(&source.code) {
        let climbs = start
            .get(1)
            .map(|supers| supers.as_str().matches("::").count());
        if climbs.is_some_and(|climbs| climbs < depth) {
            continue;
        }
        let rest = &source.code[start.get(0).unwrap().end()..];
        for part in group(rest) {
            if let Some(found) = PATH.captures(part) {
                let below = found.get(2).map(|name| format!("::{}", name.as_str()));
                names.insert(format!("{}{}", &found[1], below.unwrap_or_default()));
            }
        }
    }
    names
}

/// The members of `{a::{b, c}, d}` at its own level, or the path alone.
fn group(rest: &str) -> Vec<&str> {
    if !rest.starts_with('{') {
        return vec![rest];
    }
    let (mut level, mut start, mut parts) = (0, 1, Vec::new());
    for (at, letter) in rest.char_indices() {
        match letter {
            '{' => level += 1,
            '}' => level -= 1,
            _ => {}
        }
        if level == 0 || (level == 1 && letter == ',') {
            parts.push(&rest[start..at]);
            start = at + 1;
        }
        if level == 0 {
            break;
        }
    }
    parts
}

/// Code is ASCII to us: the tables of Unicode would take most of the time.
fn regex(pattern: &str) -> Regex {
    Regex::new(&format!("(?-u){pattern}")).unwrap()
}

/// The entry of the floor or room that a file stands in: the longest that fits.
fn longest<'a, T>(table: &'a [(&'a str, T)], room: &str) -> Option<&'a (&'a str, T)> {
    table
        .iter()
        .filter(|(floor, _)| is_in(floor, room))
        .max_by_key(|(floor, _)| floor.len())
}

fn is_in(place: &str, room: &str) -> bool {
    room == place
        || room
            .strip_prefix(place)
            .is_some_and(|rest| rest.starts_with('/'))
}

fn sources(folder: &str) -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    let mut tests = BTreeSet::new();
    for entry in walkdir::WalkDir::new(&top).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let room = path.strip_prefix(&top).unwrap().with_extension("");
            let room = room.to_str().unwrap();
            let room = room.strip_suffix("/mod").unwrap_or(room).to_owned();
            let (code, apart) = code(&text);
            tests.extend(apart.into_iter().map(|module| format!("{room}/{module}")));
            let lines = text.lines().count();
            found.push(Source {
                path,
                room,
                code,
                lines,
            });
        }
    }
    for source in &mut found {
        if tests.iter().any(|module| is_in(module, &source.room)) {
            source.code.clear();
        }
    }
    found
}

/// What ships: whole-line comments and the unit tests at the end left out. With it the modules that are tests in files of their own.
fn code(text: &str) -> (String, Vec<String>) {
    static INLINE: LazyLock<Regex> = LazyLock::new(|| regex(r"#\[cfg\(test\)\]\s*mod \w+ \{"));
    static APART: LazyLock<Regex> = LazyLock::new(|| regex(r"#\[cfg\(test\)\]\s*mod (\w+);"));
    let shipped = INLINE
        .find(text)
        .map_or(text, |tests| &text[..tests.start()]);
    let lines = shipped
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let modules = APART
        .captures_iter(shipped)
        .map(|found| found[1].to_owned());
    (
        lines.map(|line| format!("{line}\n")).collect(),
        modules.collect(),
    )
}
