//! What a `session/update` means, and what a turn adds up to.

use super::tool::Tool;
use crate::{
    domain::usage::Usage,
    stdx::text::{head, tail},
};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    path::PathBuf,
};

/// Bytes of an agent's messages that a turn keeps.
const TEXT: usize = 256 * 1024;

/// Tool calls that a turn remembers.
const TOOLS: usize = 4096;

/// Titles of what was denied that a turn tells, and the bytes of each.
const DENIED: usize = 256;
const TITLE: usize = 512;

/// Entries of a plan, and the bytes of each.
const ENTRIES: usize = 256;
const ENTRY: usize = 4096;

/// Bytes of a tool call's id; one that is longer is of no call that is remembered.
const ID: usize = 256;

/// What happened during a turn.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TurnEvent {
    /// A piece of what the agent says.
    Message { text: String },
    /// A piece of what it says to itself.
    Thought { text: String },
    /// A tool call, whole, whenever something about it has changed. `kind` and `status` are the protocol's words.
    ToolCall {
        id: String,
        title: String,
        kind: String,
        status: String,
        locations: Vec<PathBuf>,
    },
    /// The whole plan, whenever it has changed.
    Plan { entries: Vec<PlanEntry> },
    /// The session's cost so far, as the agent sums it up, and what of it is this turn's, in US dollars.
    Usage { usage: Usage, turn_usd: f64 },
    /// The agent asked, and the policy decided; `decision` is `allowed`, `rejected` or `cancelled`, `option` the id that was picked.
    Permission {
        title: String,
        decision: &'static str,
        option: Option<String>,
        /// The rule behind it.
        why: &'static str,
    },
    /// What is known only now of an agent that is run once a turn: its process, its own id of the conversation.
    Learnt {
        pid: Option<u32>,
        session: Option<String>,
    },
}

/// A step of a plan, in the agent's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanEntry {
    pub content: String,
    pub status: String,
}

/// What a turn added up to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Summary {
    pub(super) text: String,
    pub(super) denied: Vec<String>,
    pub(super) edited: bool,
    /// US dollars of this turn.
    pub(super) cost_usd: Option<f64>,
}

/// The books of one turn.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    text: String,
    /// Of the message that `text` ends in.
    message: Option<String>,
    tools: HashMap<String, Tool>,
    /// Their ids, oldest first.
    order: VecDeque<String>,
    /// The last of them.
    denied: VecDeque<String>,
    /// Of these alone it is known that they changed nothing; of one that is forgotten nobody knows.
    denied_ids: Ids,
    /// Tool calls that may have changed something.
    touched: Ids,
    /// So has one that is not remembered.
    edited: bool,
    /// The last of them that nobody was asked about, until it is told.
    begun: Option<Tool>,
    cost: Option<f64>,
    /// What the session had cost before.
    spent: f64,
}

/// Some ids, oldest first; of very many the oldest are forgotten.
#[derive(Debug, Default)]
struct Ids {
    all: HashSet<String>,
    order: VecDeque<String>,
}

impl Ids {
    /// Answers what is not remembered for it: the oldest of too many, or itself where it is too long.
    fn insert(&mut self, id: &str) -> Option<String> {
        if id.len() > ID {
            return Some(String::new());
        }
        if self.all.insert(id.to_owned()) {
            self.order.push_back(id.to_owned());
        }
        let oldest = (self.order.len() > TOOLS).then(|| self.order.pop_front());
        oldest.flatten().inspect(|oldest| {
            self.all.remove(oldest);
        })
    }

    fn remove(&mut self, id: &str) {
        if self.all.remove(id) {
            self.order.retain(|one| one != id);
        }
    }

