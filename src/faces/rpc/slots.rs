//! Calls under way: whose answer goes where.

use super::message;
use crate::domain::fault::Fault;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::HashMap;

/// Where an answer goes.
#[derive(Debug)]
struct Slot {
    /// Absent for a notification, whose answer goes nowhere.
    id: Option<Box<RawValue>>,
    /// The batch that it is part of.
    batch: Option<u64>,
    /// The call opens a subscription.
    watches: bool,
}

/// A batch that waits for its answers.
#[derive(Debug)]
struct Batch {
    open: usize,
    answers: Vec<Box<RawValue>>,
}

/// Everything under way on one relay.
#[derive(Debug, Default)]
pub(super) struct Slots {
    next: u64,
    open: HashMap<u64, Slot>,
    batches: HashMap<u64, Batch>,
    /// Subscriptions that the hub has opened, by its ids.
    watches: Vec<Box<RawValue>>,
}

impl Slots {
    /// Opens a batch of `calls` calls, beside the `answers` that it has already.
    pub(super) fn batch(&mut self, calls: usize, answers: Vec<Box<RawValue>>) -> u64 {
        let number = self.number();
        let open = calls;
        self.batches.insert(number, Batch { open, answers });
        number
    }

    /// Opens a slot and gives its number.
    pub(super) fn open(&mut self, id: Option<&RawValue>, method: &str, batch: Option<u64>) -> u64 {
        let number = self.number();
        let slot = Slot {
            id: id.map(ToOwned::to_owned),
            batch,
            watches: method == "events.watch",
        };
        self.open.insert(number, slot);
        number
    }

    /// Nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The line to write for what the hub said, if any is due now.
    pub(super) fn heard(&mut self, text: String) -> Option<String> {
        let Ok(heard) = serde_json::from_str::<message::Heard<'_>>(&text) else {
            tracing::warn!("the hub said what is not JSON-RPC");
            return None;
        };
        let Some(number) = heard.id else {
            return Some(text);
        };
        let slot = self.open.remove(&number)?;
        let id = slot.id.as_deref()?;
        let answer = match (heard.result, heard.error) {
            (_, Some(error)) => message::answered(id, "error", error),
            (Some(result), None) => {
                if slot.watches {
                    self.watches.push(result.to_owned());
                }
                message::answered(id, "result", result)
            }
            (None, None) => message::answered(id, "result", RawValue::NULL),
        };
        self.settle(answer, slot.batch)
    }

    /// The line to write when a call could not be sent.
    pub(super) fn failed(&mut self, number: u64, fault: &Fault) -> Option<String> {
        let slot = self.open.remove(&number)?;
        self.settle(message::fault(slot.id.as_deref()?, fault), slot.batch)
    }

    /// The lines to write when the hub is gone: each open call's answer, and the end of each subscription.
    pub(super) fn all_failed(&mut self, fault: &Fault) -> Vec<String> {
        let mut numbers: Vec<u64> = self.open.keys().copied().collect();
        numbers.sort_unstable();
        let mut lines: Vec<String> = numbers
            .into_iter()
            .filter_map(|number| self.failed(number, fault))
            .collect();
        lines.extend(self.watches.drain(..).map(|watch| ended(&watch, fault)));
        lines
    }

    fn settle(&mut self, answer: Box<RawValue>, batch: Option<u64>) -> Option<String> {
        let Some(number) = batch else {
            return Some(text(answer));
        };
        let batch = self.batches.get_mut(&number)?;
        batch.answers.push(answer);
        batch.open -= 1;
        if batch.open > 0 {
            return None;
        }
        let batch = self.batches.remove(&number)?;
        to_raw_value(&batch.answers).ok().map(text)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// A raw value's text, without a copy.
pub(super) fn text(value: Box<RawValue>) -> String {
    String::from(Box::<str>::from(value))
}

/// A subscription never ends silently.
fn ended(watch: &RawValue, fault: &Fault) -> String {
    let error = serde_json::json!(fault);
    format!(
        r#"{{"jsonrpc":"2.0","method":"events.event","params":{{"subscription":{},"error":{error}}}}}"#,
        watch.get()
    )
}

#[cfg(test)]
mod tests {
    use super::Slots;
    use crate::domain::fault::{ErrorKind, Fault};
    use serde_json::value::RawValue;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    #[test]
    fn answers_come_back_under_the_ids_they_were_asked_under_even_twice_the_same() {
        let mut slots = Slots::default();
        let first = slots.open(Some(&raw("\"a\"")), "hub.info", None);
        let second = slots.open(Some(&raw("\"a\"")), "hub.info", None);
        let answer = |n: u64| format!(r#"{{"jsonrpc":"2.0","id":{n},"result":{n}}}"#);
        let line = slots.heard(answer(second)).expect("due");
        assert_eq!(
            line,
            format!(r#"{{"jsonrpc":"2.0","id":"a","result":{second}}}"#)
        );
        assert!(slots.heard(answer(first)).is_some() && slots.is_empty());
        assert_eq!(slots.heard(answer(first)), None);
    }

    #[test]
    fn a_batch_is_one_line_when_its_last_answer_is_there() {
        let mut slots = Slots::default();
        let batch = slots.batch(2, vec![raw("0")]);
        let one = slots.open(Some(&raw("1")), "hub.info", Some(batch));
        let two = slots.open(Some(&raw("2")), "hub.info", Some(batch));
        assert_eq!(
            slots.heard(format!(r#"{{"id":{two},"result":null}}"#)),
            None
        );
        let lost = Fault::new(ErrorKind::HubLost, "gone");
        let line = slots.failed(one, &lost).expect("the last one");
        assert!(line.starts_with(
            r#"[0,{"jsonrpc":"2.0","id":2,"result":null},{"jsonrpc":"2.0","id":1,"error""#
        ));
    }

    #[test]
    fn a_lost_hub_answers_every_call_and_ends_every_subscription() {
        let mut slots = Slots::default();
        let watch = slots.open(Some(&raw("1")), "events.watch", None);
        slots.heard(format!(r#"{{"id":{watch},"result":77}}"#));
        slots.open(Some(&raw("2")), "hub.info", None);
        let lines = slots.all_failed(&Fault::new(ErrorKind::HubLost, "gone"));
        assert_eq!(lines.len(), 2);
        assert!(lines[0].contains("\"id\":2") && lines[0].contains("hub_lost"));
        assert!(lines[1].contains("\"subscription\":77"));
        assert!(slots.is_empty());
    }
}
