//! What happened in a run, from its events: in pages for a call, whole for a resource.

use super::{handler::Face, results::Reply, views};
use crate::{
    api::run::{RunApiClient as _, RunEvents},
    domain::{
        event::{Event, EventKind},
        fault::Fault,
        ids::RunId,
        page::Page,
    },
};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Bytes of a page in the answer of a call.
const PAGE: usize = 16 * 1024;
/// Bytes of a whole transcript; what is beyond is in the events.
const WHOLE: usize = 512 * 1024;
/// Bytes of one event that is no message.
const EVENT: usize = 2 * 1024;
/// Events asked for at once.
const AT_ONCE: u32 = 200;

/// A part of a run's log.
#[derive(Debug)]
pub(super) struct Part {
    output: Option<String>,
    events: Option<Vec<Value>>,
    next_cursor: Option<String>,
    size: usize,
}

impl Part {
    /// Puts it into an answer.
    pub(super) fn add_to(self, reply: &mut Reply) {
        if let Some(output) = self.output {
            reply.add("output", json!(output));
        }
        if let Some(events) = self.events {
            reply.add("events", Value::Array(events));
        }
        if let Some(cursor) = self.next_cursor {
            reply.add("next_cursor", json!(cursor));
        }
    }

    /// Takes an event in; false when it does not fit any more.
    fn take(&mut self, event: &Event) -> bool {
        let said = self.output.is_some().then(|| said(event)).flatten();
        let shown = self.events.is_some().then(|| shown(event));
        let more = said.map_or(0, str::len) + shown.as_ref().map_or(0, |one| one.to_string().len());
        // One that is too large for any page is cut, or nobody would ever come past it.
        if self.size > 0 && self.size + more > PAGE {
            return false;
        }
        self.size += more;
        if let (Some(output), Some(said)) = (&mut self.output, said) {
            output.push_str(&views::shortened(said, PAGE));
        }
        if let (Some(events), Some(shown)) = (&mut self.events, shown) {
            events.push(shown);
        }
        self.next_cursor = Some(event.cursor.clone());
        true
    }
}

/// What the agent said, the events, or both, after a cursor. `next_cursor` is there while there may be more.
pub(super) async fn part(
    face: &Face,
    id: RunId,
    mut cursor: Option<String>,
    output: bool,
    events: bool,
) -> Result<Part, Fault> {
    let mut part = Part {
        output: output.then(String::new),
        events: events.then(Vec::new),
        next_cursor: None,
        size: 0,
    };
    loop {
        let page = page(face, id, cursor).await?;
        for event in &page.items {
            if !part.take(event) {
                return Ok(part);
            }
            if event.kind == EventKind::Finished {
                part.next_cursor = None;
            }
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(part),
        }
    }
}

/// The whole transcript as text.
pub(super) async fn whole(face: &Face, id: RunId) -> Result<String, Fault> {
    let mut text = String::new();
    let mut cursor = None;
    let mut talking = false;
    loop {
        let page = page(face, id, cursor).await?;
        for event in &page.items {
            if text.len() > WHOLE {
                text.push_str("\n\n(cut here: read on with run_get include:[\"events\"])\n");
                return Ok(text);
            }
            talking = put(&mut text, event, talking);
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(text),
        }
    }
}

async fn page(face: &Face, id: RunId, cursor: Option<String>) -> Result<Page<Event>, Fault> {
    face.link()
        .read(|hub| {
            let params = RunEvents {
                id,
                cursor: cursor.clone(),
                limit: Some(AT_ONCE),
            };
            async move { hub.events(params).await }
        })
        .await
}

/// Messages run on, as they come in pieces; anything else has a line.
fn put(text: &mut String, event: &Event, talking: bool) -> bool {
    if let Some(said) = said(event) {
        text.push_str(if talking { "" } else { "\n" });
        text.push_str(said);
        return true;
    }
    let data = &event.data;
    let what = ["title", "text", "detail", "summary"]
        .iter()
        .find_map(|key| data.get(key)?.as_str())
        .map_or_else(|| data.to_string(), str::to_owned);
    let what = views::shortened(&what, EVENT);
    let start = if talking { "\n" } else { "" };
    writeln!(text, "{start}[{} {}] {what}", event.at, event.kind.as_str())
        .expect("a string takes all that is written");
    false
}

/// What the agent said to the person.
fn said(event: &Event) -> Option<&str> {
    if event.kind != EventKind::Message {
        return None;
    }
    let data = &event.data;
    data.get("text")
        .or_else(|| data.get("content")?.get("text"))
        .and_then(Value::as_str)
}

fn shown(event: &Event) -> Value {
    let data = event.data.to_string();
    let data = if data.len() > EVENT {
        json!({"cut": views::shortened(&data, EVENT)})
    } else {
        event.data.clone()
    };
    json!({"cursor": event.cursor, "kind": event.kind, "at": event.at, "data": data})
}
