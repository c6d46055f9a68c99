//! The end of a text that may be the beginning of a key.

use regex::Regex;
use std::sync::LazyLock;

/// A key that is longer is none, and is not waited for.
const LONGEST: usize = 8 * 1024;
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// How the shapes of keys begin, and what they go on with.
const SHAPES: &[(&str, &str)] = &[
    ("sk-", "[A-Za-z0-9_-]*"),
    ("ghp_", "[A-Za-z0-9]*"),
    ("gho_", "[A-Za-z0-9]*"),
    ("ghu_", "[A-Za-z0-9]*"),
    ("ghs_", "[A-Za-z0-9]*"),
    ("ghr_", "[A-Za-z0-9]*"),
    ("github_pat_", "[A-Za-z0-9_]*"),
    ("xox", "(?:[abeoprs](?:-[A-Za-z0-9-]*)?)?"),
    ("AKIA", "[A-Z0-9]*"),
    ("ASIA", "[A-Z0-9]*"),
    ("AIza", "[A-Za-z0-9_-]*"),
    ("glpat-", "[A-Za-z0-9_-]*"),
    ("npm_", "[A-Za-z0-9]*"),
    ("hf_", "[A-Za-z0-9]*"),
    ("eyst_", "[0-9a-f]*"),
    ("eyJ", "[A-Za-z0-9_.-]*"),
    ("Bearer", r"(?:\x20+[A-Za-z0-9._~+/-]*=*)?"),
    ("bearer", r"(?:\x20+[A-Za-z0-9._~+/-]*=*)?"),
];

/// Names to which secrets are assigned; they may be the end of a longer one.
const NAMES: &[&str] = &[
    "api_key",
    "api-key",
    "apikey",
    "access_key",
    "access-key",
    "accesskey",
    "secret",
    "token",
    "passwd",
    "password",
];

const ASSIGNED: &str = r#"["']?\s*(?:[:=]\s*(?:["']?[A-Za-z0-9._~+/!@#%^&*-]*=*)?)?"#;

static GROWING: LazyLock<Regex> = LazyLock::new(|| {
    let shapes = SHAPES
        .iter()
        .map(|(begin, more)| format!(r"\b{}", begins(begin, more)));
    let names = NAMES
        .iter()
        .map(|name| format!("(?i:{})", begins(name, ASSIGNED)));
    let header = std::iter::once(r"-(?:-(?:-(?:-(?:-[A-Z0-9 ]{0,64}-{0,5})?)?)?)?".to_owned());
    let all: Vec<String> = shapes.chain(names).chain(header).collect();
    Regex::new(&format!(r"(?:{})\z", all.join("|")))
        .expect("a pattern of ours, compiled in every test run")
});

/// `abc` and then `more`, or any beginning of `abc`.
fn begins(text: &str, more: &str) -> String {
    let mut pattern = more.to_owned();
    for (n, letter) in text.chars().rev().enumerate() {
        let letter = regex::escape(&letter.to_string());
        pattern = if n == 0 {
            format!("{letter}{pattern}")
        } else {
            format!("{letter}(?:{pattern})?")
        };
    }
    pattern
}

/// Where the part of `text` begins that may still become a key; its length when there is none.
pub(super) fn from(text: &str) -> usize {
    let near = crate::stdx::text::tail(text, LONGEST);
    let before = text.len() - near.len();
    let growing = GROWING
        .find(near)
        .map_or(text.len(), |found| before + found.start());
    let open = near
        .rfind(BEGIN)
        .filter(|begun| !closed(&near[*begun..]))
        .map_or(text.len(), |begun| before + begun);
    growing.min(open)
}

/// The last line of a key is there, whole.
fn closed(key: &str) -> bool {
    key.split_once(END)
        .is_some_and(|(_, end)| end.contains("-----"))
}
