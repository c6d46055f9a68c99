//! From what an agent does to what is written: small events are joined, and a step says what it is doing now.

use super::{now::Now, tally::Tally};
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
            data: json!(worktree),
        });
        self.worktree = Some(worktree);
        self.since.get_or_insert_with(Instant::now);
    }

    /// Takes in one event of a turn.
    pub(super) fn push(&mut self, event: TurnEvent) {
        self.tally.enter(&event);
        self.now.enter(&event);
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
        } = progress;
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
    async fn half_a_secret_is_not_written_before_the_other_half_came() {
        let texts = |progress: Option<super::Progress>| -> Vec<String> {
            let events = progress.map(|progress| progress.events).unwrap_or_default();
            events
                .iter()
                .filter_map(|event| event.data["text"].as_str().map(str::to_owned))
                .collect()
        };
        let mut pump = Pump::default();
        pump.push(say("first\nmy key is sk-"));
        assert_eq!(texts(pump.take_ripe()), ["first\nmy key is "]);
        assert!(pump.due().is_none(), "nothing to write until more comes");
        pump.push(say("ant-"));
        assert!(texts(pump.take_ripe()).is_empty());
        pump.push(say("123, and half a wo"));
        assert_eq!(texts(pump.take_ripe()), ["sk-ant-123, and half a wo"]);
        assert!(pump.take_ripe().is_none());
        pump.push(say("rd t"));
        assert_eq!(texts(pump.take_ripe()), ["rd "]);
        assert_eq!(texts(Some(pump.take())), ["t"]);
    }

    /// When an agent that says a word each millisecond is written, by a clock of the test's own: no time passes.
    fn writes(words: u32) -> Vec<std::time::Duration> {
        let ms = std::time::Duration::from_millis;
        let begun = tokio::time::Instant::now();
        let mut pump = Pump::default();
        let mut written = Vec::new();
        for n in 0..words {
            let now = begun + ms(n.into());
            let heard = pump.heard.unwrap_or(now);
            pump.push(say("word "));
            (pump.heard, pump.since) = (Some(heard), Some(heard));
            if pump.due().is_some_and(|due| due <= now) {
                let events = pump.take_ripe().expect("it is ripe").events;
                assert_eq!(events.len(), 1, "all words of that time in one event");
                assert!(pump.heard.is_none());
                pump.flushed = Some(now);
                written.push(now - begun);
            }
        }
        written
    }

    #[tokio::test]
    async fn words_are_written_within_50_ms_and_20_times_a_second_at_most() {
        let written = writes(5_000);
        assert_eq!(written[0], super::WORDS_WAIT, "the first ones soon");
        for pair in written.windows(2) {
            assert_eq!(pair[1] - pair[0], super::FLUSH_EVERY, "{pair:?}");
        }
        assert!((98..=100).contains(&written.len()), "{}", written.len());
        assert!(super::FLUSH_EVERY.as_millis() * 20 >= 1_000);
    }

    #[tokio::test]
    async fn it_tells_the_tool_in_use_and_the_last_words() {
        let mut pump = Pump::default();
        pump.push(say(&"word ".repeat(200)));
        pump.push(tool("1", "edit a", "pending"));
        let told = pump.take_ripe().unwrap();
        assert_eq!(told.tool, Some(Some("edit a".to_owned())));
        assert!(
            told.said
                .is_some_and(|said| said.len() <= 500 && said.ends_with("word "))
        );
        pump.push(tool("2", "run b", "in_progress"));
        assert_eq!(
            pump.take_ripe().unwrap().tool,
            Some(Some("run b".to_owned()))
        );
        pump.push(tool("2", "run b", "completed"));
        assert_eq!(
            pump.take_ripe().unwrap().tool,
            Some(Some("edit a".to_owned()))
        );
        pump.push(say("so it is sk-abcdefghijklmnopqrstuv, I see "));
        let told = pump.take_ripe().unwrap();
        assert_eq!(told.tool, None, "as it was");
        assert!(
            told.said
                .as_ref()
                .is_some_and(|said| said.ends_with("so it is [redacted], I see "))
        );
        pump.push(tool("1", "", "failed"));
        let told = pump.take_ripe().unwrap();
        assert_eq!((&told.tool, &told.said), (&Some(None), &None));
        pump.put_back(told);
        assert_eq!(pump.take_ripe().unwrap().tool, Some(None));
    }

    #[tokio::test]
    async fn a_long_message_is_closed_and_no_secret_with_it() {
        let mut pump = Pump::default();
        let line = "my sk-abcdefghijklmnopqrstuv\n";
        let mut all = String::new();
        for _ in 0..2000 {
            pump.push(say(&line[..9]));
            pump.push(say(&line[9..]));
            all += line;
        }
        let events = pump.take().events;
        assert!(events.len() > 2);
        let texts: Vec<&str> = events.iter().filter_map(super::text_of).collect();
        assert_eq!(texts.concat(), all);
        for text in texts {
            assert!(text.len() <= super::MESSAGE_BYTES + 64, "{}", text.len());
            assert!(
                text.starts_with("my ") || text.starts_with("sk-abcdef"),
                "{text}"
            );
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
