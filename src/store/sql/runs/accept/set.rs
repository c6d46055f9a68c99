//! Accepting several runs in the same statements, on a server: what is paid there is the journey of a statement, not what it does.

use super::{Accept, Taken};
use crate::{
    domain::{
        event::EventKind,
        ids::{RunId, SessionId},
        run::{Mode, RunState},
    },
    store::{
        StoreError,
        sql::{
            log::gone,
            place::tree_at,
            row::{RunRow, class_waits},
            tx::Tx,
            value::values,
            words::{json, unjson},
        },
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::FromRow;
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// As `WRITE` does for one: `g` as they came; `t` with what is known of their sessions, their keys and whoever delegates; `w` those to be
/// written. Rows that are looked up are so one by one, as a plan that was made while a table was small would go through all of it for
/// ever. What is counted is as it was before, so those of the set are added. No session and no key stands in it twice.
const TAKE: &str = "WITH g AS MATERIALIZED (SELECT * FROM json_to_recordset(CAST($1 AS json)) AS g(n bigint, run uuid, session uuid, place text, agent text, \
 class_lane text, tree text, instance uuid, project uuid, persona text, cwd text, agent_session text, timeout_ms bigint, previous uuid, \
 label text, lane text, mode text, warnings text, prompt text, parent uuid, parent_fence bigint, depth bigint, isolation text, policy text, \
 worktree text, turns bigint, cold boolean, bounding uuid, retry text, budget text, hook text, scope text, key text, fingerprint text)), \
 t AS MATERIALIZED (SELECT g.*, coalesce(s.place,g.place) AS its_place, coalesce(s.agent,g.agent) AS its_agent, coalesce(s.next_seq,1) AS seq, \
  s.head_run IS NOT NULL AS follows, CASE WHEN s.id IS NULL THEN g.persona ELSE s.persona END AS its_persona, \
  CASE WHEN s.id IS NULL THEN g.instance ELSE s.instance END AS its_instance, \
  CASE WHEN s.id IS NULL THEN g.project ELSE s.project END AS its_project, i.fingerprint AS seen_as, i.run AS seen, \
  g.parent_fence IS NULL OR EXISTS(SELECT 1 FROM run p WHERE p.id=g.parent AND p.fence=g.parent_fence AND NOT p.cancel_requested) AS held \
  FROM g LEFT JOIN LATERAL (SELECT * FROM session WHERE id=g.session LIMIT 1) s ON TRUE \
  LEFT JOIN LATERAL (SELECT * FROM idempotency WHERE scope=g.scope AND key=g.key LIMIT 1) i ON TRUE), \
 w AS MATERIALIZED (SELECT *, its_place||'/'||its_agent||'/'||class_lane AS class_key FROM t WHERE held AND seen IS NULL), \
 k AS (INSERT INTO idempotency(scope,key,fingerprint,run,created_at) SELECT scope,key,fingerprint,run,$2 FROM w WHERE key IS NOT NULL), \
 b AS (UPDATE project SET max_concurrent=z.turns FROM (SELECT DISTINCT ON (project) project, turns FROM w WHERE project IS NOT NULL \
  ORDER BY project, n DESC) z WHERE project.id=z.project AND project.max_concurrent IS DISTINCT FROM z.turns), \
 c AS (INSERT INTO class(class_key,place,agent,lane,max_concurrent,depth,cold,project) \
  SELECT DISTINCT ON (class_key) class_key, its_place, its_agent, class_lane, coalesce((SELECT h.default_cap FROM host h WHERE h.place=w.place), \
  (SELECT value FROM setting WHERE name='default_cap')), depth, cold, bounding FROM w \
  WHERE NOT EXISTS(SELECT 1 FROM class o WHERE o.class_key=w.class_key)), \
 s AS (INSERT INTO session(id,place,agent,class_key,next_seq,head_run,ready_rank,tree,instance,project,persona,cwd,agent_session) \
  SELECT session,place,agent,class_key,2,run,$2,tree,instance,project,persona,cwd,agent_session FROM w \
  ON CONFLICT(id) DO UPDATE SET next_seq=session.next_seq+1, head_run=coalesce(session.head_run,excluded.head_run), \
  class_key=CASE WHEN session.head_run IS NULL THEN excluded.class_key ELSE session.class_key END, \
  ready_rank=CASE WHEN session.head_run IS NULL THEN excluded.ready_rank ELSE session.ready_rank END, \
  tree=CASE WHEN session.head_run IS NULL THEN excluded.tree ELSE session.tree END), \
 r AS (INSERT INTO run(id,session,seq,class_key,instance,project,event_seq,created_at,timeout_ms,deadline,previous,label,lane,tree,mode,warnings, \
  prompt,parent,depth,isolation,policy,worktree,retry,budget,hook) SELECT run,session,seq,class_key,its_instance,its_project,1,$2,timeout_ms, \
  $2+timeout_ms,previous,label,lane,tree,mode,warnings,prompt,parent,depth,isolation,policy,worktree,retry,budget,hook FROM w), \
 o AS MATERIALIZED (SELECT project, (SELECT count(*) FROM run WHERE ended_at IS NULL AND project=d.project) AS open_before \
  FROM (SELECT DISTINCT its_project AS project FROM w WHERE its_project IS NOT NULL) d), \
 e AS (INSERT INTO event(at,run,run_seq,project,instance,kind,data) SELECT $2,v.run,v.seq,w.its_project,v.instance,v.kind,v.data FROM w, LATERAL ( \
  SELECT w.run, CAST(1 AS BIGINT) AS seq, w.its_instance AS instance, $3 AS kind, '{}' AS data UNION ALL \
  SELECT NULL, NULL, NULL, $4, '{\"count\":'||o.open_before+(SELECT count(*) FROM w z WHERE z.its_project=o.project AND z.n<=w.n)||'}' \
  FROM o WHERE o.project=w.its_project) v), \
 x AS (INSERT INTO outbox(run,kind,at) SELECT run,'accepted',$2 FROM w) \
 SELECT its_place||'/'||its_agent||'/'||class_lane AS class_key, held, seen_as, seen, its_agent, its_instance, its_project, its_persona,   (SELECT h.name FROM host h WHERE h.place=its_place AND h.shared) AS host, CASE WHEN follows THEN 'session'   WHEN tree IS NOT NULL AND (SELECT 1 FROM session b WHERE b.tree=t.tree AND b.lease_holder IS NOT NULL LIMIT 1) IS NOT NULL THEN 'tree' END AS waits   FROM t ORDER BY n";
/// What holds up those of each of a list of classes that nothing else does.
const WAIT: &str = concat!(
    "SELECT c.class_key, ",
    class_waits!(),
    " AS waits FROM json_array_elements_text(CAST($1 AS json)) AS n(key) JOIN LATERAL (SELECT * FROM class WHERE class_key=n.key LIMIT 1) c ON TRUE"
);

/// A run as `TAKE` is given it.
#[derive(Serialize)]
struct Given<'a> {
    n: usize,
    run: Uuid,
    session: Uuid,
    place: &'a str,
    agent: &'a str,
    class_lane: &'a str,
    tree: Option<String>,
    instance: Option<Uuid>,
    project: Option<Uuid>,
    persona: Option<&'a str>,
    cwd: &'a str,
    agent_session: Option<&'a str>,
    timeout_ms: Option<i64>,
    previous: Option<Uuid>,
    label: Option<&'a str>,
    lane: &'a str,
    mode: &'a str,
    warnings: Option<&'a str>,
    prompt: &'a str,
    parent: Option<Uuid>,
    /// `None`: whoever delegates, if anybody, has been looked at.
    parent_fence: Option<i64>,
    depth: u32,
    isolation: &'a str,
    policy: &'a str,
    worktree: Option<&'a str>,
    turns: Option<u32>,
    cold: bool,
    bounding: Option<Uuid>,
    retry: Option<&'a str>,
    budget: Option<&'a str>,
    hook: Option<&'a str>,
    scope: Option<&'a str>,
    /// `None`: it has none, or it is written.
    key: Option<&'a str>,
    fingerprint: Option<&'a str>,
}

impl<'a> Given<'a> {
    /// The run alone: its key and whoever delegates have been looked at.
    fn run(one: &'a Accept, n: usize, place: &'a str) -> Self {
        let (run, session) = (&one.run, &one.run.session);
        Self {
            n,
            run: run.id.0,
            session: session.id.0,
            place,
            agent: &session.agent,
            class_lane: &one.class_lane,
            tree: run.tree.as_deref().map(|tree| tree_at(place, tree)),
            instance: session.instance.map(|id| id.0),
            project: session.project.map(|id| id.0),
            persona: session.persona.as_deref(),
            cwd: &session.cwd,
            agent_session: session.agent_session.as_deref(),
            timeout_ms: run.timeout_ms,
            previous: run.previous.map(|id| id.0),
            label: run.label.as_deref(),
            lane: &run.lane,
            mode: &one.mode,
            warnings: one.warnings.as_deref(),
            prompt: &run.prompt,
            parent: run.parent.map(|lease| lease.run.0),
            parent_fence: None,
            depth: run.depth,
            isolation: &one.isolation,
            policy: &one.policy,
            worktree: one.worktree.as_deref(),
            turns: run.max_in_project,
            cold: run.mode == Mode::Cold,
            bounding: run.max_in_project.and(session.project).map(|id| id.0),
            retry: one.retry.as_deref(),
            budget: one.budget.as_deref(),
            hook: run.extras.hook.as_deref(),
            scope: None,
            key: None,
            fingerprint: None,
        }
    }

    fn whole(one: &'a Accept, n: usize) -> Self {
        let key = one.run.idempotency.as_ref();
        Self {
            parent_fence: one.run.parent.map(|lease| lease.fence),
            scope: key.map(|key| key.scope.as_str()),
            key: key.map(|key| key.key.as_str()),
            fingerprint: key.map(|key| key.fingerprint.as_str()),
            ..Self::run(one, n, one.own.get())
        }
    }
}

/// Bytes of prompts in the same statements: what takes a server long is held against all that were written with it.
const TEXTS: usize = 8 * 1024 * 1024;

/// Which of those that have gathered go into the same statements.
#[derive(Debug, Default)]
pub(in crate::store::sql) struct Set {
    texts: usize,
    sessions: HashSet<SessionId>,
    keys: HashSet<(String, String)>,
}

impl Set {
    /// Whether it goes with those before; what follows in a session or upon a key waits until the one before is there, wherever that goes.
    pub(in crate::store::sql) fn takes(&mut self, one: &Accept) -> bool {
        let key = one.run.idempotency.as_ref();
        let key = key.map(|key| (key.scope.clone(), key.key.clone()));
        let is_first = self.sessions.insert(one.run.session.id);
        let is_new = key.is_none_or(|key| self.keys.insert(key));
        let texts = self.texts.saturating_add(one.run.prompt.len());
        let goes = is_first && is_new && one.is_plain() && texts <= TEXTS;
        if goes {
            self.texts = texts;
        }
        goes
    }

    /// Writes them; what became of each, in their order. An error when the database refuses one: then nothing of any is there.
    pub(in crate::store::sql) async fn write(
        tx: &mut Tx<'_>,
        these: &[&Accept],
    ) -> Result<Vec<Result<Taken, StoreError>>, StoreError> {
        let given = these.iter().enumerate();
        let given = given.map(|(n, one)| Given::whole(one, n)).collect();
        let found = take(tx, given).await?;
        let mut outcomes = Vec::with_capacity(these.len());
        for (one, found) in these.iter().zip(found) {
            outcomes.push(if let Some(outcome) = found.before(one) {
                outcome
            } else {
                tx.changed(one.run.id, RunState::Queued);
                Ok(Taken::Fresh(Box::new(found.row(one, tx.now))))
            });
        }
        Ok(outcomes)
    }
}

/// A set of one.
pub(super) async fn alone(tx: &mut Tx<'_>, one: &Accept) -> Result<Taken, StoreError> {
    let mut outcomes = Set::write(tx, &[one]).await?;
    outcomes.pop().unwrap_or_else(|| Err(gone(one.run.id.0)))
}

/// The rows of one whose key, delegating run and occasion have been looked at.
pub(super) async fn put(tx: &mut Tx<'_>, one: &Accept, place: &str) -> Result<RunRow, StoreError> {
    let mut found = take(tx, vec![Given::run(one, 0, place)]).await?;
    let found = found.pop().ok_or_else(|| gone(one.run.id.0))?;
    Ok(found.row(one, tx.now))
}

/// What was there when it came.
#[derive(Deserialize, FromRow)]
struct Found {
    /// That it stands in.
    class_key: String,
    /// The run that delegates it, if one does.
    held: bool,
    /// Its key: the fingerprint, and the run that it stands for.
    seen_as: Option<String>,
    seen: Option<Uuid>,
    its_agent: String,
    its_instance: Option<Uuid>,
    its_project: Option<Uuid>,
    its_persona: Option<String>,
    host: Option<String>,
    /// What holds it up.
    waits: Option<String>,
}

impl Found {
    fn is_fresh(&self) -> bool {
        self.held && self.seen.is_none()
    }

    /// What became of it where it was not written.
    fn before(&self, one: &Accept) -> Option<Result<Taken, StoreError>> {
        let run = &one.run;
        match (self.seen, &run.idempotency, run.parent) {
            (_, _, Some(parent)) if !self.held => Some(Err(StoreError::LeaseLost(parent.run))),
            (None, ..) | (_, None, _) => None,
            (Some(seen), Some(key), _) => {
                Some(if self.seen_as.as_ref() == Some(&key.fingerprint) {
                    Ok(Taken::Seen(RunId(seen)))
                } else {
                    Err(StoreError::IdempotencyConflict(key.key.clone()))
                })
            }
        }
    }

    /// As it was written: to read it again would cost as much as to write it.
    fn row(self, one: &Accept, now: i64) -> RunRow {
        let run = &one.run;
        let text = |text: &Option<String>| text.as_deref().map(kept);
        RunRow {
            id: run.id.0,
            state: RunState::Queued.as_str().to_owned(),
            waiting: self.waits,
            host: self.host,
            prompt: kept(&run.prompt),
            instance: self.its_instance,
            project: self.its_project,
            persona: self.its_persona,
            agent: self.its_agent,
            session: run.session.id.0,
            previous: run.previous.map(|id| id.0),
            label: text(&run.label),
            mode: one.mode.clone(),
            warnings: text(&one.warnings),
            created_at: now,
            parent: run.parent.map(|lease| lease.run.0),
            depth: run.depth,
            policy: Some(kept(&one.policy)),
            isolation: one.isolation.clone(),
            worktree: text(&one.worktree),
            hook: text(&run.extras.hook),
            ..RunRow::default()
        }
    }
}

/// Writes those that can be; what was there, and what holds them up now.
async fn take(tx: &mut Tx<'_>, given: Vec<Given<'_>>) -> Result<Vec<Found>, StoreError> {
    let (accepted, changed) = (EventKind::Accepted, EventKind::DelegationChanged);
    let kinds = (accepted.as_str(), changed.as_str());
    let given = list(&given)?;
    let values = values![given, tx.now, kinds.0, kinds.1];
    let mut found: Vec<Found> = tx.all(TAKE, values).await?;
    let free = |one: &Found| one.is_fresh() && one.waits.is_none();
    let keys = found.iter().filter(|one| free(one));
    let keys: BTreeSet<_> = keys.map(|one| one.class_key.as_str()).collect();
    if keys.is_empty() {
        return Ok(found);
    }
    let classes: Vec<(String, Option<String>)> = tx.all(WAIT, values![json(&keys)?]).await?;
    let classes: HashMap<_, _> = classes.into_iter().collect();
    for one in found.iter_mut().filter(|one| free(one)) {
        one.waits = classes.get(&one.class_key).cloned().flatten();
    }
    Ok(found)
}

/// As it is there: see [`list`].
fn kept(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// As JSON, without the one character that no text there can hold.
fn list(given: &[Given<'_>]) -> Result<String, StoreError> {
    let text = json(&given)?;
    if !text.contains("\\u0000") {
        return Ok(text);
    }
    let mut value = unjson(&text)?;
    replace_zeros(&mut value);
    json(&value)
}

fn replace_zeros(value: &mut Value) {
    match value {
        Value::String(text) => *text = kept(text),
        Value::Array(values) => values.iter_mut().for_each(replace_zeros),
        Value::Object(fields) => fields.values_mut().for_each(replace_zeros),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_is_replaced_and_what_looks_like_one_is_not() {
        let mut value = serde_json::json!(["a\0b", {"c": "\\u0000"}, 1]);
        replace_zeros(&mut value);
        assert_eq!(
            value,
            serde_json::json!(["a\u{fffd}b", {"c": "\\u0000"}, 1])
        );
    }
}
