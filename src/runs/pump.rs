//! From what an agent does to what is written: small events are joined, and a step says what it is doing now.

use super::{seam, tally::Tally};
use crate::{
    agents::acp::TurnEvent,
    domain::{
        event::{EventKind, NewEvent},
        worktree::Worktree,
    },
    stdx::text,
    store::{AttemptNote, Progress, Redactor},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// At most 10 writes a second and run; an instant turn writes nothing before its end.
const FLUSH_EVERY: Duration = Duration::from_millis(100);
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
    since: Option<Instant>,
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

    /// The prompt is about to be put.
    pub(super) fn begin(&mut self) {
        self.tally.begin();
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
            data: json!({"state": worktree.state, "branch": worktree.branch, "path": worktree.path}),
        });
        self.worktree = Some(worktree);
        self.since.get_or_insert_with(Instant::now);
    }

    /// Takes in one event of a turn.
    pub(super) fn push(&mut self, event: TurnEvent) {
        self.tally.enter(&event);
        let (kind, data, step) = describe(event);
        if let Some(step) = step {
            self.step(&step);
        }
        if !self.joined(kind, &data) {
            self.events.push(NewEvent { kind, data });
        }
        self.since.get_or_insert_with(Instant::now);
    }

    /// Takes in how far the agent says that it is.
    pub(super) fn progress(&mut self, text: &str, percent: Option<u8>) {
        self.step(text);
        let data = json!({"text": text::head(text, TEXT_BYTES), "percent": percent});
        let kind = EventKind::Progress;
        self.events.push(NewEvent { kind, data });
    }

    /// When what is gathered should be written; `None` when nothing is.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + FLUSH_EVERY)
    }

    /// Takes what may be written while the turn goes on: of a message that still grows, not the end, which may be half a secret. `None` when
    /// that leaves nothing.
    pub(super) fn take_ripe(&mut self) -> Option<Progress> {
        let rest = self.events.last_mut().and_then(split);
        let mut progress = self.take();
        if let Some(rest) = rest {
            progress.events.pop_if(|last| text_of(last) == Some(""));
            self.events.push(rest);
        }
        let nothing = progress.events.is_empty()
            && progress.step.is_none()
            && progress.worktree.is_none()
            && progress.note == AttemptNote::default();
        (!nothing).then_some(progress)
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
        } = progress;
        drop((tool, said));
        self.worktree = self.worktree.take().or(worktree);
        let newer = std::mem::replace(&mut self.events, events);
        self.events.extend(newer);
        self.step = self.step.take().or(step);
        self.note = joined(std::mem::take(&mut self.note), note);
        self.since = Some(Instant::now() + RETRY);
    }

    /// Takes all that is gathered.
    pub(super) fn take(&mut self) -> Progress {
        self.since = None;
        Progress {
            tool: None,
            said: None,
            worktree: self.worktree.take(),
            events: std::mem::take(&mut self.events),
            step: self.step.take(),
            note: std::mem::take(&mut self.note),
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
            so_far.push_str(more);
            if so_far.len() > MESSAGE_BYTES {
                let rest = split(last);
                self.events.extend(rest);
            }
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
    }
}

/// Takes the end of a message off that may not be written yet.
fn split(event: &mut NewEvent) -> Option<NewEvent> {
    if !matches!(event.kind, EventKind::Message | EventKind::Thought) {
        return None;
    }
    let Some(Value::String(text)) = event.data.get_mut("text") else {
        return None;
    };
    let rest = text.split_off(seam::before(text));
    (!rest.is_empty()).then(|| NewEvent {
        kind: event.kind,
        data: json!({"text": rest}),
    })
}

fn text_of(event: &NewEvent) -> Option<&str> {
    event.data["text"].as_str()
}