    fn contains(&self, id: &str) -> bool {
        self.all.contains(id)
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl Ledger {
    /// Of a turn in a session that has cost so much.
    pub(super) fn after(spent: f64) -> Self {
        Self {
            spent,
            ..Self::default()
        }
    }

    /// Enters an update. Kinds from the future are passed over.
    pub(super) fn enter(&mut self, update: &Value) -> Option<TurnEvent> {
        match update["sessionUpdate"].as_str()? {
            "agent_message_chunk" => {
                let text = text(&update["content"])?;
                self.say(&text, update["messageId"].as_str());
                Some(TurnEvent::Message { text })
            }
            "agent_thought_chunk" => Some(TurnEvent::Thought {
                text: text(&update["content"])?,
            }),
            "tool_call" | "tool_call_update" => self.tool_call(update),
            "plan" => Some(TurnEvent::Plan {
                entries: plan(&update["entries"]),
            }),
            "usage_update" => self.usage(update),
            _ => None,
        }
    }

    /// The tool call of the last update, where it has just begun to change something without having been allowed to.
    pub(super) fn begun(&mut self) -> Option<Tool> {
        self.begun.take()
    }

    /// What is known of the tool call of a request, which may name nothing but its id.
    pub(super) fn tool(&mut self, call: &Value) -> Tool {
        let id = call["toolCallId"].as_str().unwrap_or_default();
        let mut tool = self.tools.get(id).cloned().unwrap_or_default();
        tool.learn(call);
        // Calls without an id are not one call: nothing that one said may decide about another.
        if !tool.id.is_empty() && tool.id.len() <= ID {
            let before = self.tools.insert(tool.id.clone(), tool.clone());
            if before.is_none() {
                self.order.push_back(tool.id.clone());
                self.forget();
            }
        }
        tool
    }

    /// Forgets the oldest tool calls of very many: what has ended first, and of one that is heard of again nothing is known.
    fn forget(&mut self) {
        if self.order.len() <= TOOLS {
            return;
        }
        // Half of them, so that the next is long to come.
        let (tools, mut spare) = (&mut self.tools, TOOLS / 2);
        self.order.retain(|id| {
            let goes = spare > 0 && tools.get(id).is_none_or(Tool::is_done);
            if goes {
                spare -= 1;
                tools.remove(id);
            }
            !goes
        });
        for id in self.order.drain(..spare) {
            tools.remove(&id);
        }
    }

    /// The policy has decided a request of this tool call.
    pub(super) fn ruled(&mut self, tool: &Tool, allowed: bool) {
        if !allowed {
            self.denied.push_back(head(&tool.title, TITLE).to_owned());
            if self.denied.len() > DENIED {
                self.denied.pop_front();
            }
        }
        self.answered(tool, allowed);
    }

    /// A request of this tool call was answered, by whomever.
    pub(super) fn answered(&mut self, tool: &Tool, may_act: bool) {
        if !may_act {
            if tool.id.is_empty() {
                return;
            }
            drop(self.denied_ids.insert(&tool.id));
            // Some agents say "in progress" before they ask.
            self.touched.remove(&tool.id);
        } else if tool.changes() {
            self.touch(&tool.id);
        }
    }

    fn touch(&mut self, id: &str) {
        // What is forgotten can no longer turn out to have been denied.
        self.edited |= self.touched.insert(id).is_some();
    }

    /// `spent` is what the session had cost before this turn, and is brought up to date.
    pub(super) fn close(self, spent: &mut f64) -> Summary {
        let cost_usd = self.cost.map(|cost| (cost - *spent).max(0.0));
        *spent = self.cost.unwrap_or(*spent);
        Summary {
            text: tail(&self.text, TEXT).to_owned(),
            denied: self.denied.into(),
            edited: self.edited || !self.touched.is_empty(),
            cost_usd,
        }
    }

    fn say(&mut self, text: &str, message: Option<&str>) {
        if message.is_some() && self.message.is_some() && message != self.message.as_deref() {
            // Two messages are two paragraphs, wherever the agent's own line ends are.
            self.text.push_str("\n\n");
        }
        self.message = message.map(str::to_owned).or(self.message.take());
        self.text.push_str(text);
        if self.text.len() > 2 * TEXT {
            self.text = tail(&self.text, TEXT).to_owned();
        }
    }

    fn tool_call(&mut self, update: &Value) -> Option<TurnEvent> {
        let id = update["toolCallId"].as_str()?;
        let before = self.tools.get(id).cloned();
        let tool = self.tool(update);
        let done = matches!(tool.status.as_str(), "in_progress" | "completed" | "failed");
        if done && tool.changes() && !self.denied_ids.contains(id) {
            if !self.touched.contains(id) {
                self.begun = Some(tool.clone());
            }
            self.touch(id);
        }
        let event = tool.event();
        (before.map(|before| before.event()).as_ref() != Some(&event)).then_some(event)
    }

    fn usage(&mut self, update: &Value) -> Option<TurnEvent> {
        let cost = &update["cost"];
        let amount = cost["amount"]
            .as_f64()
            .filter(|_| cost["currency"] == "USD")?;
        self.cost = Some(amount);
        Some(TurnEvent::Usage {
            usage: Usage {
                cost_usd: Some(amount),
                ..Usage::default()
            },
            turn_usd: (amount - self.spent).max(0.0),
        })
    }
}

fn text(content: &Value) -> Option<String> {
    content["text"]
        .as_str()
        .or(content["uri"].as_str())
        .map(str::to_owned)
}

fn plan(entries: &Value) -> Vec<PlanEntry> {
    let word = |entry: &Value, name: &str| {
        let text = entry[name].as_str().unwrap_or_default();
        head(text, ENTRY).to_owned()
    };
    let entries = entries.as_array().map(Vec::as_slice).unwrap_or_default();
    let entry = |entry: &Value| PlanEntry {
        content: word(entry, "content"),
        status: word(entry, "status"),
    };
    entries.iter().take(ENTRIES).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::{DENIED, ID, Ledger, TITLE, TOOLS, TurnEvent};
    use serde_json::{Value, json};

    fn call(kind: &str, status: &str) -> Value {
        json!({"sessionUpdate": "tool_call", "toolCallId": "t", "title": "T", "kind": kind, "status": status})
    }

    #[test]
    fn a_turn_has_edited_once_a_changing_tool_has_begun() {
        for (kind, status, edited) in [
            ("edit", "pending", false),
            ("edit", "in_progress", true),
            ("execute", "failed", true),
            ("read", "completed", false),
        ] {
            let mut ledger = Ledger::default();
            ledger.enter(&call(kind, status));
            assert_eq!(ledger.close(&mut 0.0).edited, edited, "{kind} {status}");
        }
    }

    #[test]
    fn what_was_denied_has_edited_nothing() {
        let mut ledger = Ledger::default();
        ledger.enter(&call("execute", "in_progress"));
        let tool = ledger.tool(&json!({"toolCallId": "t"}));
        assert_eq!(tool.kind, "execute");
        ledger.ruled(&tool, false);
        ledger.enter(
            &json!({"sessionUpdate": "tool_call_update", "toolCallId": "t", "status": "failed"}),
        );
        let summary = ledger.close(&mut 0.0);
        assert_eq!(
            (summary.edited, summary.denied),
            (false, vec!["T".to_owned()])
        );
    }

    #[test]
    fn of_very_many_calls_the_oldest_that_have_ended_are_forgotten() {
        let mut ledger = Ledger::default();
        for n in 0..=TOOLS {
            let status = if n == 0 { "pending" } else { "completed" };
            ledger.tool(&json!({"toolCallId": n.to_string(), "kind": "read", "status": status}));
        }
        assert_eq!(ledger.tools.len(), TOOLS / 2 + 1);
        for (id, kind) in [("0", "read"), ("1", ""), ("4096", "read")] {
            assert_eq!(ledger.tool(&json!({"toolCallId": id})).kind, kind, "{id}");
        }
    }

    #[test]
    fn of_very_many_denials_the_oldest_are_forgotten_and_may_have_acted() {
        let call = |id: String, status: &str| json!({"sessionUpdate": "tool_call", "toolCallId": id, "title": id.repeat(100), "kind": "edit", "status": status});
        let deny = |ledger: &mut Ledger, id: String| {
            let tool = ledger.tool(&call(id, "pending"));
            ledger.ruled(&tool, false);
        };
        let mut ledger = Ledger::default();
        for n in 0..2 * TOOLS {
            deny(&mut ledger, format!("call {n}"));
        }
        assert!(ledger.denied_ids.all.len() <= TOOLS && ledger.denied_ids.order.len() <= TOOLS);
        ledger.enter(&call(format!("call {}", 2 * TOOLS - 1), "failed"));
        assert!(ledger.touched.is_empty());
        ledger.enter(&call("call 0".to_owned(), "failed"));
        assert!(!ledger.touched.is_empty(), "nobody knows any more");
        let summary = ledger.close(&mut 0.0);
        assert_eq!(summary.denied.len(), DENIED);
        assert!(summary.denied.iter().all(|title| title.len() <= TITLE));
        assert!(summary.denied[DENIED - 1].contains(&format!("call {}", 2 * TOOLS - 1)));
    }

    #[test]
    fn of_very_many_changes_some_stay_changes() {
        let mut ledger = Ledger::default();
        for n in 0..2 * TOOLS {
            let edit = json!({"toolCallId": n.to_string(), "kind": "edit", "status": "completed"});
            ledger.tool_call(&edit);
        }
        assert!(ledger.touched.all.len() <= TOOLS);
        for n in 0..2 * TOOLS {
            let tool = ledger.tool(&json!({"toolCallId": n.to_string()}));
            ledger.answered(&tool, false);
        }
        assert!(ledger.touched.is_empty() && ledger.close(&mut 0.0).edited);
    }

    #[test]
    fn an_id_too_long_to_keep_is_of_no_call() {
        let mut ledger = Ledger::default();
        let id = "x".repeat(ID + 1);
        ledger.tool_call(&json!({"toolCallId": id, "kind": "read", "status": "pending"}));
        assert!(ledger.tools.is_empty());
        let edit = json!({"toolCallId": id, "kind": "edit", "status": "completed"});
        ledger.tool_call(&edit);
        assert!(ledger.tools.is_empty() && ledger.touched.is_empty());
        assert!(ledger.close(&mut 0.0).edited);
    }

    #[test]
    fn calls_without_an_id_know_nothing_of_each_other() {
        let mut ledger = Ledger::default();
        let status = json!({"kind": "execute", "rawInput": {"command": "git status"}});
        let tool = ledger.tool(&status);
        ledger.ruled(&tool, true);
        for bare in [
            json!({"title": "Bash"}),
            json!({"toolCallId": "", "title": "x"}),
        ] {
            let other = ledger.tool(&bare);
            assert_eq!((other.kind.as_str(), &other.command), ("", &None));
            ledger.ruled(&other, false);
        }
        assert!(ledger.close(&mut 0.0).edited);
    }

    #[test]
    fn messages_are_paragraphs_and_the_future_is_passed_over() {
        let chunk = |text: &str, id: &str| json!({"sessionUpdate": "agent_message_chunk", "messageId": id, "content": {"type": "text", "text": text}});
        let mut ledger = Ledger::default();
        assert_eq!(
            ledger.enter(&chunk("a", "1")),
            Some(TurnEvent::Message {
                text: "a".to_owned()
            })
        );
        ledger.enter(&chunk("b", "1"));
        ledger.enter(&chunk("c", "2"));
        assert_eq!(
            ledger.enter(&json!({"sessionUpdate": "dream", "x": 1})),
            None
        );
        assert_eq!(ledger.enter(&json!(null)), None);
        assert_eq!(ledger.close(&mut 0.0).text, "ab\n\nc");
    }

    #[test]
    fn a_turn_costs_what_the_session_has_cost_since() {
        let mut ledger = Ledger::default();
        ledger.enter(
            &json!({"sessionUpdate": "usage_update", "cost": {"amount": 0.75, "currency": "USD"}}),
        );
        let mut spent = 0.5;
        assert_eq!(ledger.close(&mut spent).cost_usd, Some(0.25));
        assert_eq!(Ledger::default().close(&mut spent).cost_usd, None);
    }
}
