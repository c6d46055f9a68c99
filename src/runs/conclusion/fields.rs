//! One field at a time, so that a bad one loses only itself.

use super::{blank, brief, synthesize::shorten};
use crate::{
    domain::conclusion::{Conclusion, ConclusionSource, ConclusionStatus},
    stdx::text,
};
use serde_json::{Map, Value};

pub(super) const ITEMS: usize = 200;
pub(super) const ITEM_BYTES: usize = 4 * 1024;
pub(super) const FOLLOW_UP_BYTES: usize = 8 * 1024;

const KEYS: [&str; 8] = [
    "status",
    "summary",
    "artifacts",
    "memory_refs",
    "follow_up",
    "questions",
    "confidence",
    "warnings",
];

/// The field that a key names, however it is written: `Memory Refs`, `**follow-up**`.
pub(super) fn key(written: &str) -> Option<&'static str> {
    if written.len() > 40 {
        return None;
    }
    let plain = written
        .trim_matches(|letter: char| !letter.is_alphanumeric())
        .to_lowercase()
        .replace(['-', ' '], "_");
    KEYS.into_iter().find(|key| *key == plain)
}

/// Reads all that are there.
pub(super) fn read(map: &Map<String, Value>) -> Conclusion {
    let mut conclusion = blank(ConclusionSource::Block);
    let warnings = &mut conclusion.warnings;
    conclusion.status = status(map.get("status"), warnings);
    let (summary, long) = shorten(&string(map, "summary", warnings).unwrap_or_default());
    warnings.extend(long);
    if summary.is_empty() {
        warnings.push("the conclusion has no summary".to_owned());
    }
    conclusion.summary = summary;
    conclusion.artifacts = list(map, "artifacts", warnings);
    conclusion.memory_refs = list(map, "memory_refs", warnings);
    conclusion.questions = list(map, "questions", warnings);
    conclusion.follow_up = string(map, "follow_up", warnings)
        .map(|text| text::head(&text, FOLLOW_UP_BYTES).to_owned())
        .filter(|text| !is_nothing(text));
    conclusion.confidence = confidence(map.get("confidence"), warnings);
    let own = list(map, "warnings", warnings);
    conclusion.warnings.extend(own);
    conclusion
}

/// Nobody has filled it in: its status or its summary is what a template holds.
pub(super) fn are_placeholders(map: &Map<String, Value>) -> bool {
    let of = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
    let summary = of("summary").trim();
    let several = words(of("status")).count() > 1 && of("status").contains(['|', '/']);
    several || brief::is_placeholder(of("status")) || brief::is_placeholder(summary)
}

/// The verdicts that a text names.
fn words(text: &str) -> impl Iterator<Item = ConclusionStatus> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter_map(verdict)
}

fn verdict(word: &str) -> Option<ConclusionStatus> {
    Some(match word.to_lowercase().as_str() {
        "success" | "succeeded" | "successful" | "done" | "ok" | "complete" | "completed" => {
            ConclusionStatus::Success
        }
        "partial" | "partially" | "incomplete" => ConclusionStatus::Partial,
        "failed" | "failure" | "fail" | "error" => ConclusionStatus::Failed,
        "blocked" => ConclusionStatus::Blocked,
        _ => return None,
    })
}

/// `success`, `Success!`, `failed: no compiler`; not `not successful`, and not two at once.
fn status(value: Option<&Value>, warnings: &mut Vec<String>) -> ConclusionStatus {
    let written = match value {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text.trim().lines().next().unwrap_or_default(),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => "?",
    };
    let first = written
        .split(|letter: char| !letter.is_alphanumeric())
        .find(|word| !word.is_empty())
        .and_then(verdict);
    match first {
        Some(status) if words(written).all(|other| other == status) => status,
        _ => {
            warnings.push(if written.is_empty() {
                "the conclusion has no status; taken as partial".to_owned()
            } else {
                format!(
                    "the conclusion's status \"{}\" is none of success, partial, failed, blocked; taken as partial",
                    text::head(written, 40)
                )
            });
            ConclusionStatus::Partial
        }
    }
}

