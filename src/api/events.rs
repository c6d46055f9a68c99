//! `events.watch`: the log, from a cursor and then live.

use crate::domain::{
    event::{Event, EventKind},
    ids::RunId,
};
use jsonrpsee::{core::SubscriptionResult, proc_macros::rpc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to watch.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// Cursor to begin after; absent = from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only this run's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Only this project's: name, id or path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only this instance's: name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Only these kinds; none named = all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<EventKind>,
}

/// The log as a subscription.
#[rpc(server, client, namespace = "events", namespace_separator = ".")]
pub trait EventsApi {
    /// Replays from the log, then goes live; reads from the log itself, so nothing is dropped however slow the watcher. One that took nothing
    /// for a second is told so by an event `lagged`, with the cursor to resume at.
    #[subscription(name = "watch" => "event", unsubscribe = "unwatch", item = Event)]
    async fn watch(&self, params: Watch) -> SubscriptionResult;
}
