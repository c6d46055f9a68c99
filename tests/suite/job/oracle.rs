//! Reads a database and says whether it keeps the promises, in SQL of its own: it shares no code with what it judges.

use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const OVER: [&str; 4] = ["succeeded", "failed", "cancelled", "timed_out"];
const HELD: [&str; 2] = ["running", "input_required"];

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Run {
    pub(super) id: Uuid,
    session: Uuid,
    seq: i64,
    pub(super) state: String,
    attempt: i64,
    fence: Option<i64>,
    cancel_requested: bool,
    event_seq: i64,
    ended_at: Option<i64>,
    pub(super) error: Option<String>,
    pub(super) conclusion: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Event {
    cursor: i64,
    run: Option<Uuid>,
    run_seq: Option<i64>,
    kind: String,
    data: String,
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Attempt {
    run: Uuid,
    n: i64,
    fence: i64,
    outcome: Option<String>,
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Session {
    id: Uuid,
    head_run: Option<Uuid>,
    fence: i64,
    is_leased: bool,
}

/// What a database held at one moment.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) runs: BTreeMap<Uuid, Run>,
    pub(super) events: Vec<Event>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) sessions: Vec<Session>,
    /// Runs by the key they were delegated with.
    pub(super) keys: BTreeMap<String, Uuid>,
    pub(super) faults: Vec<String>,
}

/// What `$db`, a connection to whatever database, holds now.
macro_rules! seen {
    ($db:expr) => {{
        let keys: Vec<(String, uuid::Uuid)> = all!($db, "SELECT key, run FROM idempotency");
        let runs: Vec<$crate::job::oracle::Run> = all!($db, "SELECT * FROM run");
        $crate::job::oracle::Seen {
            runs: runs.into_iter().map(|run| (run.id, run)).collect(),
            events: all!($db, "SELECT * FROM event ORDER BY cursor"),
            attempts: all!($db, "SELECT * FROM attempt ORDER BY run, n"),
            sessions: all!(
                $db,
                "SELECT id, head_run, fence, lease_holder IS NOT NULL AS is_leased FROM session"
            ),
            keys: keys.into_iter().collect(),
            faults: Vec::new(),
        }
    }};
}
macro_rules! all {
    ($db:expr, $sql:expr) => {
        sqlx::query_as($sql).fetch_all(&mut *$db).await.unwrap()
    };
}
pub(super) use {all, seen};

impl Run {
    pub(super) fn is_over(&self) -> bool {
        OVER.contains(&self.state.as_str())
    }

    fn is_held(&self) -> bool {
        HELD.contains(&self.state.as_str())
    }
}

impl Seen {
    /// What holds at every moment, in whatever state a hub left it.
    pub(super) fn is_sound(&mut self) {
        let mut faults = Vec::new();
        self.events_are_whole(&mut faults);
        self.attempts_take_turns(&mut faults);
        self.sessions_know_their_head(&mut faults);
        for (key, run) in &self.keys {
            if !self.runs.contains_key(run) {
                faults.push(format!(
                    "key {key} stands for the run {run}, which is not there"
                ));
            }
        }
        self.faults = faults;
        self.judge();
    }

    /// What holds once nothing is left to do.
    pub(super) fn is_over(&mut self) {
        let open = self.runs.values().filter(|run| !run.is_over());
        let open = open.map(|run| format!("has not ended: {run:?}"));
        let held = self.sessions.iter().filter(|session| session.is_leased);
        let held = held.map(|session| format!("is leased: {session:?}"));
        self.faults = open.chain(held).collect();
        self.judge();
    }

    /// What was there before is there now: the log goes on behind it, and what had ended has not changed.
    pub(super) fn goes_on_from(&mut self, before: &Self) {
        let mut faults = Vec::new();
        if !self.events.starts_with(&before.events) {
            faults.push("an event changed, went or came in between".to_owned());
        }
        for (id, run) in &before.runs {
            match self.runs.get(id) {
                None => faults.push(format!("is gone: {run:?}")),
                Some(now) if run.is_over() && now.state != run.state => {
                    faults.push(format!("ended twice: {run:?}, {now:?}"));
                }
                Some(now) if run.is_over() && now != run && now.event_seq == run.event_seq => {
                    faults.push(format!("changed unheard: {run:?}, {now:?}"));
                }
                Some(_) => {}
            }
        }
        for (key, run) in &before.keys {
            if self.keys.get(key) != Some(run) {
                faults.push(format!("key {key} stood for {run}"));
            }
        }
        self.faults = faults;
        self.judge();
    }

    /// How often an attempt has begun.
    pub(super) fn started(&self, run: Uuid) -> usize {
        let of = |event: &&Event| event.run == Some(run) && event.kind == "started";
        self.events.iter().filter(of).count()
    }

    fn judge(&self) {
        assert!(self.faults.is_empty(), "{:#?}", self.faults);
    }

    fn events_are_whole(&self, faults: &mut Vec<String>) {
        let mut logs: BTreeMap<Uuid, Vec<&Event>> = BTreeMap::new();
        for event in &self.events {
            if let Some(run) = event.run {
                logs.entry(run).or_default().push(event);
            }
        }
        for run in self.runs.values() {
            let log = logs.remove(&run.id).unwrap_or_default();
            let numbers: Vec<_> = log.iter().filter_map(|event| event.run_seq).collect();
            if !numbers.iter().copied().eq(1..=run.event_seq) {
                faults.push(format!("numbers {numbers:?} of {run:?}"));
            }
            if log.first().is_none_or(|event| event.kind != "accepted") {
                faults.push(format!("was never accepted: {run:?}"));
            }
            let ends: Vec<_> = log
                .iter()
                .filter(|event| event.kind == "finished")
                .collect();
            if ends.len() != usize::from(run.is_over()) {
                faults.push(format!("{} ends of {run:?}", ends.len()));
            }
            let begins = log.iter().rposition(|event| event.kind == "started");
            let ended = log.iter().position(|event| event.kind == "finished");
            if let (Some(begins), Some(ended)) = (begins, ended)
                && begins > ended
            {
                faults.push(format!("began after its end: {run:?}"));
            }
            if ends.iter().any(|end| !end.data.contains(&run.state)) {
                faults.push(format!("ended otherwise, {ends:?}: {run:?}"));
            }
        }
        for run in logs.keys() {
            faults.push(format!("events of the run {run}, which is not there"));
        }
    }

    fn attempts_take_turns(&self, faults: &mut Vec<String>) {
        let mut live = BTreeSet::new();
        for run in self.runs.values() {
            let attempts = self.attempts.iter().filter(|attempt| attempt.run == run.id);
            let attempts: Vec<_> = attempts.collect();
            let rises = |pair: &[&Attempt]| pair[0].n < pair[1].n && pair[0].fence < pair[1].fence;
            if !attempts.windows(2).all(rises) {
                faults.push(format!("fences of {run:?}: {attempts:?}"));
            }
            let open = attempts.iter().filter(|attempt| attempt.outcome.is_none());
            let open: Vec<_> = open.collect();
            let is_its =
                |attempt: &&&Attempt| attempt.n == run.attempt && Some(attempt.fence) == run.fence;
            if open.len() != usize::from(run.is_held()) || !open.iter().all(is_its) {
                faults.push(format!("live attempts {open:?} of {run:?}"));
            }
            if !open.is_empty() && !live.insert(run.session) {
                faults.push(format!("two live attempts in the session of {run:?}"));
            }
        }
    }

    fn sessions_know_their_head(&self, faults: &mut Vec<String>) {
        for session in &self.sessions {
            let runs = self.runs.values().filter(|run| run.session == session.id);
            let open = runs.filter(|run| !run.is_over());
            let head = open.min_by_key(|run| run.seq);
            if head.map(|run| run.id) != session.head_run
                || head.is_some_and(Run::is_held) != session.is_leased
            {
                faults.push(format!("{session:?} has {head:?}"));
            }
            if head.is_some_and(|run| run.fence.is_some_and(|fence| fence != session.fence)) {
                faults.push(format!("{session:?} has another fence than {head:?}"));
            }
        }
    }
}
