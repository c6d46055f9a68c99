//! From what an agent said to a conclusion: its final block, read field by field, else the tail of its answer.
//!
//! A report is never trusted further than the outcome of its run: `cap` lowers a status that the turn does not bear out.

use crate::{
    domain::{
        conclusion::{Conclusion, ConclusionSource, ConclusionStatus},
        usage::Usage,
    },
    stdx::text,
};
use serde_json::{Map, Value};

const OPEN: &str = "<eyas:conclusion>";
const CLOSE: &str = "</eyas:conclusion>";
/// About 6,000 tokens.
const SUMMARY_BYTES: usize = 24 * 1024;
/// A longer body is not a report.
const BODY_BYTES: usize = 256 * 1024;
const ITEMS: usize = 200;
/// The summary of an answer that has no text.
const SILENT: &str = "The agent ended its turn without saying what came of it.";

/// How the run's last turn went, beside what the agent says of it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Wall time of the turns.
    pub duration_ms: i64,
    pub usage: Option<Usage>,
    /// The agent's word for the end of the turn.
    pub stop_reason: Option<String>,
}

/// The conclusion of a turn that ended with `answer`.
#[must_use]
pub fn conclude(answer: &str, seen: Seen) -> Conclusion {
    let mut conclusion = last_block(answer).map_or_else(|| synthesize(answer), parse);
    cap(&mut conclusion, seen.stop_reason.as_deref());
    doubt_silence(&mut conclusion);
    conclusion.duration_ms = seen.duration_ms;
    conclusion.usage = seen.usage;
    conclusion.stop_reason = seen.stop_reason;
    conclusion
}

/// The body of the last whole block: what an agent echoes of its instructions comes before what it reports itself.
fn last_block(answer: &str) -> Option<&str> {
    let end = answer.rfind(CLOSE)?;
    let before = &answer[..end];
    let start = before.rfind(OPEN)? + OPEN.len();
    Some(&before[start..])
}

fn synthesize(answer: &str) -> Conclusion {
    let (summary, warnings) = shorten(answer.trim());
    Conclusion {
        status: ConclusionStatus::Success,
        summary,
        warnings,
        ..blank(ConclusionSource::Synthesized)
    }
}

fn blank(source: ConclusionSource) -> Conclusion {
    Conclusion {
        status: ConclusionStatus::Success,
        summary: String::new(),
        artifacts: Vec::new(),
        memory_refs: Vec::new(),
        follow_up: None,
        questions: Vec::new(),
        confidence: None,
        warnings: Vec::new(),
        source,
        changes: None,
        tools: None,
        duration_ms: 0,
        usage: None,
        stop_reason: None,
    }
}

/// Long output keeps its tail: the end is where agents say what came of it.
fn shorten(summary: &str) -> (String, Vec<String>) {
    if summary.len() <= SUMMARY_BYTES {
        return (summary.to_owned(), Vec::new());
    }
    let kept = text::tail(summary, SUMMARY_BYTES);
    let note = format!(
        "the answer had {} bytes; its last {} are kept",
        summary.len(),
        kept.len()
    );
    (kept.to_owned(), vec![note])
}

fn parse(body: &str) -> Conclusion {
    let mut conclusion = blank(ConclusionSource::Block);
    let Some(fields) = mapping(body) else {
        let (summary, mut warnings) = shorten(unfenced(body));
        warnings.push(
            "the conclusion block is not a mapping; its text is taken as the summary".to_owned(),
        );
        return Conclusion {
            summary,
            warnings,
            ..conclusion
        };
    };
    read_status(&fields, &mut conclusion);
    let (summary, warnings) =
        shorten(&string(&fields, "summary", &mut conclusion.warnings).unwrap_or_default());
    conclusion.summary = summary;
    conclusion.warnings.extend(warnings);
    if conclusion.summary.is_empty() {
        conclusion
            .warnings
            .push("the conclusion has no summary".to_owned());
    }
    conclusion.artifacts = list(&fields, "artifacts", &mut conclusion.warnings);
    conclusion.memory_refs = list(&fields, "memory_refs", &mut conclusion.warnings);
    conclusion.questions = list(&fields, "questions", &mut conclusion.warnings);
    conclusion.follow_up =
        string(&fields, "follow_up", &mut conclusion.warnings).filter(|text| !text.is_empty());
    let own = list(&fields, "warnings", &mut conclusion.warnings);
    conclusion.warnings.extend(own);
    read_confidence(&fields, &mut conclusion);
    conclusion
}

