//! A host is gone for good: another one gets what waits for it, as far as it has the projects.

use super::read::place_of;
use crate::{
    domain::{
        event::EventKind,
        fault::{ErrorKind, Fault},
        host::LeftBehind,
        ids::{HostId, RunId},
        run::RunState,
    },
    store::{
        Instead, StoreError,
        sql::{
            log::{Subject, append, event},
            place::tree_at,
            runs::recover::expire_at,
            tx::Tx,
            value::values,
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json as data;
use sqlx::FromRow;
use uuid::Uuid;

const THERE: &str = "SELECT name, seen_at+lease_ms-$2 AS left_ms FROM host WHERE id=$1 AND hub IS NOT NULL AND seen_at+lease_ms>$2";
const LEASES: &str = "SELECT max(lease_until) FROM session s INDEXED BY session_active WHERE s.lease_holder IS NOT NULL AND s.place=$1";
const NAME: &str = "SELECT name FROM host WHERE id=$1";
const FORGET: &str = "UPDATE host SET forgotten_at=$2 WHERE id=$1";
/// Sessions whose head waits. What the tree of a conversation is, its runs say.
const WAITING: &str = "SELECT s.id, s.project, s.instance, s.cwd, p.path, \
 EXISTS(SELECT 1 FROM run w WHERE w.session=s.id AND w.ended_at IS NULL AND w.worktree IS NOT NULL) AS apart \
 FROM run r INDEXED BY run_open JOIN session s ON s.head_run=r.id LEFT JOIN project p ON p.id=s.project \
 WHERE r.ended_at IS NULL AND r.state='queued' AND s.place=$1 ORDER BY r.created_at, r.id";
const SAME: &str = "SELECT id, path FROM project WHERE place=$1 AND path=$2 AND unregistered=0";
const NAMED: &str = "SELECT id, path FROM project WHERE place=$1 AND id=$2 AND unregistered=0";
const QUEUED: &str =
    "SELECT id, class_key, tree FROM run WHERE session=$1 AND ended_at IS NULL ORDER BY seq";
const CLASS: &str = "INSERT INTO class(class_key,place,agent,lane,max_concurrent,depth,cold,project) \
 SELECT $2,$3,agent,lane,(SELECT default_cap FROM host WHERE place=$3),depth,cold,CASE WHEN project IS NULL THEN NULL ELSE $4 END \
 FROM class WHERE class_key=$1 ON CONFLICT DO NOTHING";
const RUN: &str = "UPDATE run SET class_key=$2, project=$3, tree=$4, event_seq=event_seq+1 WHERE id=$1 RETURNING event_seq";
/// The conversation itself lies on the other machine.
const SESSION: &str = "UPDATE session SET place=$2, class_key=(SELECT r.class_key FROM run r WHERE r.id=session.head_run), project=$3, cwd=$4, \
 tree=(SELECT r.tree FROM run r WHERE r.id=session.head_run), agent_session=NULL WHERE id=$1";

#[derive(Debug)]
pub(super) struct Forget {
    pub(super) host: HostId,
    pub(super) to: HostId,
    pub(super) instead: Vec<Instead>,
}

#[derive(Debug, FromRow, Deserialize)]
struct Waiting {
    id: Uuid,
    project: Option<Uuid>,
    instance: Option<Uuid>,
    cwd: String,
    path: Option<String>,
    /// In a worktree.
    apart: bool,
}

#[derive(Debug, FromRow, Deserialize)]
struct Queued {
    id: Uuid,
    class_key: String,
    tree: Option<String>,
}

#[derive(Debug, FromRow, Deserialize)]
struct Ground {
    id: Uuid,
    path: String,
}

/// From where to where.
struct Way {
    from: String,
    to: String,
    from_name: String,
    to_name: String,
}

#[async_trait]
impl Write for Forget {
    type Answer = (Vec<RunId>, Vec<LeftBehind>);

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let way = Way {
            from: place_of(tx, self.host).await?,
            to: place_of(tx, self.to).await?,
            from_name: tx.scalar(NAME, values![self.host.0]).await?,
            to_name: tx.scalar(NAME, values![self.to.0]).await?,
        };
        if way.from == way.to {
            return Err(unfit(Fault::invalid("to", "is the host that is forgotten")));
        }
        self.is_gone(tx, &way).await?;
        tx.execute(FORGET, values![self.host.0, tx.now]).await?;
        let waiting: Vec<Waiting> = tx.all(WAITING, values![&way.from]).await?;
        let (mut moved, mut left) = (Vec::new(), Vec::new());
        for session in waiting {
            let runs: Vec<Queued> = tx.all(QUEUED, values![session.id]).await?;
            match self.ground(tx, &session, &way).await? {
                Ok(ground) => moved.extend(hand_over(tx, &session, runs, &ground, &way).await?),
                Err(why) => left.extend(runs.iter().map(|run| LeftBehind {
                    run: RunId(run.id),
                    why: why.clone(),
                })),
            }
        }
        tx.changed_elsewhere();
        Ok((moved, left))
    }
}

impl Forget {
    /// Whoever may still write has a right to.
    async fn is_gone(&self, tx: &mut Tx<'_>, way: &Way) -> Result<(), StoreError> {
        let there: Option<(String, i64)> = tx.optional(THERE, values![self.host.0, tx.now]).await?;
        if let Some((name, left_ms)) = there {
            let detail = format!("host \"{name}\" is there: it was seen a moment ago");
            let fault = Fault::new(ErrorKind::Busy, detail).hint(format!(
                "`eyas host drain {name}` keeps it from beginning anything; one that is dead is taken for gone in {} s",
                left_ms / 1000 + 1
            ));
            return Err(unfit(fault));
        }
        expire_at(tx, &way.from).await?;
        let last: Option<i64> = tx.scalar(LEASES, values![&way.from]).await?;
        let Some(until) = last else { return Ok(()) };
        let detail = format!("leases of host \"{}\" are not over", way.from_name);
        let seconds = until.saturating_sub(tx.now) / 1000 + 1;
        Err(unfit(Fault::new(ErrorKind::Busy, detail).hint(format!(
            "try again in {seconds} s: until then its agents may be at work"
        ))))
    }

    /// Where its runs would work on the other host; or why they would not.
    async fn ground(
        &self,
        tx: &mut Tx<'_>,
        session: &Waiting,
        way: &Way,
    ) -> Result<Result<Ground, String>, StoreError> {
        if session.instance.is_some() {
            return Ok(Err(format!("its instance lives on {}", way.from_name)));
        }
        let (Some(project), Some(path)) = (session.project, &session.path) else {
            return Ok(Err("it belongs to no project".to_owned()));
        };
        if session.apart || session.cwd != *path {
            return Ok(Err(format!("it works in a worktree on {}", way.from_name)));
        }
        let instead = self.instead.iter().find(|one| one.from.0 == project);
        let found: Option<Ground> = match instead {
            Some(one) => tx.optional(NAMED, values![&way.to, one.to.0]).await?,
            None => tx.optional(SAME, values![&way.to, path]).await?,
        };
        Ok(found.ok_or_else(|| format!("{} has no project at {path}", way.to_name)))
    }
}

fn unfit(fault: Fault) -> StoreError {
    StoreError::Unfit(Box::new(fault))
}

/// The session's runs wait for the other host.
async fn hand_over(
    tx: &mut Tx<'_>,
    session: &Waiting,
    runs: Vec<Queued>,
    ground: &Ground,
    way: &Way,
) -> Result<Vec<RunId>, StoreError> {
    let mut moved = Vec::with_capacity(runs.len());
    let told = event(
        EventKind::HandedOver,
        data!({"from": way.from_name, "to": way.to_name}),
    );
    for run in runs {
        let rest = run.class_key.get(way.from.len()..).unwrap_or_default();
        let class = format!("{}{rest}", way.to);
        tx.execute(CLASS, values![&run.class_key, &class, &way.to, ground.id])
            .await?;
        let tree = run.tree.map(|_| tree_at(&way.to, &ground.path));
        let number: i64 = tx
            .scalar(RUN, values![run.id, &class, ground.id, &tree])
            .await?;
        let subject = Subject {
            run: run.id,
            project: Some(ground.id),
            instance: None,
        };
        append(tx, subject, number, &told).await?;
        tx.changed(RunId(run.id), RunState::Queued);
        moved.push(RunId(run.id));
    }
    tx.execute(
        SESSION,
        values![session.id, &way.to, ground.id, &ground.path],
    )
    .await?;
    Ok(moved)
}