fn confidence(value: Option<&Value>, warnings: &mut Vec<String>) -> Option<f64> {
    let value = value.filter(|value| !value.is_null())?;
    let read = |text: &str| {
        let text = text.trim().lines().next().unwrap_or_default().trim();
        match text.strip_suffix('%') {
            Some(percent) => percent
                .trim()
                .parse()
                .ok()
                .map(|number: f64| number / 100.0),
            None => text.parse().ok(),
        }
    };
    let number = value.as_f64().or_else(|| value.as_str().and_then(read));
    let Some(number) = number.filter(|number| number.is_finite()) else {
        warnings.push("the conclusion's confidence is not a number".to_owned());
        return None;
    };
    if !(0.0..=1.0).contains(&number) {
        warnings.push(format!(
            "the conclusion's confidence {number} was brought into 0 to 1"
        ));
    }
    Some(number.clamp(0.0, 1.0))
}

fn string(map: &Map<String, Value>, key: &str, warnings: &mut Vec<String>) -> Option<String> {
    match map.get(key)? {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Array(lines) if lines.iter().all(Value::is_string) => {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            Some(lines.join("\n"))
        }
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            warnings.push(format!(
                "the conclusion's {key} is not text; taken as it was written"
            ));
            Some(other.to_string())
        }
    }
}

fn list(map: &Map<String, Value>, key: &str, warnings: &mut Vec<String>) -> Vec<String> {
    let items: Vec<String> = match map.get(key) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items.iter().take(2 * ITEMS).map(item).collect(),
        Some(Value::String(text)) if is_nothing(text) => return Vec::new(),
        Some(single) => {
            let items = match single.as_str() {
                Some(text) => taken_apart(text, key),
                None => vec![item(single)],
            };
            let read = match items.len() {
                1 => "taken as one item".to_owned(),
                many => format!("read as {many} items"),
            };
            warnings.push(format!("the conclusion's {key} is not a list; {read}"));
            items
        }
    };
    limited(items, key, warnings)
}

/// The items that say something, not too many and not too long.
pub(super) fn limited(items: Vec<String>, key: &str, warnings: &mut Vec<String>) -> Vec<String> {
    let all = items.len();
    let said: Vec<String> = items
        .into_iter()
        .map(|item| text::head(item.trim(), ITEM_BYTES).to_owned())
        .filter(|item| !is_nothing(item) && !brief::is_placeholder(item))
        .collect();
    if said.len() < all {
        warnings.push(format!(
            "{} of the conclusion's {key} said nothing and were left out",
            all - said.len()
        ));
    }
    if said.len() > ITEMS {
        warnings.push(format!(
            "the conclusion has more than {ITEMS} {key}; the first {ITEMS} are kept"
        ));
    }
    said.into_iter().take(ITEMS).collect()
}

/// A list that was written as one text: by lines, and paths also by commas.
fn taken_apart(text: &str, key: &str) -> Vec<String> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines().count() > 1 || text.trim_start().starts_with("- ") {
        let mark = |line: &str| line.trim_start_matches(['-', '*']).trim().to_owned();
        return lines().map(mark).collect();
    }
    let by_comma = || text.split(',').map(str::trim);
    let paths = matches!(key, "artifacts" | "memory_refs");
    if paths && by_comma().all(|part| !part.contains(char::is_whitespace)) {
        return by_comma()
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
    }
    vec![text.trim().to_owned()]
}

/// An item as text: `{path: a.rs, why: …}` is `a.rs`, `why: because` is both.
fn item(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            let named = ["path", "file", "name", "text", "question"]
                .iter()
                .find_map(|key| map.get(*key)?.as_str());
            let mut pairs = map.iter();
            match (named, pairs.next(), pairs.next()) {
                (Some(named), _, _) => named.to_owned(),
                (None, Some((key, Value::String(text))), None) => format!("{key}: {text}"),
                _ => value.to_string(),
            }
        }
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}

fn is_nothing(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    matches!(
        text.as_str(),
        "" | "-" | "null" | "none" | "n/a" | "~" | "[]"
    )
}