/// The block's body as a mapping, YAML or JSON (which YAML contains), with or without a code fence around it.
fn mapping(body: &str) -> Option<Map<String, Value>> {
    let body = unfenced(body);
    if body.len() > BODY_BYTES {
        return None;
    }
    let value: Value = serde_json::from_str(body)
        .ok()
        .or_else(|| serde_saphyr::from_str(body).ok())
        .or_else(|| Some(Value::Object(by_line(body))))?;
    if let Value::Object(fields) = value {
        Some(fields).filter(|fields| !fields.is_empty())
    } else {
        None
    }
}

/// What YAML refuses (`summary: fixed: the bug`), read line by line: a known key begins a field, other lines go on with it.
fn by_line(body: &str) -> Map<String, Value> {
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
    let mut fields: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in body.lines() {
        let key = line.split_once(':').filter(|(key, _)| KEYS.contains(key));
        match (key, fields.last_mut()) {
            (Some((key, rest)), _) => fields.push((key, vec![rest.trim()])),
            (None, Some((_, lines))) => lines.push(line.trim()),
            (None, None) => {}
        }
    }
    fields
        .into_iter()
        .map(|(key, lines)| {
            let text = lines.join("\n");
            let value = serde_saphyr::from_str::<Value>(&text)
                .ok()
                .filter(|value| value.is_array() || value.is_number());
            (
                key.to_owned(),
                value.unwrap_or_else(|| Value::String(text.trim().to_owned())),
            )
        })
        .collect()
}

fn unfenced(body: &str) -> &str {
    let body = body.trim();
    let Some(inner) = body
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"))
    else {
        return body;
    };
    inner
        .split_once('\n')
        .map_or(inner, |(_language, rest)| rest)
        .trim()
}

fn read_status(fields: &Map<String, Value>, conclusion: &mut Conclusion) {
    let word = fields
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    conclusion.status = match word.as_str() {
        "success" | "succeeded" | "done" | "ok" => ConclusionStatus::Success,
        "partial" => ConclusionStatus::Partial,
        "failed" | "failure" | "error" => ConclusionStatus::Failed,
        "blocked" => ConclusionStatus::Blocked,
        other => {
            conclusion.warnings.push(format!(
                "the conclusion's status \"{}\" is none of success, partial, failed, blocked; taken as partial",
                text::head(other, 40)
            ));
            ConclusionStatus::Partial
        }
    };
}

fn read_confidence(fields: &Map<String, Value>, conclusion: &mut Conclusion) {
    let Some(value) = fields.get("confidence").filter(|value| !value.is_null()) else {
        return;
    };
    let number = value
        .as_f64()
        .or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    match number.filter(|number| number.is_finite()) {
        Some(number) => {
            conclusion.confidence = Some(number.clamp(0.0, 1.0));
            if !(0.0..=1.0).contains(&number) {
                conclusion.warnings.push(format!(
                    "the conclusion's confidence {number} was brought into 0 to 1"
                ));
            }
        }
        None => conclusion
            .warnings
            .push("the conclusion's confidence is not a number".to_owned()),
    }
}

fn string(fields: &Map<String, Value>, key: &str, warnings: &mut Vec<String>) -> Option<String> {
    match fields.get(key)? {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            warnings.push(format!(
                "the conclusion's {key} is not text; taken as it was written"
            ));
            fields.get(key).map(ToString::to_string)
        }
    }
}

fn list(fields: &Map<String, Value>, key: &str, warnings: &mut Vec<String>) -> Vec<String> {
    let items = match fields.get(key) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(Value::String(text)) if text.trim().is_empty() => return Vec::new(),
        Some(single) => {
            warnings.push(format!(
                "the conclusion's {key} is not a list; taken as one item"
            ));
            vec![single.clone()]
        }
    };
    if items.len() > ITEMS {
        warnings.push(format!(
            "the conclusion has {} {key}; the first {ITEMS} are kept",
            items.len()
        ));
    }
    items
        .iter()
        .take(ITEMS)
        .map(|item| {
            item.as_str()
                .map_or_else(|| item.to_string(), |text| text.trim().to_owned())
        })
        .filter(|item| !item.is_empty() && item != "null")
        .collect()
}

/// A turn that did not end by itself cannot have succeeded; what was refused was not even begun.
fn cap(conclusion: &mut Conclusion, stop_reason: Option<&str>) {
    let reason = stop_reason.unwrap_or_default();
    if reason == "end_turn" || conclusion.status != ConclusionStatus::Success {
        return;
    }
    conclusion.status = if reason == "refusal" {
        ConclusionStatus::Failed
    } else {
        ConclusionStatus::Partial
    };
    conclusion.warnings.push(format!(
        "the last turn ended with \"{}\"",
        text::head(reason, 40)
    ));
}

