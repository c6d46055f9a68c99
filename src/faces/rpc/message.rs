//! What a line says: a call, a notification, a batch of both, or nothing that can be understood.

use crate::domain::fault::{ErrorKind, Fault};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use std::borrow::Cow;

/// One entry of a line.
#[derive(Debug)]
pub(super) enum Entry<'a> {
    /// To be answered under this id, which is kept as it was written.
    Call {
        id: &'a RawValue,
        method: Cow<'a, str>,
        params: Option<&'a RawValue>,
    },
    /// To be done, and answered with nothing.
    Notification {
        method: Cow<'a, str>,
        params: Option<&'a RawValue>,
    },
    /// Answered at once with this line.
    Wrong(Box<RawValue>),
}

/// A whole line.
#[derive(Debug)]
pub(super) enum Line<'a> {
    One(Entry<'a>),
    Batch(Vec<Entry<'a>>),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// An id of `null` is an id, says the specification; an absent one makes a notification.
fn present<'de: 'a, 'a, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads a line.
pub(super) fn read(line: &[u8]) -> Line<'_> {
    let first = line.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        return match serde_json::from_slice::<Vec<&RawValue>>(line) {
            Ok(entries) if entries.is_empty() => Line::One(wrong(None, "an empty batch")),
            Ok(entries) => Line::Batch(entries.into_iter().map(entry).collect()),
            Err(error) => Line::One(garbage(&error)),
        };
    }
    match serde_json::from_slice::<&RawValue>(line) {
        Ok(whole) => Line::One(entry(whole)),
        Err(error) => Line::One(garbage(&error)),
    }
}

fn entry(text: &RawValue) -> Entry<'_> {
    if !text.get().starts_with('{') {
        return wrong(None, "a request is an object");
    }
    let envelope: Envelope<'_> = match serde_json::from_str(text.get()) {
        Ok(envelope) => envelope,
        Err(error) => return wrong(id_of(text), &error.to_string()),
    };
    let Envelope {
        jsonrpc,
        id,
        method,
        params,
    } = envelope;
    let id_fits = id.is_none_or(|id| !id.get().starts_with(['{', '[', 't', 'f']));
    let params_fit = params.is_none_or(|params| params.get().starts_with(['{', '[']));
    match (jsonrpc.as_deref(), method, id) {
        (Some("2.0"), Some(method), Some(id)) if id_fits && params_fit => {
            Entry::Call { id, method, params }
        }
        (Some("2.0"), Some(method), None) if params_fit => Entry::Notification { method, params },
        (Some("2.0"), Some(_), _) if !id_fits => wrong(None, "`id` is a string, a number or null"),
        (Some("2.0"), Some(_), _) => wrong(id, "`params` is an object or a list"),
        (Some("2.0"), None, _) => wrong(id, "`method` is required"),
        (_, _, _) => wrong(id.filter(|_| id_fits), "`jsonrpc` must be \"2.0\""),
    }
}

/// The id of what is not a request, if it can be made out.
fn id_of(text: &RawValue) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Id<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let Id { id } = serde_json::from_str(text.get()).ok()?;
    (!id.get().starts_with(['{', '[', 't', 'f'])).then_some(id)
}

fn garbage(error: &serde_json::Error) -> Entry<'static> {
    let fault = Fault::new(ErrorKind::InvalidParams, format!("not JSON: {error}"));
    Entry::Wrong(failure(None, -32700, "Parse error", &fault))
}

fn wrong(id: Option<&RawValue>, why: &str) -> Entry<'static> {
    let fault = Fault::new(ErrorKind::InvalidParams, why);
    Entry::Wrong(failure(id, -32600, "Invalid request", &fault))
}

/// The answer to a line longer than the bound.
pub(super) fn too_long(len: usize, max: usize) -> Box<RawValue> {
    let fault = Fault::new(
        ErrorKind::TooLarge,
        format!("a line of {len} bytes is over the {max} that are taken"),
    );
    failure(None, -32600, "Invalid request", &fault)
}

/// The answer to a call that the hub did not answer.
pub(super) fn fault(id: &RawValue, fault: &Fault) -> Box<RawValue> {
    let error = ErrorObjectOwned::from(fault.clone());
    failure(Some(id), error.code(), error.message(), fault)
}

