//! Writing while an attempt works.

use crate::{
    domain::run::RunState,
    store::{
        AttemptNote, Lease, Progress, Redactor, StoreError,
        sql::{
            log::{count, list},
            statement::Either,
            tx::Tx,
            value::values,
            words::{json, state, word_of},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use sqlx::FromRow;

/// The fence is on the run only while it is held: a stale one matches nothing.
macro_rules! step {
    () => {
        "UPDATE run SET event_seq=event_seq+$3, step=coalesce($4,step), \
         continuity=coalesce($5,continuity), warm=coalesce($6,warm), tool=CASE WHEN $7 THEN $8 ELSE tool END, said=coalesce($9,said), \
         worktree=coalesce($10,worktree), leftover=coalesce($11,leftover), turns=turns+$14 WHERE id=$1 AND fence=$2 RETURNING state, event_seq, project, instance"
    };
}
macro_rules! events {
    ($run:literal) => {
        concat!(
            "INSERT INTO event(at,run,run_seq,project,instance,kind,data) \
             SELECT $12,$1,r.event_seq-$3+1+j.key,r.project,r.instance,j.value->>0,j.value->>1 FROM ",
            $run
        )
    };
}
/// The run's row, then its events; in one statement where each is a journey.
pub(in crate::store::sql) const STEP: Either = Either {
    sqlite: concat!(
        step!(),
        "; ",
        events!("run r CROSS JOIN json_each($13) j WHERE r.id=$1 AND r.fence=$2")
    ),
    postgres: concat!(
        "WITH r AS (",
        step!(),
        "), e AS (",
        events!("r, json_each($13) j"),
        ") SELECT state FROM r"
    ),
};
/// Which of them says in what state the run is.
const STEPPED: usize = 0;
pub(in crate::store::sql) const NOTE: &str = "UPDATE attempt SET warm=coalesce($3,warm), reason=coalesce($4,reason), \
 persona_route=coalesce($5,persona_route), pid=coalesce($6,pid), touched=coalesce($7,touched) WHERE run=$1 AND n=$2";
pub(in crate::store::sql) const CONVERSATION: &str =
    "UPDATE session SET agent_session=$2 WHERE id=$1";

/// Progress under a fence, its texts redacted.
#[derive(Debug)]
pub(super) struct Append {
    lease: Lease,
    progress: Progress,
}

#[derive(FromRow, Deserialize)]
struct Stepped {
    state: String,
}

impl Append {
    pub(super) fn new(lease: Lease, mut progress: Progress, redactor: &Redactor) -> Self {
        redact(&mut progress, redactor);
        Self { lease, progress }
    }
}

/// Redacts every text of it.
pub(super) fn redact(progress: &mut Progress, redactor: &Redactor) {
    for event in &mut progress.events {
        redactor.redact_json(&mut event.data);
    }
    if let Some(step) = &mut progress.step {
        redactor.redact_in_place(step);
    }
    if let Some(Some(tool)) = &mut progress.tool {
        redactor.redact_in_place(tool);
    }
    if let Some(said) = &mut progress.said {
        redactor.redact_in_place(said);
    }
    if let Some(reason) = &mut progress.note.reason {
        redactor.redact_in_place(reason);
    }
    for touched in &mut progress.note.touched {
        redactor.redact_in_place(touched);
    }
}

#[async_trait]
impl Write for Append {
    type Answer = ();
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let state = write(tx, self.lease, &self.progress).await?;
        tx.changed(self.lease.run, state);
        Ok(())
    }
}

/// Writes progress; answers the state of the run.
async fn write(tx: &mut Tx<'_>, lease: Lease, progress: &Progress) -> Result<RunState, StoreError> {
    let told = tx
        .script(
            STEP,
            values![
                lease.run.0,
                lease.fence,
                count(progress.events.len()),
                &progress.step,
                word_of(progress.note.continuity.as_ref())?,
                progress.note.warm,
                progress.tool.is_some(),
                progress.tool.as_ref().and_then(Option::as_ref),
                &progress.said,
                progress.worktree.as_ref().map(json).transpose()?,
                progress.left.as_ref().map(json).transpose()?,
                tx.now,
                list(&progress.events)?,
                progress.turns
            ],
        )
        .await?;
    let stepped: Option<Stepped> = told.first(STEPPED)?;
    let Stepped { state: word } = stepped.ok_or(StoreError::LeaseLost(lease.run))?;
    note(tx, lease, &progress.note).await?;
    state(&word)
}

/// Writes what is known of the attempt; the caller has checked the fence.
pub(super) async fn note(
    tx: &mut Tx<'_>,
    lease: Lease,
    note: &AttemptNote,
) -> Result<(), StoreError> {
    if note.warm.is_some()
        || note.reason.is_some()
        || note.persona_route.is_some()
        || note.pid.is_some()
        || !note.touched.is_empty()
    {
        let touched = (!note.touched.is_empty()).then(|| json(&note.touched));
        tx.execute(
            NOTE,
            values![
                lease.run.0,
                lease.attempt,
                note.warm,
                &note.reason,
                word_of(note.persona_route.as_ref())?,
                note.pid,
                touched.transpose()?
            ],
        )
        .await?;
    }
    if let Some(conversation) = &note.agent_session {
        tx.execute(CONVERSATION, values![lease.session.0, conversation])
            .await?;
    }
    Ok(())
}