fn describe(event: TurnEvent) -> (EventKind, Value, Option<String>) {
    match event {
        TurnEvent::Message { text } => (
            EventKind::Message,
            json!({"text": text::head(&text, TEXT_BYTES)}),
            Some("writing its answer".to_owned()),
        ),
        TurnEvent::Thought { text } => (
            EventKind::Thought,
            json!({"text": text::head(&text, TEXT_BYTES)}),
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
        TurnEvent::Usage { usage } => (EventKind::Usage, json!(usage), None),
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
    }
}

#[cfg(test)]
mod tests {
    use super::Pump;
    use crate::{agents::acp::TurnEvent, domain::event::EventKind};

    fn say(text: &str) -> TurnEvent {
        TurnEvent::Message {
            text: text.to_owned(),
        }
    }

    #[tokio::test]
    async fn chunks_of_a_message_become_one_event() {
        let mut pump = Pump::default();
        assert!(pump.due().is_none());
        pump.push(say("a"));
        pump.push(say("b"));
        pump.push(TurnEvent::Thought {
            text: "c".to_owned(),
        });
        pump.push(say("d"));
        let taken = pump.take();
        let texts: Vec<_> = taken
            .events
            .iter()
            .map(|e| (e.kind, e.data["text"].as_str().unwrap_or_default()))
            .collect();
        assert_eq!(
            texts,
            [
                (EventKind::Message, "ab"),
                (EventKind::Thought, "c"),
                (EventKind::Message, "d")
            ]
        );
        assert_eq!(taken.step.as_deref(), Some("writing its answer"));
        assert!(pump.due().is_none() && pump.take().events.is_empty());
    }

    #[tokio::test]
    async fn half_a_word_is_not_written_before_the_other_half_came() {
        let texts = |progress: Option<super::Progress>| -> Vec<String> {
            let events = progress.map(|progress| progress.events).unwrap_or_default();
            events
                .iter()
                .filter_map(|event| event.data["text"].as_str().map(str::to_owned))
                .collect()
        };
        let mut pump = Pump::default();
        pump.push(say("first\nmy key is sk-"));
        assert_eq!(texts(pump.take_ripe()), ["first\n"]);
        assert!(pump.due().is_none(), "nothing to write until more comes");
        pump.push(say("ant-"));
        assert!(texts(pump.take_ripe()).is_empty());
        pump.push(say("123\nthen"));
        assert_eq!(texts(pump.take_ripe()), ["my key is sk-ant-123\n"]);
        assert!(pump.take_ripe().is_none());
        assert_eq!(texts(Some(pump.take())), ["then"]);
    }

    #[tokio::test]
    async fn a_long_message_is_closed_between_lines() {
        let mut pump = Pump::default();
        let line = "0123456789abcde\n";
        for _ in 0..3000 {
            pump.push(say(&line[..9]));
            pump.push(say(&line[9..]));
        }
        let events = pump.take().events;
        assert!(events.len() > 1);
        for event in events {
            let text = event.data["text"].as_str().unwrap().to_owned();
            assert!(text.len() <= super::MESSAGE_BYTES + 16, "{}", text.len());
            assert!(text.ends_with('\n') && text.starts_with('0'));
        }
    }

    fn tool(id: &str, title: &str, status: &str) -> TurnEvent {
        TurnEvent::ToolCall {
            id: id.to_owned(),
            title: title.to_owned(),
            kind: "edit".to_owned(),
            status: status.to_owned(),
            locations: Vec::new(),
        }
    }

    #[tokio::test]
    async fn an_update_takes_the_place_of_what_it_updates() {
        let mut pump = Pump::default();
        pump.push(tool("1", "edit a", "pending"));
        pump.push(tool("1", "edit a", "completed"));
        pump.push(tool("2", "edit b", "pending"));
        pump.push(tool("1", "edit a", "failed"));
        for _ in 0..3 {
            pump.push(TurnEvent::Plan {
                entries: Vec::new(),
            });
        }
        let taken = pump.take();
        let seen: Vec<_> = taken
            .events
            .iter()
            .map(|e| e.data["status"].as_str().unwrap_or("plan"))
            .collect();
        assert_eq!(seen, ["completed", "pending", "failed", "plan"]);
        assert_eq!(taken.step.as_deref(), Some("edit a"));
    }

    #[tokio::test]
    async fn what_could_not_be_written_comes_before_what_came_since() {
        let mut pump = Pump::default();
        pump.note(|note| {
            note.pid = Some(1);
            note.warm = Some(false);
        });
        pump.push(say("first"));
        let failed = pump.take();
        pump.push(TurnEvent::Thought {
            text: "second".to_owned(),
        });
        pump.note(|note| note.pid = Some(2));
        pump.put_back(failed);
        assert!(
            pump.due()
                .is_some_and(|due| due > tokio::time::Instant::now())
        );
        let taken = pump.take();
        let kinds: Vec<_> = taken.events.iter().map(|e| e.kind).collect();
        assert_eq!(kinds, [EventKind::Message, EventKind::Thought]);
        assert_eq!((taken.note.pid, taken.note.warm), (Some(2), Some(false)));
        assert_eq!(taken.step.as_deref(), Some("thinking"));
    }
}
