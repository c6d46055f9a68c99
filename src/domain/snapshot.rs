//! A run over time: what its log says of its states.

use super::{
    event::{Event, EventKind},
    run::RunState,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A change of a run's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// From 1, without gaps.
    pub n: u32,
    /// Since then.
    pub state: RunState,
    /// What led to it.
    pub event: EventKind,
    pub at: Timestamp,
    /// The attempt whose doing it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Kinds of events that may change a run's state.
pub const TURNING_POINTS: [EventKind; 6] = [
    EventKind::Accepted,
    EventKind::Started,
    EventKind::Requested,
    EventKind::Answered,
    EventKind::Released,
    EventKind::Finished,
];

/// The states of a run by its [`TURNING_POINTS`], oldest first. Whatever else is among them changes nothing.
#[must_use]
pub fn snapshots(events: &[Event]) -> Vec<Snapshot> {
    let mut all: Vec<Snapshot> = Vec::new();
    let (mut asks, mut attempt) = (0, None);
    for event in events {
        if let Some(n) = event.data["attempt"].as_u64() {
            attempt = u32::try_from(n).ok();
        }
        let before = all.last().map(|last| last.state);
        // A second question while the first is open changes nothing.
        let Some(state) = after(event, before, &mut asks).filter(|now| before != Some(*now)) else {
            continue;
        };
        let data = &event.data;
        let reason = data["reason"].as_str().or(data["error"]["detail"].as_str());
        all.push(Snapshot {
            n: u32::try_from(all.len() + 1).unwrap_or(u32::MAX),
            state,
            event: event.kind,
            at: event.at,
            attempt,
            reason: reason.map(str::to_owned),
        });
    }
    all
}

/// The state after an event, where it says one. `asks`: how many requests are open.
fn after(event: &Event, before: Option<RunState>, asks: &mut u32) -> Option<RunState> {
    let kind = event.kind;
    let back = [EventKind::Accepted, EventKind::Released, EventKind::Retried];
    if back.contains(&kind) {
        *asks = 0;
        Some(RunState::Queued)
    } else if kind == EventKind::Started {
        Some(RunState::Running)
    } else if kind == EventKind::Requested {
        *asks += 1;
        Some(RunState::InputRequired)
    } else if kind == EventKind::Answered {
        *asks = asks.saturating_sub(1);
        (*asks == 0 && before == Some(RunState::InputRequired)).then_some(RunState::Running)
    } else if kind == EventKind::Finished {
        event.data["state"].as_str().and_then(RunState::parse)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::snapshots;
    use crate::domain::{
        event::{Event, EventKind::*},
        run::RunState as State,
        time::Timestamp,
    };
    use serde_json::{Value, json};

    fn log(told: &[(crate::domain::event::EventKind, Value)]) -> Vec<Event> {
        let event = |(n, (kind, data)): (usize, &(_, Value))| Event {
            cursor: n.to_string(),
            run: None,
            run_seq: None,
            project: None,
            instance: None,
            kind: *kind,
            at: Timestamp(i64::try_from(n).unwrap()),
            data: data.clone(),
        };
        told.iter().enumerate().map(event).collect()
    }

    #[test]
    fn the_log_tells_the_states_in_their_order() {
        let told = log(&[
            (Accepted, json!({})),
            (Started, json!({"attempt": 1})),
            (Message, json!({"text": "hm"})),
            (Requested, json!({"request": "a"})),
            (Requested, json!({"request": "b"})),
            (Answered, json!({"request": "a"})),
            (Answered, json!({"request": "b"})),
            (Released, json!({"attempt": 1, "reason": "the hub ends"})),
            (Started, json!({"attempt": 2})),
            (
                Finished,
                json!({"attempt": 2, "state": "failed", "error": {"detail": "it died"}}),
            ),
        ]);
        let seen = snapshots(&told);
        let states: Vec<_> = seen.iter().map(|one| (one.state, one.attempt)).collect();
        assert_eq!(
            states,
            [
                (State::Queued, None),
                (State::Running, Some(1)),
                (State::InputRequired, Some(1)),
                (State::Running, Some(1)),
                (State::Queued, Some(1)),
                (State::Running, Some(2)),
                (State::Failed, Some(2)),
            ]
        );
        let numbers: Vec<_> = seen.iter().map(|one| one.n).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(seen[4].reason.as_deref(), Some("the hub ends"));
        assert_eq!(seen[6].reason.as_deref(), Some("it died"));
    }
}
