//! Lines of JSON whose meaning the definition says.

use super::{Heard, Trouble, said, thought};
use crate::domain::{turn_form::Fields, usage::Usage};
use serde_json::Value;

#[derive(Debug)]
pub(in crate::agents::cli) struct Reader {
    fields: Fields,
    usage: Usage,
    answer: Option<String>,
    stop_reason: Option<String>,
}

impl Reader {
    pub(super) fn of(fields: &Fields) -> Self {
        Self {
            fields: fields.clone(),
            usage: Usage::default(),
            answer: None,
            stop_reason: None,
        }
    }

    pub(super) fn read(&mut self, line: &Value) -> Vec<Heard> {
        let fields = &self.fields;
        let at = |path: &Option<String>| {
            path.as_deref()
                .map_or_else(Vec::new, |path| all(line, path))
        };
        let words = |path: &Option<String>| -> String {
            let found = at(path);
            found.into_iter().filter_map(word).collect()
        };
        let some = |path: &Option<String>| Some(words(path)).filter(|text| !text.is_empty());
        let mut heard = Vec::new();
        heard.extend(some(&fields.session).map(Heard::Session));
        heard.extend(some(&fields.thought).map(|text| thought(&text)));
        let holds = fields.holds.iter();
        let mut holds = holds.map(|(path, value)| words(&Some(path.clone())) == *value);
        if holds.all(|holds| holds) {
            heard.extend(some(&fields.text).map(|text| said(&text, None)));
        }
        let error = some(&fields.error);
        let number = |path: &Option<String>| at(path).first().and_then(|found| found.as_f64());
        let usage = Usage {
            input_tokens: number(&fields.input_tokens).map(whole),
            output_tokens: number(&fields.output_tokens).map(whole),
            total_tokens: number(&fields.total_tokens).map(whole),
            cost_usd: number(&fields.cost_usd),
        };
        let (answer, stop) = (some(&fields.result), some(&fields.stop_reason));
        if !usage.is_empty() {
            self.usage = usage;
            heard.push(Heard::Usage(usage));
        }
        self.answer = answer.or(self.answer.take());
        self.stop_reason = stop.clone().or(self.stop_reason.take());
        if let Some(message) = error {
            // A line that tells of both is of a turn that failed.
            heard.push(Heard::Failed(Trouble::new(message, line.clone())));
        } else if self.answer.is_some() || stop.is_some() {
            heard.push(Heard::Ended {
                stop_reason: self
                    .stop_reason
                    .clone()
                    .unwrap_or_else(|| "end_turn".to_owned()),
                answer: self.answer.clone(),
            });
        }
        heard
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count: what is no whole number of at least 0 is none"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

/// All that a path leads to.
fn all<'a>(line: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![line];
    for step in path.split('.') {
        found = found
            .into_iter()
            .flat_map(|value| match (step, value) {
                ("*", Value::Array(items)) => items.iter().collect(),
                (index, Value::Array(items)) => {
                    let index = index.parse::<usize>().ok();
                    index.and_then(|at| items.get(at)).into_iter().collect()
                }
                (name, value) => value.get(name).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    found
}