/// Whoever delegated learns nothing from an empty answer: that is no success, whatever was done.
fn doubt_silence(conclusion: &mut Conclusion) {
    if conclusion.source == ConclusionSource::Synthesized && conclusion.summary.is_empty() {
        SILENT.clone_into(&mut conclusion.summary);
        if conclusion.status == ConclusionStatus::Success {
            conclusion.status = ConclusionStatus::Partial;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, conclude};
    use crate::domain::conclusion::{Conclusion, ConclusionSource, ConclusionStatus};

    fn read(answer: &str) -> Conclusion {
        let seen = Seen {
            stop_reason: Some("end_turn".to_owned()),
            ..Seen::default()
        };
        conclude(answer, seen)
    }

    #[test]
    fn a_yaml_block_is_read_field_by_field() {
        let got = read(
            "Text.\n<eyas:conclusion>\nstatus: partial\nsummary: two of three\nartifacts: [src/a.rs, ' ']\nquestions:\n  - why?\nconfidence: 0.5\nother: x\n</eyas:conclusion>",
        );
        assert_eq!(got.status, ConclusionStatus::Partial);
        assert_eq!(got.summary, "two of three");
        assert_eq!(got.artifacts, ["src/a.rs"]);
        assert_eq!(got.questions, ["why?"]);
        assert_eq!(got.confidence, Some(0.5));
        assert_eq!(got.source, ConclusionSource::Block);
        assert!(got.warnings.is_empty(), "{:?}", got.warnings);
    }

    #[test]
    fn json_fences_and_echoed_templates_do_not_confuse() {
        let got = read(
            "I must end with <eyas:conclusion>\nstatus: success | partial\n</eyas:conclusion>. So:\n<eyas:conclusion>\n```json\n{\"status\":\"SUCCESS\",\"summary\":\"ok\"}\n```\n</eyas:conclusion> bye",
        );
        assert_eq!(
            (got.status, got.summary.as_str()),
            (ConclusionStatus::Success, "ok")
        );
    }

    #[test]
    fn one_bad_field_loses_only_itself() {
        let got = read(
            "<eyas:conclusion>\nstatus: great\nsummary: fixed: the bug\nconfidence: high\nartifacts: a.rs\n</eyas:conclusion>",
        );
        assert_eq!(got.status, ConclusionStatus::Partial);
        assert_eq!(got.summary, "fixed: the bug");
        assert_eq!(got.confidence, None);
        assert_eq!(got.artifacts, ["a.rs"]);
        assert_eq!(got.warnings.len(), 3, "{:?}", got.warnings);
    }

    #[test]
    fn without_a_block_the_tail_is_kept() {
        let long = format!("{}the end", "x".repeat(100_000));
        let got = read(&long);
        assert_eq!(got.source, ConclusionSource::Synthesized);
        assert!(got.summary.ends_with("the end") && got.summary.len() <= 24 * 1024);
        assert_eq!(got.warnings.len(), 1);
        assert_eq!(
            read("unclosed <eyas:conclusion> status: success").source,
            ConclusionSource::Synthesized
        );
    }

    #[test]
    fn silence_is_no_success() {
        let got = read(" \n");
        assert_eq!(got.status, ConclusionStatus::Partial);
        assert!(got.summary.contains("without saying"), "{}", got.summary);
    }

    #[test]
    fn a_turn_that_was_cut_is_no_success() {
        let ended = |said: &str, reason: &str| {
            let seen = Seen {
                stop_reason: Some(reason.to_owned()),
                ..Seen::default()
            };
            let block =
                format!("<eyas:conclusion>\nstatus: {said}\nsummary: s\n</eyas:conclusion>");
            conclude(&block, seen)
        };
        for (said, reason, expected) in [
            ("success", "end_turn", ConclusionStatus::Success),
            ("success", "max_tokens", ConclusionStatus::Partial),
            ("success", "cancelled", ConclusionStatus::Partial),
            ("success", "from_the_future", ConclusionStatus::Partial),
            ("success", "", ConclusionStatus::Partial),
            ("success", "refusal", ConclusionStatus::Failed),
            ("blocked", "refusal", ConclusionStatus::Blocked),
            ("failed", "max_tokens", ConclusionStatus::Failed),
        ] {
            let got = ended(said, reason);
            assert_eq!(got.status, expected, "{said} {reason}");
            let lowered = said == "success" && reason != "end_turn";
            assert_eq!(
                got.warnings.len(),
                usize::from(lowered),
                "{:?}",
                got.warnings
            );
        }
    }

    #[test]
    fn alias_bombs_and_junk_are_text() {
        let bomb = format!(
            "<eyas:conclusion>\na: &a [x,x]\nb: &b [{}]\n</eyas:conclusion>",
            "*a,".repeat(5_000)
        );
        assert_eq!(read(&bomb).source, ConclusionSource::Block);
        assert_eq!(
            read("<eyas:conclusion>just words</eyas:conclusion>").summary,
            "just words"
        );
    }
}
