//! Keeps secrets out of what is written.
//!
//! Two kinds are known: values that a face has sent from its environment under a name that looks like a secret's, and text in the shape of a
//! key, whoever wrote it. The attempt reads its prompt from the database, so a key in a prompt is redacted for the agent too: the agent has
//! the values it may have in its environment, and needs none from the text.

use super::growing;
use crate::domain::{fault::Fault, run::Warning};
use regex::{Captures, Regex, RegexBuilder};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

/// What stands in a secret's place.
const MARK: &str = "[redacted]";
/// A shorter value is a word, a port, a flag: it would tear up harmless text.
const SHORTEST: usize = 8;

/// Text that is a key by its shape. What may become one is in [`super::growing`].
const SHAPES: &str = r#"(?x)
    -----BEGIN\ [A-Z0-9\ ]*PRIVATE\ KEY-----(?:[\s\S]*?-----END\ [A-Z0-9\ ]*PRIVATE\ KEY-----|[A-Za-z0-9+/=\s\\]*)
  | \bsk-(?:ant-|proj-|or-v1-|svcacct-)?[A-Za-z0-9_-]{16,}
  | \bgh[pousr]_[A-Za-z0-9]{20,}
  | \bgithub_pat_[A-Za-z0-9_]{20,}
  | \bxox[abeoprs]-[A-Za-z0-9-]{10,}
  | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
  | \bAIza[A-Za-z0-9_-]{30,}
  | \bglpat-[A-Za-z0-9_-]{16,}
  | \bnpm_[A-Za-z0-9]{30,}
  | \beyst_[0-9a-f]{64}\b
  | \bhf_[A-Za-z0-9]{30,}
  | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
  | (?P<bearer>\b[Bb]earer\ +)[A-Za-z0-9._~+/-]{12,}=*
  | (?P<name>(?i:api[_-]?key|access[_-]?key|secret|token|passwd|password)["']?\s*[:=]\s*["']?)(?P<value>[A-Za-z0-9._~+/!@\#%^&*-]{8,}=*)
"#;

static SHAPE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(SHAPES).expect("a pattern of ours, compiled in every test run"));

/// What must never be written.
#[derive(Debug, Default)]
pub struct Redactor {
    /// Replaced whole when a face brings new values, so that readers only clone a handle.
    known: RwLock<Arc<Known>>,
}

#[derive(Default)]
struct Known {
    values: BTreeSet<String>,
    forms: Vec<String>,
    pattern: Option<Regex>,
}

/// Its values are secrets: they are not shown.
impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known")
            .field("values", &self.values.len())
            .finish_non_exhaustive()
    }
}

impl Redactor {
    /// Adds values to be kept out. The caller passes those whose names look like secrets'; values under 8 characters are ignored.
    pub fn remember(&self, values: impl Iterator<Item = String>) {
        let fresh: Vec<String> = values
            .map(|value| value.trim().to_owned())
            .filter(|value| value.chars().count() >= SHORTEST)
            .collect();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if fresh.iter().all(|value| known.values.contains(value)) {
            return;
        }
        let mut values = known.values.clone();
        values.extend(fresh);
        *known = Arc::new(Known::new(values));
    }

    /// The text without its secrets.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        let text = known.redact(text);
        match shaped(&text) {
            Some(clean) => Cow::Owned(clean),
            None => text,
        }
    }

    /// How many bytes of a text that still grows may be written now: whatever comes after them, no secret begins before that place and
    /// ends behind it. Most often all but a few letters.
    #[must_use]
    pub fn safe_prefix(&self, text: &str) -> usize {
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        let unfinished = known.forms.iter().filter_map(|form| unfinished(text, form));
        let mut safe = unfinished
            .min()
            .unwrap_or(text.len())
            .min(growing::from(text));
        // What is whole must stay whole.
        while let Some(begun) = known.across(text, safe).or_else(|| across(text, safe)) {
            safe = begun;
        }
        safe
    }

    /// Redacts every string within; keys stay.
    pub fn redact_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.redact_in_place(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    // `{"api_key": "…"}` is an assignment too.
                    if names_secret(name) && field.as_str().is_some_and(is_random) {
                        *field = Value::String(MARK.to_owned());
                    } else {
                        self.redact_json(field);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Redacts a string where it is.
    pub(crate) fn redact_in_place(&self, text: &mut String) {
        if let Cow::Owned(clean) = self.redact(text) {
            *text = clean;
        }
    }

    /// A fault without secrets in its texts.
    pub(crate) fn fault(&self, mut fault: Fault) -> Fault {
        self.redact_in_place(&mut fault.detail);
        if let Some(hint) = &mut fault.hint {
            self.redact_in_place(hint);
        }
        fault
    }

    /// Warnings without secrets in their texts.
    pub(crate) fn warnings(&self, mut warnings: Vec<Warning>) -> Vec<Warning> {
        for warning in &mut warnings {
            self.redact_in_place(&mut warning.detail);
        }
        warnings
    }
}

impl Known {
    fn new(values: BTreeSet<String>) -> Self {
        let mut forms: Vec<String> = values.iter().flat_map(|value| forms(value)).collect();
        // Of two that begin alike, the longer is tried first, lest its rest stays.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        let pattern = forms
            .iter()
            .map(|form| regex::escape(form))
            .collect::<Vec<_>>()
            .join("|");
        let pattern = RegexBuilder::new(&pattern)
            .size_limit(256 << 20)
            .build()
            .inspect_err(|error| tracing::error!(%error, "values are redacted one by one"))
            .ok();
        Self {
            values,
            forms,
            pattern,
        }
    }

    /// Where the value begins that `at` would cut in two.
    fn across(&self, text: &str, at: usize) -> Option<usize> {
        let cut = |(begun, form): (usize, &str)| begun < at && at < begun + form.len();
        self.forms
            .iter()
            .flat_map(|form| text.match_indices(form.as_str()))
            .filter(|found| cut(*found))
            .map(|(begun, _)| begun)
            .min()
    }

    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.values.is_empty() {
            return Cow::Borrowed(text);
        }
        match &self.pattern {
            Some(pattern) => pattern.replace_all(text, MARK),
            None => self
                .values
                .iter()
                .rev()
                .fold(Cow::Borrowed(text), |text, value| {
                    if text.contains(value.as_str()) {
                        Cow::Owned(text.replace(value.as_str(), MARK))
                    } else {
                        text
                    }
                }),
        }
    }
}

