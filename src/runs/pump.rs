//! From what an agent does to what is written: small events are joined, and a step says what it is doing now.

use super::{now::Now, tally::Tally};
use crate::{
    agents::acp::TurnEvent,
    domain::{
        event::{EventKind, NewEvent},
        retry::Left,
        worktree::Worktree,
    },
    stdx::text,
    store::{AttemptNote, Progress, Redactor},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// What an attempt learns of itself may wait so long.
const NOTES_WAIT: Duration = Duration::from_millis(100);
/// What the agent says and does waits so long for more of it: a watcher sees it soon, and an instant turn writes nothing before its end.
const WORDS_WAIT: Duration = Duration::from_millis(20);
/// At most 20 writes a second and run.
const FLUSH_EVERY: Duration = Duration::from_millis(50);
/// After a write that failed.
const RETRY: Duration = Duration::from_secs(1);
/// A joined message is closed beyond that.
const MESSAGE_BYTES: usize = 16 * 1024;
/// Of one event's text.
const TEXT_BYTES: usize = 64 * 1024;
const STEP_BYTES: usize = 200;

/// Gathers what is to be written until it is taken.
#[derive(Debug, Default)]
pub(super) struct Pump {
    events: Vec<NewEvent>,
    step: Option<String>,
    worktree: Option<Worktree>,
    note: AttemptNote,
    left: Option<Left>,
    /// Prompts put.
    turns: u32,
    /// Something is to be written.
    since: Option<Instant>,
    /// Something that a watcher waits for.
    heard: Option<Instant>,
    flushed: Option<Instant>,
    now: Now,
    tally: Tally,
    redactor: Arc<Redactor>,
}

impl Pump {
    /// One that writes no half of what `redactor` strikes out.
    pub(super) fn new(redactor: Arc<Redactor>) -> Self {
        Self {
            redactor,
            ..Self::default()
        }
    }

    /// A turn is counted; what is written next says so.
    pub(super) fn count_turn(&mut self) {
        self.turns = self.turns.saturating_add(1);
    }

    /// The prompt is about to be put.
    pub(super) fn begin(&mut self) {
        self.tally.begin();
    }

    /// A further turn begins.
    pub(super) fn next_turn(&mut self) {
        self.tally.next_turn();
    }

    /// What has been heard so far.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Keeps what the attempt has learnt about itself.
    pub(super) fn note(&mut self, change: impl FnOnce(&mut AttemptNote)) {
        change(&mut self.note);
        self.since.get_or_insert_with(Instant::now);
    }

    /// Sets what the agent is doing now.
    pub(super) fn step(&mut self, step: &str) {
        self.step = Some(text::head(step, STEP_BYTES).to_owned());
        self.since.get_or_insert_with(Instant::now);
    }

    /// Its worktree is ready.
    pub(super) fn worktree(&mut self, worktree: Worktree) {
        self.events.push(NewEvent {
            kind: EventKind::WorktreeChanged,
            data: json!(worktree),
        });
        self.worktree = Some(worktree);
        self.since.get_or_insert_with(Instant::now);
    }

    /// What becomes of what the attempt before left.
    pub(super) fn left(&mut self, left: Left) {
        self.left = Some(left);
        self.since.get_or_insert_with(Instant::now);
    }

    /// Takes in one event of a turn.
    pub(super) fn push(&mut self, mut event: TurnEvent) {
        if let TurnEvent::Learnt { pid, session } = event {
            return self.note(|note| {
                note.pid = pid.or(note.pid);
                note.agent_session = session.or(note.agent_session.take());
            });
        }
        self.tally.enter(&event);
        self.now.enter(&event);
        if let TurnEvent::Message { text } | TurnEvent::Thought { text } = &mut event
            && text.len() > TEXT_BYTES
        {
            *text = shortened(&self.redactor.redact(text));
        }
        let (kind, data, step) = describe(event);
        if let Some(step) = step {
            self.step(&step);
        }
        if !self.joined(kind, &data) {
            self.events.push(NewEvent { kind, data });
        }
        self.since.get_or_insert_with(Instant::now);
        self.heard.get_or_insert_with(Instant::now);
    }

    /// Takes in how far the agent says that it is.
    pub(super) fn progress(&mut self, text: &str, percent: Option<u8>) {
        self.step(text);
        let data = json!({"text": text::head(text, TEXT_BYTES), "percent": percent});
        let kind = EventKind::Progress;
        self.events.push(NewEvent { kind, data });
        self.heard.get_or_insert_with(Instant::now);
    }

    /// When what is gathered should be written; `None` when nothing is.
    pub(super) fn due(&self) -> Option<Instant> {
        let noted = self.since.map(|since| since + NOTES_WAIT);
        let words = self.heard.map(|heard| heard + WORDS_WAIT);
        let due = match (noted, words) {
            (Some(noted), Some(words)) => Some(noted.min(words)),
            (noted, words) => noted.or(words),
        };
        let rested = self.flushed.map(|flushed| flushed + FLUSH_EVERY);
        due.map(|due| rested.map_or(due, |rested| due.max(rested)))
    }

    /// Takes what may be written while the turn goes on: of a message that still grows, not the end, which may be half a secret. `None` when
    /// that leaves nothing.
    pub(super) fn take_ripe(&mut self) -> Option<Progress> {
        let rest = self.events.pop().and_then(|mut last| {
            let rest = split(&mut last, &self.redactor);
            if text_of(&last) != Some("") {
                self.events.push(last);
            }
            rest
        });
        let mut progress = self.take();
        self.events.extend(rest);
        for event in &progress.events {
            if let (EventKind::Message, Some(text)) = (event.kind, text_of(event)) {
                self.now.say(&self.redactor.redact(text));
            }
        }
        (progress.tool, progress.said) = self.now.news();
        let nothing = progress.events.is_empty()
            && progress.step.is_none()
            && progress.worktree.is_none()
            && progress.tool.is_none()
            && progress.left.is_none()
            && progress.turns == 0
            && progress.note == AttemptNote::default();
        if nothing {
            return None;
        }
        self.flushed = Some(Instant::now());
        Some(progress)
    }

    /// Puts back what could not be written, before what came since; tried again a little later.
    pub(super) fn put_back(&mut self, progress: Progress) {
        let Progress {
            events,
            step,
            tool,
            said,
            worktree,
            note,
            left,
            turns,
        } = progress;
        self.turns = self.turns.saturating_add(turns);
        self.left = self.left.take().or(left);
        self.worktree = self.worktree.take().or(worktree);
        self.now.take_back(tool.is_some(), said.is_some());
        let newer = std::mem::replace(&mut self.events, events);
        self.events.extend(newer);
        self.step = self.step.take().or(step);
        self.note = joined(std::mem::take(&mut self.note), note);
        self.since = Some(Instant::now() + RETRY);
        self.heard = None;
        self.flushed = self.since;
    }

    /// Takes all that is gathered.
    pub(super) fn take(&mut self) -> Progress {
        self.since = None;
        self.heard = None;
        Progress {
            tool: None,
            said: None,
            worktree: self.worktree.take(),
            events: std::mem::take(&mut self.events),
            step: self.step.take(),
            note: std::mem::take(&mut self.note),
            left: self.left.take(),
            turns: std::mem::take(&mut self.turns),
        }
    }

    /// Chunks of one message become one event; what replaces the event before it takes its place: an update of a tool call, a plan, usage.
    fn joined(&mut self, kind: EventKind, data: &Value) -> bool {
        let Some(last) = self.events.last_mut().filter(|last| last.kind == kind) else {
            return false;
        };
        if matches!(kind, EventKind::Message | EventKind::Thought) {
            let (Some(Value::String(so_far)), Some(more)) =
                (last.data.get_mut("text"), data["text"].as_str())
            else {
                return false;
            };
            if so_far.len() < MESSAGE_BYTES {
                so_far.push_str(more);
                return true;
            }
            let Some(mut rest) = split(last, &self.redactor) else {
                return false;
            };
            if let Some(Value::String(text)) = rest.data.get_mut("text") {
                text.push_str(more);
            }
            self.events.push(rest);
            return true;
        }
        let renewed = matches!(kind, EventKind::Plan | EventKind::Usage)
            || kind == EventKind::ToolCall
                && last.data["id"] == data["id"]
                && data["title"].as_str().is_some_and(|t| !t.is_empty());
        if renewed {
            last.data = data.clone();
        }
        renewed
    }
}

/// What is newer holds.
fn joined(newer: AttemptNote, older: AttemptNote) -> AttemptNote {
    AttemptNote {
        warm: newer.warm.or(older.warm),
        reason: newer.reason.or(older.reason),
        persona_route: newer.persona_route.or(older.persona_route),
        pid: newer.pid.or(older.pid),
        continuity: newer.continuity.or(older.continuity),
        agent_session: newer.agent_session.or(older.agent_session),
        touched: if newer.touched.is_empty() {
            older.touched
        } else {
            newer.touched
        },
    }
}

/// Takes the end of a message off that may not be written yet.
fn split(event: &mut NewEvent, redactor: &Redactor) -> Option<NewEvent> {
    if !matches!(event.kind, EventKind::Message | EventKind::Thought) {
        return None;
    }
    let Some(Value::String(text)) = event.data.get_mut("text") else {
        return None;
    };
    let rest = text.split_off(redactor.safe_prefix(text));
    (!rest.is_empty()).then(|| NewEvent {
        kind: event.kind,
        data: json!({"text": rest}),
    })
}

fn text_of(event: &NewEvent) -> Option<&str> {
    event.data["text"].as_str()
}

/// Of what came in one piece too large to keep, both ends and that something is missing. Of a text without secrets: a cut shows half of one.
fn shortened(whole: &str) -> String {
    let (head, tail) = (
        text::head(whole, TEXT_BYTES / 2),
        text::tail(whole, TEXT_BYTES / 2),
    );
    let missing = whole.len() - head.len() - tail.len();
    format!("{head}\n[{missing} bytes are left out here]\n{tail}")
}

fn describe(event: TurnEvent) -> (EventKind, Value, Option<String>) {
    match event {
        TurnEvent::Message { text } => (
            EventKind::Message,
            json!({"text": text}),
            Some("writing its answer".to_owned()),
        ),
        TurnEvent::Thought { text } => (
            EventKind::Thought,
            json!({"text": text}),
            Some("thinking".to_owned()),
        ),
        TurnEvent::ToolCall {
            id,
            title,
            kind,
            status,
            locations,
        } => {
            let step = (!title.is_empty()).then(|| title.clone());
            (
                EventKind::ToolCall,
                json!({"id": id, "title": title, "kind": kind, "status": status, "locations": locations}),
                step,
            )
        }
        TurnEvent::Plan { entries } => (EventKind::Plan, json!({"entries": entries}), None),
        TurnEvent::Usage { usage, .. } => (EventKind::Usage, json!(usage), None),
        TurnEvent::Permission {
            title,
            decision,
            option,
            why,
        } => (
            EventKind::Permission,
            json!({"title": title, "decision": decision, "option": option, "by": "policy", "why": why}),
            None,
        ),
        // Taken above: it is kept with the attempt.
        TurnEvent::Learnt { .. } => (EventKind::Progress, Value::Null, None),
    }
}

#[cfg(test)]
mod tests;
