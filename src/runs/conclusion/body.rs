//! What stands within the tags, read as fields: JSON, YAML, and line by line what is neither.

use super::{blank, brief, fields, synthesize::shorten};
use crate::domain::conclusion::{Conclusion, ConclusionSource, ConclusionStatus};
use serde_json::{Map, Value};
use serde_saphyr::{Budget, DuplicateKeyPolicy};

/// A longer body is not a report.
pub(super) const BYTES: usize = 256 * 1024;
const DEPTH: usize = 16;
const NODES: usize = 4_096;

/// What a body turned out to be.
pub(super) enum Reading {
    Fields(Box<Conclusion>),
    /// Words, which are better than none.
    Text(Box<Conclusion>),
    /// Our own instructions, or somebody's placeholders.
    Echo,
    TooLong(usize),
}

/// Reads a body.
pub(super) fn read(body: &str) -> Reading {
    if body.len() > BYTES {
        return Reading::TooLong(body.len());
    }
    let body = plain(body);
    if brief::is_echo(&body) {
        return Reading::Echo;
    }
    let (map, odd) = mapping(&body);
    let Some(map) = map else {
        return text(&body);
    };
    if fields::are_placeholders(&map) {
        return Reading::Echo;
    }
    let mut conclusion = fields::read(&map);
    conclusion.warnings.extend(odd.map(str::to_owned));
    Reading::Fields(Box::new(conclusion))
}

fn text(body: &str) -> Reading {
    if !body.chars().any(char::is_alphanumeric) {
        return Reading::Echo;
    }
    let (summary, mut warnings) = shorten(body);
    warnings
        .push("the conclusion block is not a mapping; its text is taken as the summary".to_owned());
    Reading::Text(Box::new(Conclusion {
        status: ConclusionStatus::Partial,
        summary,
        warnings,
        ..blank(ConclusionSource::Block)
    }))
}

/// The body as a mapping with fields that we know, and what is odd about it.
fn mapping(body: &str) -> (Option<Map<String, Value>>, Option<&'static str>) {
    let strict = serde_json::from_str(body).ok().or_else(|| yaml(body));
    if let Some(map) = strict.and_then(known) {
        return (Some(map), None);
    }
    let odd = "the conclusion block is not valid YAML; it was read line by line";
    (known(Value::Object(by_line(body))), Some(odd))
}

/// With keys as we write them; `None` when none of them is ours.
fn known(value: Value) -> Option<Map<String, Value>> {
    let Value::Object(map) = value else {
        return None;
    };
    if let [(_, Value::Object(_))] = map.iter().collect::<Vec<_>>()[..] {
        // `conclusion:` around it all.
        return map.into_iter().next().and_then(|(_, inner)| known(inner));
    }
    let known: Map<String, Value> = map
        .into_iter()
        .filter_map(|(key, value)| Some((fields::key(&key)?.to_owned(), value)))
        .collect();
    (!known.is_empty()).then_some(known)
}

/// Without anchors, aliases and depth: a report needs none, and they are how a small text becomes a large one.
fn yaml(body: &str) -> Option<Value> {
    let mut budget = Budget::default();
    budget.max_aliases = 0;
    budget.max_anchors = 0;
    budget.max_merge_keys = 0;
    budget.max_depth = DEPTH;
    budget.flow_nesting_limit = DEPTH;
    budget.max_nodes = NODES;
    budget.max_events = 4 * NODES;
    budget.max_documents = 1;
    let options = serde_saphyr::options! {
        budget: Some(budget),
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        // `yes` and `no` are answers in a summary, not booleans.
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(body, options).ok()
}

/// What YAML refuses (`summary: fixed: the bug`): a known key begins a field, other lines go on with it.
fn by_line(body: &str) -> Map<String, Value> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in body.lines() {
        let key = line
            .split_once(':')
            .and_then(|(key, rest)| Some((fields::key(key)?, rest)));
        match (key, found.last_mut()) {
            (Some((key, rest)), _) => {
                let rest = rest.trim().trim_start_matches("**").trim_start();
                // The mark of a YAML block says nothing itself.
                let mark = matches!(rest, "|" | ">" | "|-" | ">-" | "|+" | ">+");
                found.push((key, vec![if mark { "" } else { rest }]));
            }
            (None, Some(_)) if is_anchored(line) => {}
            (None, Some((_, lines))) => lines.push(line.trim()),
            (None, None) => {}
        }
    }
    found
        .into_iter()
        .map(|(key, lines)| (key.to_owned(), value(&lines)))
        .collect()
}

/// A key of nobody's with an anchor or an alias: no words of an agent.
fn is_anchored(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(key, rest)| {
        !key.contains(char::is_whitespace) && rest.trim_start().starts_with(['&', '*'])
    })
}

fn value(lines: &[&str]) -> Value {
    let text = lines.join("\n");
    let text = text.trim();
    let list = Some(text)
        .filter(|text| text.starts_with('['))
        .and_then(yaml)
        .filter(Value::is_array);
    let quoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .or_else(|| {
            text.strip_prefix('\'')
                .and_then(|rest| rest.strip_suffix('\''))
        });
    list.unwrap_or_else(|| Value::String(quoted.unwrap_or(text).to_owned()))
}

/// Without a code fence around it, and without the marks of a quotation.
fn plain(body: &str) -> String {
    let quoted = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('>');
    let unquoted: String;
    let mut inner = body.trim_matches(['\n', '\r']);
    if inner.contains('>') && inner.lines().all(quoted) {
        let lines = inner.lines().map(|line| {
            let line = line.trim_start().trim_start_matches('>');
            line.strip_prefix(' ').unwrap_or(line)
        });
        unquoted = lines.collect::<Vec<_>>().join("\n");
        inner = &unquoted;
    }
    let trimmed = inner.trim();
    if let Some(rest) = trimmed.strip_prefix("```") {
        let rest = rest.strip_suffix("```").unwrap_or(rest);
        let rest = rest.split_once('\n').map_or(rest, |(_language, rest)| rest);
        return rest.trim_end().to_owned();
    }
    let rest = trimmed.strip_suffix("```").unwrap_or(trimmed);
    // The first line's indentation belongs to it, unless all stands on that line.
    if inner.contains('\n') {
        let begun = inner.len() - inner.trim_start_matches(['\n', '\r']).len();
        let end = inner.trim_end().len() - (trimmed.len() - rest.len());
        return inner[begun.min(end)..end].trim_end().to_owned();
    }
    rest.trim().to_owned()
}