fn failure(id: Option<&RawValue>, code: i32, message: &str, data: &Fault) -> Box<RawValue> {
    let answer = serde_json::json!({
        "jsonrpc": "2.0",
        "id": serde_json::Value::Null,
        "error": {"code": code, "message": message, "data": data},
    });
    match id {
        None => to_raw_value(&answer).unwrap_or_default(),
        Some(id) => answered(
            id,
            "error",
            &to_raw_value(&answer["error"]).unwrap_or_default(),
        ),
    }
}

/// An answer under the caller's own id; `member` is `result` or `error`.
pub(super) fn answered(id: &RawValue, member: &'static str, value: &RawValue) -> Box<RawValue> {
    #[derive(serde::Serialize)]
    struct Answer<'a> {
        jsonrpc: &'static str,
        id: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a RawValue>,
    }
    let answer = Answer {
        jsonrpc: "2.0",
        id,
        result: (member == "result").then_some(value),
        error: (member == "error").then_some(value),
    };
    to_raw_value(&answer).unwrap_or_default()
}

/// A call as it goes to the hub, under a number of ours.
pub(super) fn outgoing(number: u64, method: &str, params: Option<&RawValue>) -> String {
    #[derive(serde::Serialize)]
    struct Request<'a> {
        jsonrpc: &'static str,
        id: u64,
        method: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        params: Option<&'a RawValue>,
    }
    let request = Request {
        jsonrpc: "2.0",
        id: number,
        method,
        params,
    };
    serde_json::to_string(&request).unwrap_or_default()
}

/// What the hub says.
#[derive(Debug, Deserialize)]
pub(super) struct Heard<'a> {
    /// Ours; absent in a subscription's notification.
    #[serde(default)]
    pub(super) id: Option<u64>,
    #[serde(borrow, default)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

#[cfg(test)]
mod tests {
    use super::{Entry, Line, read};
    use serde_json::value::RawValue;

    fn wrong(line: &str) -> String {
        let Line::One(Entry::Wrong(answer)) = read(line.as_bytes()) else {
            panic!("{line} is understood");
        };
        answer.get().to_owned()
    }

    #[test]
    fn a_line_is_a_call_a_notification_a_batch_or_wrong() {
        let call = br#" {"jsonrpc":"2.0","id":-1.50,"method":"a","params":{"b": 1}} "#;
        let Line::One(Entry::Call { id, method, params }) = read(call) else {
            panic!("a call");
        };
        assert_eq!((id.get(), &*method), ("-1.50", "a"));
        assert_eq!(params.map(RawValue::get), Some("{\"b\": 1}"));
        let null = read(br#"{"jsonrpc":"2.0","id":null,"method":"a"}"#);
        assert!(matches!(null, Line::One(Entry::Call { .. })));
        let notification = read(br#"{"jsonrpc":"2.0","method":"a"}"#);
        assert!(matches!(
            notification,
            Line::One(Entry::Notification { .. })
        ));
        let batch = read(br#"[{"jsonrpc":"2.0","method":"a"}, 1]"#);
        assert!(matches!(batch, Line::Batch(entries) if entries.len() == 2));
    }

    #[test]
    fn what_is_wrong_is_answered_under_its_id_if_it_has_one() {
        assert!(wrong("{").contains("\"id\":null,\"error\":{\"code\":-32700"));
        assert!(wrong("[{]").contains("-32700"));
        assert!(wrong("\u{1}").contains("-32700"));
        assert!(wrong("[]").contains("-32600"));
        assert!(wrong("3").contains("\"id\":null,\"error\":{\"code\":-32600"));
        assert!(
            wrong(r#"{"jsonrpc":"2.0","id":7}"#).contains("\"id\":7,\"error\":{\"code\":-32600")
        );
        assert!(wrong(r#"{"id":"x","method":"a"}"#).contains("\"id\":\"x\""));
        assert!(wrong(r#"{"jsonrpc":"2.0","id":7,"method":3}"#).contains("\"id\":7"));
        assert!(wrong(r#"{"jsonrpc":"2.0","id":{},"method":"a"}"#).contains("\"id\":null"));
        assert!(wrong(r#"{"jsonrpc":"2.0","id":7,"method":"a","params":3}"#).contains("\"id\":7"));
    }
}
