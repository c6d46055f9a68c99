//! A JSON value as text for a model: short facts first, one a line; long texts after them, untouched.

use serde_json::Value;
use std::fmt::Write as _;

/// Texts longer than this, or of several lines, stand apart.
const SHORT: usize = 240;

/// One thing: `name: value` lines, then its long texts under their names.
pub(super) fn object(value: &Value) -> String {
    let mut facts = String::new();
    let mut texts = Vec::new();
    flatten("", value, &mut facts, &mut texts);
    for (name, text) in texts {
        put(&mut facts, format_args!("\n{name}:\n{text}\n"));
    }
    facts
}

/// Several things, one a line.
pub(super) fn rows(items: &[Value]) -> String {
    let mut text = String::new();
    for item in items {
        put(&mut text, format_args!("{item}\n"));
    }
    text
}

fn flatten<'a>(
    name: &str,
    value: &'a Value,
    facts: &mut String,
    texts: &mut Vec<(String, &'a str)>,
) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                flatten(&joined(name, key), value, facts, texts);
            }
        }
        Value::String(text) if text.len() > SHORT || text.contains('\n') => {
            texts.push((name.to_owned(), text));
        }
        Value::String(text) => put(facts, format_args!("{name}: {text}\n")),
        Value::Array(items) if items.iter().any(is_long) => {
            for (at, item) in items.iter().enumerate() {
                flatten(&format!("{name}[{at}]"), item, facts, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            put(facts, format_args!("{name}: {value}\n"));
        }
    }
}

/// It would be unreadable on one line.
fn is_long(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.values().any(is_long),
        Value::String(text) => text.len() > SHORT || text.contains('\n'),
        Value::Array(items) => items.iter().any(is_long),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn joined(name: &str, key: &str) -> String {
    if name.is_empty() {
        key.to_owned()
    } else {
        format!("{name}.{key}")
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what)
        .expect("a string takes all that is written");
}

#[cfg(test)]
mod tests {
    use super::object;
    use serde_json::json;

    #[test]
    fn short_facts_come_first_and_long_texts_stay_as_they_are() {
        let text = object(&json!({
            "state": "running",
            "conclusion": {"summary": "one\n  two \"three\"", "artifacts": ["a.rs", "b.rs"]},
            "files": [{"name": "x", "content": "l1\nl2"}],
            "empty": [],
        }));
        assert_eq!(
            text,
            "state: running\nconclusion.artifacts: [\"a.rs\",\"b.rs\"]\nfiles[0].name: x\nempty: []\n\
             \nconclusion.summary:\none\n  two \"three\"\n\nfiles[0].content:\nl1\nl2\n"
        );
    }
}