/// Where in `text` a value begins that its end cuts off.
fn unfinished(text: &str, form: &str) -> Option<usize> {
    let (text, form) = (text.as_bytes(), form.as_bytes());
    (1..form.len())
        .rev()
        .find(|len| text.ends_with(&form[..*len]))
        .map(|len| text.len() - len)
}

/// Where the key begins that `at` would cut in two.
fn across(text: &str, at: usize) -> Option<usize> {
    SHAPE
        .find_iter(text)
        .take_while(|found| found.start() < at)
        .find(|found| found.end() > at)
        .map(|found| found.start())
}

/// A value as it is, and as it stands within JSON text.
fn forms(value: &str) -> Vec<String> {
    let escaped = Value::String(value.to_owned()).to_string();
    let within = escaped.trim_matches('"').to_owned();
    if within == value {
        vec![within]
    } else {
        vec![value.to_owned(), within]
    }
}

/// The text without what has the shape of a key; `None` when there is nothing of the kind.
fn shaped(text: &str) -> Option<String> {
    if text.len() < SHORTEST {
        return None;
    }
    match SHAPE.replace_all(text, replacement) {
        Cow::Borrowed(_) => None,
        Cow::Owned(clean) => (clean != text).then_some(clean),
    }
}

fn replacement(found: &Captures<'_>) -> String {
    if let Some(bearer) = found.name("bearer") {
        return format!("{}{MARK}", bearer.as_str());
    }
    match (found.name("name"), found.name("value")) {
        (Some(name), Some(value)) if is_random(value.as_str()) => {
            format!("{}{MARK}", name.as_str())
        }
        (Some(_), Some(_)) => found[0].to_owned(),
        _ => MARK.to_owned(),
    }
}

/// Whether an assigned value looks made up by a machine, and not like code (`token: next_token`) or a count (`token: 12345678`).
fn is_random(value: &str) -> bool {
    value.len() >= SHORTEST
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !value.contains([' ', '\n'])
}

fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    [
        "api_key",
        "apikey",
        "access_key",
        "secret",
        "token",
        "password",
        "passwd",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn clean(text: &str) -> String {
        Redactor::default().redact(text).into_owned()
    }

    #[test]
    fn keys_are_known_by_their_shape() {
        let bodies = [
            "sk-abcdefghijklmnopqrstuv",
            "sk-ant-api03-abcdefghijklmnop_qr-st",
            "sk-proj-abcdefghijklmnopqr",
            "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
            "gho_abcdefghijklmnopqrstuvwxyz0123456789",
            "github_pat_abcdefghijklmnopqrstuvwxyz_0123",
            "xoxb-1234567890-abcdef",
            "AKIAIOSFODNN7EXAMPLE",
            "AIzaSyA1234567890abcdefghijklmnopqrstuv",
            "glpat-abcdefghij1234567890",
            "npm_abcdefghijklmnopqrstuvwxyz0123456789",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----",
        ];
        for body in bodies {
            assert_eq!(clean(&format!("a {body}, b")), format!("a {MARK}, b"));
        }
        assert_eq!(
            clean("-----BEGIN PRIVATE KEY-----\nMIIEow\ncut off"),
            format!("{MARK}")
        );
    }

    #[test]
    fn assigned_secrets_keep_their_names() {
        let cases = [
            (
                "Authorization: Bearer abcdefgh12345678",
                "Authorization: Bearer [redacted]",
            ),
            ("OPENAI_API_KEY=abcd1234efgh", "OPENAI_API_KEY=[redacted]"),
            ("token: \"abcd1234efgh\";", "token: \"[redacted]\";"),
            (
                "{\"password\":\"abcd1234\"}",
                "{\"password\":\"[redacted]\"}",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected);
        }
    }

    #[test]
    fn harmless_text_stays_and_is_not_copied() {
        for text in [
            "",
            "token: CancellationToken,",
            "max_tokens: 100000000",
            "let token = next_token_of(&input);",
            "the task-force asked for sk-ip",
            "eyJust kidding.",
            "/home/me/project/src/main.rs",
        ] {
            assert!(
                matches!(Redactor::default().redact(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn values_of_faces_are_known_whole() {
        let redactor = Redactor::default();
        redactor.remember(
            [
                "hunter2",
                "hunter2-long",
                "hunter2-long-and-longer",
                "two\nlines",
            ]
            .map(str::to_owned)
            .into_iter(),
        );
        redactor.remember(std::iter::once("(.*)[x]+".to_owned()));
        let text = "hunter2 hunter2-long hunter2-long-and-longer (.*)[x]+ {\"a\":\"two\\nlines\"} two\nlines";
        assert_eq!(
            redactor.redact(text),
            "hunter2 [redacted] [redacted] [redacted] {\"a\":\"[redacted]\"} [redacted]",
            "a short one is a word"
        );
        assert!(!format!("{redactor:?}").contains("hunter2"));
    }

    #[test]
    fn every_string_of_json_is_redacted_and_no_key() {
        let redactor = Redactor::default();
        redactor.remember(std::iter::once("canary-canary".to_owned()));
        let mut value = json!({"canary-canary": ["canary-canary", {"n": 1, "b": null}], "secret": "abcd1234", "token": 5});
        redactor.redact_json(&mut value);
        assert_eq!(
            value,
            json!({"canary-canary": [MARK, {"n": 1, "b": null}], "secret": MARK, "token": 5})
        );
    }

    #[test]
    fn a_text_that_comes_in_pieces_is_redacted_as_if_it_came_whole() {
        let redactor = Redactor::default();
        let value = "two words, a-ab-abc-canary";
        redactor.remember([value, "canary-two"].map(str::to_owned).into_iter());
        let shaped = [
            "sk-ant-api03-abcdefghijklmnop_qr-st",
            "github_pat_abcdefghijklmnopqrstuvwxyz_0123",
            "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
            "xoxb-1234567890-abcdef",
            "AKIAIOSFODNN7EXAMPLE",
            "AIzaSyA1234567890abcdefghijklmnopqrstuv",
            "glpat-abcdefghij1234567890",
            "npm_abcdefghijklmnopqrstuvwxyz0123456789",
            "hf_abcdefghijklmnopqrstuvwxyz0123456789",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----",
            "Bearer   abcdefgh12345678==",
            "OPENAI_API_KEY=abcd1234efgh",
            "My-Access-Key' : 'abcd1234efgh",
            "\"passwd\":\n \"abcd1234\"",
            value,
            "a-ab-a two words, a-ab-abc-canary-two",
        ];
        for secret in shaped {
            let text = format!("it was {secret}, and\n{secret}\nso at last.");
            let whole = redactor.redact(&text);
            assert!(whole.contains(MARK), "{text}");
            for step in 1..=text.len() {
                let (mut held, mut written) = (String::new(), String::new());
                let letters: Vec<char> = text.chars().collect();
                for piece in letters.chunks(step) {
                    held.extend(piece);
                    let rest = held.split_off(redactor.safe_prefix(&held));
                    written += &redactor.redact(&held);
                    held = rest;
                }
                written += &redactor.redact(&held);
                assert_eq!(written, whole, "in pieces of {step}");
            }
        }
    }

    #[test]
    fn what_can_be_no_secret_is_not_held_back() {
        let redactor = Redactor::default();
        redactor.remember(std::iter::once("canary-canary".to_owned()));
        for text in [
            "",
            "I have looked at the file.",
            "It is done\n",
            "a list:\n- one\n- two",
            "half a wor",
            "the token is here",
            "sk-short is none",
            "fn main() { token_of(",
        ] {
            assert_eq!(redactor.safe_prefix(text), text.len(), "{text}");
        }
        for (text, held) in [
            ("as the can", "can"),
            ("tokens", "s"),
            ("a sk-", "sk-"),
            ("my token: ab", "token: ab"),
            ("x --", "--"),
        ] {
            assert_eq!(&text[redactor.safe_prefix(text)..], held, "{text}");
        }
        let long = format!("-----BEGIN PRIVATE KEY-----\n{}", "abcd\n".repeat(9_000));
        assert_eq!(redactor.safe_prefix(&long), long.len(), "not for ever");
    }

    #[test]
    fn thousands_of_values_are_one_pattern() {
        let redactor = Redactor::default();
        redactor.remember((0..2000).map(|n| format!("secret-value-number-{n}-{n:x}")));
        assert!(redactor.known.read().unwrap().pattern.is_some());
        assert_eq!(
            redactor.redact("x secret-value-number-1999-7cf y"),
            "x [redacted] y"
        );
    }
}
